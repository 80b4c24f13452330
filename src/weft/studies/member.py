"""What makes one member of a population differ from the others: its rows, its seed, its numbers."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from weft.data.naming import closest, listing
from weft.data.order import generator
from weft.errors import ArgumentError
from weft.nn.check import fraction
from weft.nn.layers.dropout import Disturbing, DropPath
from weft.nn.module import Module
from weft.optim.optimizer import Optimizer
from weft.random import Generator, using

Array = np.ndarray[Any, Any]
NOISE = 3  # the purpose of the random numbers that flip labels
NOTHING = 1e-300  # stands for a 0 while the optimizer is asked for its numbers: a plain 0 would be another formula


@dataclass(frozen=True, eq=False)
class Member:
    """The rows that it is trained on and those that it is validated on, its seed, and the numbers that it has instead
    of those of the optimizer and the model.
    """

    train: Array
    validation: Array
    seed: int
    settings: dict[str, float] = field(default_factory=dict)


def settings_of(given: Mapping[str, Sequence[float]] | None, members: int | None) -> list[dict[str, float]]:
    """Settings for each member, from a list of values for each name; every list is as long as there are members."""
    lists = {name: numbers(name, values) for name, values in (given or {}).items()}
    sizes = {len(values) for values in lists.values()} | ({members} if members is not None else set())
    if len(sizes) > 1:
        told = ", ".join(f"{name}: {len(values)}" for name, values in lists.items())
        raise ArgumentError(
            f"settings of unequal lengths ({told}){'' if members is None else f' for {members} members'}",
            expected="one value for each member",
            cure="np.repeat and np.tile make all combinations",
        )
    count = sizes.pop() if sizes else 1
    return [{name: values[k] for name, values in lists.items()} for k in range(count)]


def numbers(name: str, values: Any) -> list[float]:
    """The values of one setting, as a list; what is no list of numbers is refused."""
    found = np.asarray(values)
    if found.ndim != 1 or found.dtype.kind not in "iuf" or not np.isfinite(found).all():
        raise ArgumentError(
            f"settings={{{name!r}: {values!r}}}",
            expected="a list of numbers, one for each member",
            cure=f"settings={{{name!r}: [{values!r}] * members}}" if found.ndim == 0 else None,
        )
    listed: list[float] = found.astype(float).tolist()
    if name == "dropout":
        for p in listed:
            fraction("dropout", p=p)
    return listed


def dropouts(model: Module) -> list[Disturbing]:
    """The layers whose number is a rate of dropout: not noise, and not the depth that `nn.DropPath` leaves out."""
    found = [m for m in model.modules() if isinstance(m, Disturbing) and not isinstance(m, DropPath)]
    return [m for m in found if m.strength == "p"]


def check_settings(names: Sequence[str], optimizer: Optimizer, model: Module) -> None:
    """Refuse a setting that nothing has."""
    known = [*optimizer.numbers_of.values, "label_noise", *(["dropout"] if dropouts(model) else [])]
    for name in names:
        if name not in known:
            near = closest(name, known)
            raise ArgumentError(
                f"there is no setting {name!r}",
                expected=f"numbers of the optimizer, dropout (of a model that has some), label_noise: {listing(known)}",
                cure=repr(near) if near else None,
            )


def numbers_for(optimizer: Optimizer, settings: Mapping[str, float], used: Sequence[str]) -> tuple[Optimizer, Array]:
    """The optimizer with what ``used`` names in its formula, and the numbers that this member gives it."""
    made = copy.deepcopy(optimizer)
    for name in used:
        value = settings[name]
        setattr(made, name, value if value != 0 else NOTHING)
    numbers = made.numbers_of.tensor.numpy()
    return made, np.where(numbers == NOTHING, 0.0, numbers)


def drawn(make: Callable[[], Module] | Module, seed: int, shape: tuple[int, ...]) -> Module:
    """A new model whose first values come from a seed, for inputs of this shape."""
    with using(Generator(seed)):
        model = copy.deepcopy(make).initialize(seed) if isinstance(make, Module) else make()
        if not isinstance(model, Module):
            raise ArgumentError(
                f"the function that makes a model returned {type(model).__name__}",
                expected="a module",
                cure="lambda: nn.Sequential(nn.Linear(16), nn.ReLU(), nn.Linear(3))",
            )
        return model.build(shape)


def noisy(y: Array, share: float, classes: int, seed: int) -> Array:
    """Labels of which a share, chosen at random, is replaced by another class; numbers get noise of that size.

    >>> int((noisy(np.zeros(100, np.int64), 0.25, 3, seed=0) != 0).sum())
    25
    """
    if not 0 <= share <= 1:
        raise ArgumentError(f"label_noise={share}", expected="a share between 0 and 1")
    random = generator(seed, 0, NOISE)
    if y.dtype.kind not in "iu":
        return (y + share * y.std() * random.normal(size=y.shape)).astype(y.dtype)
    rows = random.permutation(len(y))[: round(share * len(y))]
    changed = y.copy()
    changed[rows] = (y[rows] + random.integers(1, max(classes, 2), len(rows))) % max(classes, 2)
    return changed
