"""Modules made of modules: Sequential, ModuleList, ModuleDict, Residual."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Self

from weft.errors import ArgumentError, ShapeError
from weft.nn.module import Module
from weft.nn.registry import register


def checked(owner: str, value: Any) -> Module:
    """``value`` if it is a module."""
    if isinstance(value, Module):
        return value
    made = isinstance(value, type) and issubclass(value, Module)
    raise ArgumentError(
        f"{owner}: {value!r} is not a module",
        expected="layers",
        cure=f"nn.{value.__name__}(), with parentheses" if made else "nn.Linear(16), nn.ReLU(), …",
    )


@register
class Sequential(Module):
    """Layers one after the other: from a list, or one by one, or a dict of names.

    >>> from weft import nn
    >>> model = nn.Sequential(nn.Linear(4, 16), nn.ReLU())
    >>> model.append(nn.Linear(16, 3))[2]
    Linear(in_features=16, out_features=3, bias=True)
    >>> len(model[:2])
    2
    """

    _order: tuple[Module, ...] = ()

    def __init__(self, *layers: Any) -> None:
        if len(layers) == 1 and isinstance(layers[0], Mapping):
            for name, layer in layers[0].items():
                self._put(str(name), layer)
        else:
            given = layers[0] if len(layers) == 1 and isinstance(layers[0], list | tuple) else layers
            for layer in given:
                self.append(layer)

    def _put(self, name: str, layer: Any) -> None:
        if not name.isdecimal() and (not name or "." in name or hasattr(self, name)):
            raise ArgumentError(
                f"Sequential: {name!r} as the name of a layer", expected="a name without a dot that is not taken"
            )
        setattr(self, name, checked("Sequential", layer))

    @property
    def layers(self) -> tuple[Any, ...]:
        """The layers as the constructor takes them."""
        named = dict(self.named_children())
        plain = list(named) == [str(k) for k in range(len(named))]
        return self._order if plain else (named,)

    def append(self, layer: Module) -> Self:
        """Add a layer at the end."""
        self._put(str(len(self._order)), layer)
        return self

    add = append

    def extend(self, layers: Iterable[Module]) -> Self:
        """Add layers at the end."""
        for layer in layers:
            self.append(layer)
        return self

    def forward(self, x: Any) -> Any:
        for layer in self._order:
            x = layer(x)
        return x

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if isinstance(value, Module):  # model.head = … by name belongs to the sequence too
            object.__setattr__(self, "_order", self.children)

    def __getitem__(self, at: int | slice | str) -> Any:
        if isinstance(at, str):
            return dict(self.named_children())[at]
        return Sequential(*self._order[at]) if isinstance(at, slice) else self._order[at]

    def __setitem__(self, at: int, layer: Module) -> None:
        names = [name for name, _ in self.named_children()]
        setattr(self, names[at], checked("Sequential", layer))

    def __len__(self) -> int:
        return len(self._order)

    def __iter__(self) -> Iterator[Module]:
        return iter(self._order)


@register
class ModuleList(Module):
    """A list of modules that their owner can see.

    >>> from weft import nn
    >>> blocks = nn.ModuleList([nn.Linear(4, 4), nn.Linear(4, 4)])
    >>> [name for name, _ in blocks.named_parameters()]
    ['0.weight', '0.bias', '1.weight', '1.bias']
    """

    def __init__(self, members: Iterable[Any] = ()) -> None:
        self.extend(members)

    @property
    def members(self) -> tuple[Module, ...]:
        """The modules of the list."""
        return self.children

    def append(self, module: Module) -> Self:
        """Add a module at the end."""
        setattr(self, str(len(self)), checked("ModuleList", module))
        return self

    def extend(self, modules: Iterable[Any]) -> Self:
        """Add modules at the end."""
        for module in modules:
            self.append(module)
        return self

    def __getitem__(self, at: int | slice) -> Any:
        return ModuleList(self.children[at]) if isinstance(at, slice) else self.children[at]

    def __setitem__(self, at: int, module: Module) -> None:
        setattr(self, str(range(len(self))[at]), checked("ModuleList", module))

    def __len__(self) -> int:
        return len(self.children)

    def __iter__(self) -> Iterator[Module]:
        return iter(self.children)

    def forward(self, *_: Any) -> Any:
        raise ArgumentError(
            "a ModuleList is called",
            expected="a module",
            cure="for block in self.blocks: x = block(x), or nn.Sequential(*blocks)",
        )


@register
class ModuleDict(Module):
    """Modules by name, which their owner can see.

    >>> from weft import nn
    >>> nn.ModuleDict({"a": nn.ReLU()})["a"]
    ReLU()
    """

    def __init__(self, members: Mapping[str, Any] | None = None) -> None:
        for name, module in (members or {}).items():
            self[name] = module

    @property
    def members(self) -> dict[str, Module]:
        """The modules by name."""
        return dict(self.named_children())

    def __getitem__(self, name: str) -> Module:
        return self.members[name]

    def __setitem__(self, name: str, module: Module) -> None:
        if not name or "." in name or hasattr(type(self), name):
            raise ArgumentError(f"ModuleDict: the name {name!r}", expected="a name without a dot that is not taken")
        setattr(self, name, checked("ModuleDict", module))

    def __contains__(self, name: str) -> bool:
        return name in self.members

    def __len__(self) -> int:
        return len(self.children)

    def __iter__(self) -> Iterator[str]:
        return iter(self.members)

    def items(self) -> Iterator[tuple[str, Module]]:
        """Names and modules."""
        return self.named_children()

    def forward(self, *_: Any) -> Any:
        raise ArgumentError("a ModuleDict is called", expected="a module", cure='self.heads["name"](x)')


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
