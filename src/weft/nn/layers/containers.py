"""Modules made of modules: Sequential, Parallel, Concat, Residual."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Self

from weft.errors import ArgumentError, ShapeError
from weft.nn.layers.collections import Numbered, checked, named_by_index
from weft.nn.module import Module
from weft.nn.registry import register
from weft.ops.assembling import concat


@register
class Sequential(Numbered):
    """Layers one after the other: from a list, or one by one, or a dict of names.

    Layers are read by place, by name or by slice, and changed by the methods of a list. Slices and sums hold the same
    layers under new numbers.

    >>> from weft import nn
    >>> model = nn.Sequential(nn.Linear(4, 16), nn.ReLU())
    >>> model.append(nn.Linear(16, 3))[2]
    Linear(in_features=16, out_features=3, bias=True)
    >>> len(model[:2]), len(model + [nn.Softmax()])
    (2, 4)
    """

    def __init__(self, *layers: Any) -> None:
        if len(layers) == 1 and isinstance(layers[0], Mapping):
            for name, layer in layers[0].items():
                self._put(str(name), layer)
        else:
            self.extend(layers[0] if len(layers) == 1 and isinstance(layers[0], list | tuple) else layers)

    def _put(self, name: str, layer: Any) -> None:
        if not named_by_index(name) and (not name or "." in name or hasattr(self, name)):
            raise ArgumentError(
                f"Sequential: {name!r} as the name of a layer", expected="a name without a dot that is not taken"
            )
        setattr(self, name, checked("Sequential", layer))

    @property
    def layers(self) -> tuple[Any, ...]:
        """The layers as the constructor takes them."""
        named = self._named()
        plain = list(named) == [str(k) for k in range(len(named))]
        return self._order if plain else (named,)

    add = Numbered.append

    def forward(self, x: Any) -> Any:
        for layer in self._order:
            x = layer(x)
        return x


@register
class Parallel(Numbered):
    """Branches that all take the same inputs: a tuple of their results.

    >>> import weft as wf
    >>> from weft import nn
    >>> [y.shape for y in nn.Parallel(nn.Linear(3), nn.Linear(5))(wf.ones((2, 4)))]
    [(2, 3), (2, 5)]
    """

    def __init__(self, *branches: Any) -> None:
        self.extend(branches)

    @property
    def branches(self) -> tuple[Any, ...]:
        """The branches as the constructor takes them."""
        return self._order

    def _constructor(self, members: tuple[Any, ...]) -> tuple[Any, ...]:
        return members

    def forward(self, *inputs: Any) -> tuple[Any, ...]:
        return tuple(branch(*inputs) for branch in self._order)


@register
class Concat(Numbered):
    """Branches that all take the same inputs, their results joined along ``axis``.

    >>> import weft as wf
    >>> from weft import nn
    >>> nn.Concat(nn.Identity(), nn.Linear(5))(wf.ones((2, 4))).shape
    (2, 9)
    """

    def __init__(self, *branches: Any, axis: int = 1) -> None:
        self.axis = axis
        self.extend(branches)

    @property
    def branches(self) -> tuple[Any, ...]:
        """The branches as the constructor takes them."""
        return self._order

    def _constructor(self, members: tuple[Any, ...]) -> tuple[Any, ...]:
        return members

    def __getitem__(self, at: Any) -> Any:
        return Concat(*self._order[at], axis=self.axis) if isinstance(at, slice) else super().__getitem__(at)

    def __add__(self, other: Iterable[Any]) -> Self:
        return type(self)(*self._order, *other, axis=self.axis)

    def forward(self, *inputs: Any) -> Any:
        made = [branch(*inputs) for branch in self._order]
        others = [[n for k, n in enumerate(y.shape) if k != self.axis % y.ndim] for y in made]
        if any(shape != others[0] for shape in others):
            raise ShapeError(
                f"Concat of shapes {', '.join(str(y.shape) for y in made)} along axis {self.axis}",
                expected=f"shapes that are equal but for axis {self.axis}",
            )
        return concat(made, axis=self.axis)

    def extra_repr(self) -> str:
        return f"axis={self.axis}"


@register
class Residual(Module):
    """y = x + f(x); where the shapes differ, ``shortcut`` brings x to that of f(x).

    >>> import weft as wf
    >>> from weft import nn
    >>> nn.Residual(nn.Identity())(wf.ones(2)).tolist()
    [2.0, 2.0]
    """

    def __init__(self, body: Module, shortcut: Module | None = None) -> None:
        self.body = checked("Residual", body)
        self.shortcut = None if shortcut is None else checked("Residual", shortcut)

    def forward(self, x: Any) -> Any:
        y = self.body(x)
        kept = x if self.shortcut is None else self.shortcut(x)
        if kept.shape != y.shape:
            raise ShapeError(
                f"Residual: x of shape {kept.shape} and f(x) of shape {y.shape}",
                expected="equal shapes",
                cure="nn.Residual(body, shortcut=nn.Linear(…)) with the size of f(x)",
            )
        return kept + y
