"""The same model with dropout, or smaller: what remedies do to a network of layers in a row."""

from __future__ import annotations

import copy

from weft.nn.layers.containers import Sequential
from weft.nn.layers.dropout import Dropout
from weft.nn.layers.linear import Linear
from weft.nn.module import Module
from weft.studies.member import dropouts


def with_dropout(model: Module, p: float) -> Module | None:
    """A copy whose layers of dropout have this rate, or one with dropout before each linear layer but the first.

    None for a model without dropout that is no row of layers, or has no linear layer but the first.

    >>> from weft import nn
    >>> len(with_dropout(nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3)), 0.5).children)
    4
    """
    made = copy.deepcopy(model)
    layers = dropouts(made)
    for layer in layers:
        setattr(layer, layer.strength, p)
    if layers:
        return made
    if not isinstance(made, Sequential):
        return None
    row: list[Module] = []
    for child in made.children:
        if isinstance(child, Linear) and any(isinstance(m, Linear) for m in row):
            row.append(Dropout(p))
        row.append(child)
    return Sequential(*row) if len(row) > len(made.children) else None


def smaller(model: Module, factor: float = 0.5) -> Module | None:
    """A new model whose hidden linear layers have so many times the width; None where it cannot be told how.

    >>> from weft import nn
    >>> [m.weight.shape for m in smaller(nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))).children[::2]]
    [(4, 4), (3, 4)]
    """
    if not isinstance(model, Sequential):
        return None
    linear = [child for child in model.children if isinstance(child, Linear)]
    if len(linear) < 2 or any(m is not child for child in linear for m in child.modules()):
        return None
    row: list[Module] = []
    width = None
    for child in model.children:
        if not isinstance(child, Linear):
            if any(True for _ in child.parameters()):
                return None  # its size depends on the width
            row.append(copy.deepcopy(child))
            continue
        outputs = child.out_features
        if child is not linear[-1]:
            outputs = max(1, round(outputs * factor))
        row.append(Linear(child.weight.shape[1] if width is None else width, outputs, bias=child.bias is not None))
        width = outputs
    return Sequential(*row)
