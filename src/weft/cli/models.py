"""The network that ``weft train`` builds: a multilayer perceptron, by the options or by the size of the data."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

from weft import nn
from weft.errors import ArgumentError
from weft.nn.layers.activations import ELU, GELU, SELU, LeakyReLU, ReLU, Sigmoid, SiLU, Softplus, Tanh
from weft.nn.module import Module

ACTIVATIONS: dict[str, type[Module]] = {
    "relu": ReLU,
    "tanh": Tanh,
    "sigmoid": Sigmoid,
    "gelu": GELU,
    "silu": SiLU,
    "elu": ELU,
    "selu": SELU,
    "leaky_relu": LeakyReLU,
    "softplus": Softplus,
}


@dataclass(frozen=True)
class Perceptron:
    """The plan of a multilayer perceptron: its sizes, what follows each hidden layer, and its line of text.

    >>> plan = Perceptron(64, (128,), 10, "relu", 0.0)
    >>> print(plan)
    64 → 128 relu → 10, 9,610 parameters
    >>> plan.build()
    Sequential(
      (0): Linear(in_features=64, out_features=128, bias=True)
      (1): ReLU()
      (2): Linear(in_features=128, out_features=10, bias=True)
    )
    """

    inputs: int
    hidden: tuple[int, ...]
    outputs: int
    activation: str
    dropout: float

    @property
    def parameters(self) -> int:
        """How many numbers are trained."""
        sizes = (self.inputs, *self.hidden, self.outputs)
        return sum((a + 1) * b for a, b in itertools.pairwise(sizes))

    def build(self) -> nn.Sequential:
        """The network, its weights drawn from the generator in force."""
        if self.activation not in ACTIVATIONS:
            raise ArgumentError(f"no activation {self.activation!r}", expected=", ".join(ACTIVATIONS))
        layers: list[Module] = []
        sizes = (self.inputs, *self.hidden)
        for before, after in itertools.pairwise(sizes):
            layers += [nn.Linear(before, after), ACTIVATIONS[self.activation]()]
            if self.dropout:
                layers.append(nn.Dropout(self.dropout))
        return nn.Sequential(*layers, nn.Linear(sizes[-1], self.outputs))

    def __str__(self) -> str:
        after = f" {self.activation}" + (f", dropout {self.dropout:g}" if self.dropout else "")
        sizes = [str(self.inputs), *(f"{width}{after}" for width in self.hidden), str(self.outputs)]
        return f"{' → '.join(sizes)}, {self.parameters:,} parameters"


def usual_widths(rows: int) -> tuple[int, ...]:
    """Hidden layers for so many training rows: about 3 √rows wide, a power of two; two layers from 5000 rows on.

    A starting point, not a law: wide enough to learn most tables, small enough to train in seconds.

    >>> usual_widths(120), usual_widths(1438), usual_widths(50_000)
    ((32,), (128,), (256, 256))
    """
    width = min(max(2 ** round(math.log2(3 * math.sqrt(rows))), 16), 256)
    return (width,) * (2 if rows >= 5000 else 1)


def doubled(hidden: tuple[int, ...]) -> tuple[int, ...]:
    """Hidden layers twice as wide; one where there were none.

    >>> doubled((64, 32)), doubled(())
    ((128, 64), (32,))
    """
    return tuple(2 * width for width in hidden) or (32,)
