"""Lists and dicts of modules and of parameters, which their owner can see."""

from __future__ import annotations

from collections.abc import ItemsView, Iterable, Iterator, KeysView, Mapping, ValuesView
from itertools import count
from typing import Any, Self

import numpy as np

from weft.errors import ArgumentError, is_whole
from weft.nn import state
from weft.nn.building import refuse_cycle
from weft.nn.module import Module
from weft.nn.parameter import Parameter
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


def release(owner: Module, value: Any) -> None:
    """Let go of a member, so that its next home names it."""
    if isinstance(value, Parameter):
        if value.home is not None and value.home() is owner:
            value.home = None
    elif value._parent is not None and value._parent() is owner:
        object.__setattr__(value, "_parent", None)


def named(owner: Any, name: Any) -> Any:
    """The member of this name."""
    members = owner._named()
    if name not in members:
        raise ArgumentError(
            f"{type(owner).__name__}: there is no {name!r}", expected="one of " + ", ".join(map(repr, members))
        )
    return members[name]


def named_by_index(name: str) -> bool:
    return name.isdecimal()


class Numbered(Module):
    """What lists have in common: members named "0", "1", …, and the methods of Python's list."""

    _order: tuple[Any, ...] = ()
    holds: type = Module

    def _accept(self, value: Any) -> Any:
        refuse_cycle(self, checked(type(self).__name__, value))
        return value

    def _named(self) -> dict[str, Any]:
        """The members by name, in their order."""
        return {name: value for name, value in vars(self).items() if isinstance(value, self.holds)}

    def _arrange(self, members: Iterable[tuple[str, Any]]) -> None:
        """Hold these members in this order; a name that is a number is that of the place."""
        made = [(str(k) if named_by_index(name) else name, self._accept(v)) for k, (name, v) in enumerate(members)]
        for name, value in self._named().items():
            release(self, value)
            object.__delattr__(self, name)
        object.__setattr__(self, "_order", ())
        for name, value in made:
            setattr(self, name, value)
        state.changed(self)

    def __setattr__(self, name: str, value: Any) -> None:
        before = vars(self).get(name)
        super().__setattr__(name, value)
        self._exchanged(before, value)  # model.head = … by name belongs to the sequence too

    def __delattr__(self, name: str) -> None:
        before = vars(self).get(name)
        super().__delattr__(name)
        self._exchanged(before, None)

    def _exchanged(self, before: Any, value: Any) -> None:
        """Note that ``value`` has come in the place of ``before``, either of which may be no member."""
        if isinstance(before, self.holds) or isinstance(value, self.holds):
            members = self._named()
            object.__setattr__(self, "_order", tuple(members.values()))
            if isinstance(before, Module | Parameter) and before is not value:
                release(self, before)
                for name, member in members.items():
                    if member is before:  # which is here under another name too
                        self._adopt(name, member)

    def append(self, value: Any) -> Self:
        """Add one at the end."""
        taken = self._named()
        free = next(n for n in count(len(taken)) if str(n) not in taken)
        setattr(self, str(free), self._accept(value))
        return self

    def extend(self, values: Iterable[Any]) -> Self:
        """Add some at the end."""
        for value in tuple(values):
            self.append(value)
        return self

    def insert(self, at: int, value: Any) -> Self:
        """Add one before the place ``at``; those behind it are renamed."""
        members = list(self._named().items())
        members.insert(at, ("0", self._accept(value)))
        self._arrange(members)
        return self

    def pop(self, at: int = -1) -> Any:
        """Take one out and give it back; those behind it are renamed."""
        found = self[at]
        del self[at]
        return found

    def index(self, value: Any) -> int:
        """The place of a member."""
        for k, member in enumerate(self._order):
            if member is value:
                return k
        raise ArgumentError(f"{type(self).__name__}.index: {value!r} is not a member")

    def remove(self, value: Any) -> Self:
        """Take a member out."""
        del self[self.index(value)]
        return self

    def reverse(self) -> Self:
        """Turn the order round."""
        self._arrange(list(self._named().items())[::-1])
        return self

    def clear(self) -> Self:
        """Take all out."""
        self._arrange(())
        return self

    def _place(self, at: int) -> str:
        if not is_whole(at, -len(self._order), len(self._order) - 1):
            raise ArgumentError(
                f"{type(self).__name__}: place {at!r} of {len(self._order)}",
                expected=f"{-len(self._order)} ≤ place < {len(self._order)}",
            )
        return list(self._named())[at]

    def __getitem__(self, at: Any) -> Any:
        if isinstance(at, slice):
            return type(self)(*self._constructor(self._order[at]))
        return named(self, at) if isinstance(at, str) else getattr(self, self._place(at))

    def _constructor(self, members: tuple[Any, ...]) -> tuple[Any, ...]:
        """What the constructor takes to hold these members."""
        return (members,)

    def __setitem__(self, at: int, value: Any) -> None:
        setattr(self, self._place(at), self._accept(value))

    def __delitem__(self, at: int | slice) -> None:
        members = list(self._named().items())
        if not isinstance(at, slice):
            self._place(at)
        del members[at]
        self._arrange(members)

    def __add__(self, other: Iterable[Any]) -> Self:
        return type(self)(*self._constructor((*self._order, *other)))

    def __iadd__(self, other: Iterable[Any]) -> Self:
        return self.extend(other)

    def __contains__(self, value: object) -> bool:
        return any(member is value for member in self._order)

    def __len__(self) -> int:
        return len(self._order)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._order)

    def __reversed__(self) -> Iterator[Any]:
        return reversed(self._order)


@register
class ModuleList(Numbered):
    """A list of modules that their owner can see, with the methods of a list.

    >>> from weft import nn
    >>> blocks = nn.ModuleList([nn.Linear(4, 4), nn.Linear(4, 4)])
    >>> [name for name, _ in blocks.named_parameters()]
    ['0.weight', '0.bias', '1.weight', '1.bias']
    """

    def __init__(self, members: Iterable[Any] = ()) -> None:
        self.extend(members)

    @property
    def members(self) -> tuple[Any, ...]:
        """The modules of the list."""
        return self._order

    def forward(self, *_: Any) -> Any:
        raise ArgumentError(
            "a ModuleList is called",
            expected="a module",
            cure="for block in self.blocks: x = block(x), or nn.Sequential(*blocks)",
        )


@register
class ParameterList(Numbered):
    """A list of parameters that their owner can see, with the methods of a list.

    >>> from weft import nn
    >>> [name for name, _ in nn.ParameterList([nn.Parameter([1.0]), [2.0]]).named_parameters()]
    ['0', '1']
    """

    holds = Parameter

    def __init__(self, members: Iterable[Any] = ()) -> None:
        self.extend(members)

    @property
    def members(self) -> list[Any]:
        """What a description holds: the shapes and types, of values that the state has."""
        return [_outline(p) for p in self._order]

    def _accept(self, value: Any) -> Any:
        return _parameter(value)

    def extra_repr(self) -> str:
        return ", ".join(str(p.known_shape) for p in self._order)


def _outline(p: Parameter) -> dict[str, Any]:
    return {"shape": list(p.known_shape or ()), "dtype": p.known_dtype}


def _parameter(value: Any) -> Parameter:
    """A parameter, of data or of what `_outline` says."""
    if isinstance(value, Mapping):
        return Parameter(np.zeros(tuple(value["shape"]), value["dtype"].numpy))
    return value if isinstance(value, Parameter) else Parameter(value)


class Named(Module):
    """What dicts have in common: the methods of Python's dict."""

    holds: type = Module

    def _accept(self, value: Any) -> Any:
        return checked(type(self).__name__, value)

    def _named(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if isinstance(value, self.holds)}

    def __getitem__(self, name: str) -> Any:
        return named(self, name)

    def __setitem__(self, name: str, value: Any) -> None:
        if not isinstance(name, str) or not name or "." in name or hasattr(type(self), name):
            raise ArgumentError(
                f"{type(self).__name__}: the name {name!r}", expected="a name without a dot that is not taken"
            )
        setattr(self, name, self._accept(value))

    def __delitem__(self, name: str) -> None:
        release(self, self[name])
        delattr(self, name)

    def __contains__(self, name: object) -> bool:
        return name in self._named()

    def __len__(self) -> int:
        return len(self._named())

    def __iter__(self) -> Iterator[str]:
        return iter(self._named())

    def keys(self) -> KeysView[str]:
        """The names."""
        return self._named().keys()

    def values(self) -> ValuesView[Any]:
        """The members."""
        return self._named().values()

    def items(self) -> ItemsView[str, Any]:
        """Names and members."""
        return self._named().items()

    def get(self, name: str, default: Any = None) -> Any:
        """The member of this name, or ``default``."""
        return self._named().get(name, default)

    def pop(self, name: str) -> Any:
        """Take a member out and give it back."""
        found = self[name]
        del self[name]
        return found

    def update(self, members: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> Self:
        """Add members, also from pairs of name and member, in the place of those that have the same names."""
        for name, value in dict(members).items():
            self[name] = value
        return self

    def clear(self) -> Self:
        """Take all out."""
        for name in tuple(self):
            del self[name]
        return self


@register
class ModuleDict(Named):
    """Modules by name, which their owner can see, with the methods of a dict.

    >>> from weft import nn
    >>> nn.ModuleDict({"a": nn.ReLU()})["a"]
    ReLU()
    """

    def __init__(self, members: Mapping[str, Any] | Iterable[tuple[str, Any]] | None = None) -> None:
        self.update(members or {})

    @property
    def members(self) -> dict[str, Any]:
        """The modules by name."""
        return self._named()

    def forward(self, *_: Any) -> Any:
        raise ArgumentError("a ModuleDict is called", expected="a module", cure='self.heads["name"](x)')


@register
class ParameterDict(Named):
    """Parameters by name, which their owner can see, with the methods of a dict.

    >>> from weft import nn
    >>> nn.ParameterDict({"scale": [2.0]})["scale"].shape
    (1,)
    """

    holds = Parameter

    def __init__(self, members: Mapping[str, Any] | Iterable[tuple[str, Any]] | None = None) -> None:
        self.update(members or {})

    @property
    def members(self) -> dict[str, Any]:
        """What a description holds: the shapes and types, of values that the state has."""
        return {name: _outline(p) for name, p in self._named().items()}

    def _accept(self, value: Any) -> Any:
        return _parameter(value)

    def extra_repr(self) -> str:
        return ", ".join(f"{name}: {p.known_shape}" for name, p in self._named().items())
