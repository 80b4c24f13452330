"""The layers that a saved model may name: a closed table, so that a file holds data and never code.

A module is described by the name of its class and its constructor's arguments, which it keeps as attributes of the
same names. Own classes join with ``@nn.register`` and follow the same convention.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, Protocol, TypeVar, runtime_checkable

from weft.errors import ArgumentError, FileError
from weft.graph.dtype import DType, dtype
from weft.nn.init import INITIALIZERS
from weft.nn.lookup import find
from weft.nn.module import Module
from weft.nn.parameter import Buffer, Parameter
from weft.nn.state import entries
from weft.random import Generator, using
from weft.tensor import Tensor

_classes: dict[str, type[Module]] = {}
C = TypeVar("C", bound=type[Module])


@runtime_checkable
class Describing(Protocol):
    """A module whose description is not that of its constructor's arguments."""

    def described(self) -> Mapping[str, Any]:
        """What a description holds."""

    def rebuild(self, arguments: Mapping[str, Any]) -> None:
        """Become what ``arguments`` describe."""


def register(cls: C) -> C:
    """Decorator: models with layers of this class can be saved and loaded.

    The class keeps each argument of its constructor as an attribute of the same name.

    >>> from weft import nn
    >>> @nn.register
    ... class Scale(nn.Module):
    ...     def __init__(self, by=2.0):
    ...         self.by = by
    ...     def forward(self, x):
    ...         return x * self.by
    >>> nn.describe(Scale(3.0))
    {'class': 'Scale', 'arguments': {'by': 3.0}}
    """
    name = cls.__name__
    before = _classes.get(name)
    if before is not None and before.__module__ != cls.__module__:
        raise ArgumentError(
            f"register: there is a layer {name!r} already, in {before.__module__}", expected="a name that is not taken"
        )
    _classes[name] = cls
    return cls


# ── from a module to data ───────────────────────────────────────────────────────────────────────────────────


def describe(module: Module) -> dict[str, Any]:
    """The structure of a module, without its numbers, as data that JSON can hold.

    >>> from weft import nn
    >>> nn.describe(nn.Sequential(nn.ReLU()))
    {'class': 'Sequential', 'arguments': {'layers': [{'class': 'ReLU', 'arguments': {}}]}}
    """
    return _describe(module, {})


def checked_description(module: Module) -> dict[str, Any]:
    """The description of a module, if `construct` makes a module of it that takes the same state."""
    description = describe(module)
    with using(Generator(0)):  # a constructor may draw random numbers, and must not take those of somebody else
        shapes = [shapes_of(m) for m in (module, construct(description))]
    if wrong := [path for path in {**shapes[0], **shapes[1]} if shapes[0].get(path, ()) != shapes[1].get(path, "none")]:
        raise ArgumentError(
            f"{type(module).__name__} would not come back from its description: {', '.join(wrong[:8])} would differ",
            expected="a model as its constructor makes it; a part of this one was replaced, or added, later",
            cure="make the change in the constructor, by an argument, or save model.state_dict() and build it in code",
        )
    return description


def shapes_of(module: Module) -> dict[str, Any]:
    """The shape of each parameter and buffer as far as it is known, without finding a value."""
    held: Iterator[tuple[str, Parameter | Buffer]] = entries(module)
    return {path: t.known_shape if isinstance(t, Parameter) else t.known_spec.shape for path, t in held}


def _describe(module: Module, seen: dict[int, int]) -> dict[str, Any]:
    if id(module) in seen:
        return {"same_as": seen[id(module)]}
    seen[id(module)] = len(seen)
    cls = type(module)
    if _classes.get(cls.__name__) is not cls:
        raise ArgumentError(
            f"the class {cls.__name__} of {module.path} is not registered, so it could not be loaded again",
            expected="layers of weft.nn, or classes marked with @nn.register",
            cure=f"@nn.register above class {cls.__name__}",
        )
    if isinstance(module, Describing):
        plain = {name: _plain(value, f"{cls.__name__}: {name}", seen) for name, value in module.described().items()}
        return {"class": cls.__name__, "arguments": plain}
    return {"class": cls.__name__, "arguments": {name: _encode(module, name, seen) for name in _arguments(cls)}}


def _arguments(cls: type[Module]) -> dict[str, inspect.Parameter]:
    parameters = dict(inspect.signature(cls).parameters)
    if any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        raise ArgumentError(f"{cls.__name__} takes **keywords, which cannot be described", expected="named arguments")
    return parameters


def _encode(module: Module, name: str, seen: dict[int, int]) -> Any:
    if not hasattr(module, name):
        raise ArgumentError(
            f"{type(module).__name__} takes the argument {name!r} and does not keep it",
            expected="each argument of the constructor as an attribute of the same name",
            cure=f"self.{name} = {name}",
        )
    value = getattr(module, name)
    asks = _arguments(type(module))[name].default
    if isinstance(asks, bool) and (value is None or isinstance(value, Parameter)):
        return value is not None  # bias=True became a parameter, bias=False None
    return _plain(value, f"{type(module).__name__}: {name}", seen)


def _plain(value: Any, what: str, seen: dict[int, int]) -> Any:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Module):
        return _describe(value, seen)
    if isinstance(value, list | tuple):
        return [_plain(v, what, seen) for v in value]
    if isinstance(value, Mapping):
        return {"mapping": {str(k): _plain(v, what, seen) for k, v in value.items()}}
    if isinstance(value, DType):
        return {"dtype": value.name}
    if isinstance(value, partial) and not value.args and INITIALIZERS.get(value.func.__name__) is value.func:
        return {"init": value.func.__name__, "with": _plain(value.keywords, what, seen)["mapping"]}
    if any(value is known for known in INITIALIZERS.values()):
        return getattr(value, "__name__", "")
    kind = "a tensor" if isinstance(value, Tensor) else type(value).__name__
    raise ArgumentError(
        f"{what} is {kind}, which a description cannot hold",
        expected="numbers, text, lists, modules, types, or initialisations by name",
        cure="nn.Parameter or nn.Buffer for tensors: they are saved with the weights" if kind == "a tensor" else None,
    )


# ── and back ────────────────────────────────────────────────────────────────────────────────────────────────


def construct(description: Mapping[str, Any]) -> Module:
    """The module that ``description`` describes; a class that is not registered is refused.

    >>> from weft import nn
    >>> nn.construct({"class": "Linear", "arguments": {"features": [4, 16]}})
    Linear(in_features=4, out_features=16, bias=True)
    """
    return _construct(description, {})


def _construct(description: Mapping[str, Any], made: dict[int, Module]) -> Module:
    if "same_as" in description:
        if description["same_as"] not in made:
            raise FileError(f"a layer is the same as layer {description['same_as']}, which is not there")
        return made[description["same_as"]]
    name = description.get("class")
    cls = _classes.get(name) if isinstance(name, str) else None
    if cls is None:
        raise FileError(
            f"the model contains a layer of the class {name!r}, which is not registered here",
            expected="one of " + ", ".join(sorted(_classes)),
            cure=f"import the code that defines {name}, with @nn.register above the class",
        )
    number = len(made)
    made[number] = cls.__new__(cls)  # takes its number before its parts do, as when it was described
    return _fill(made, number, cls, description)


def _fill(made: dict[int, Module], number: int, cls: type[Module], description: Mapping[str, Any]) -> Module:
    known = _arguments(cls)
    arguments = {k: _value(v, made) for k, v in dict(description.get("arguments", {})).items()}
    module = made[number]
    if isinstance(module, Describing):
        module.rebuild(arguments)
        return module
    if unknown := [k for k in arguments if k not in known]:
        raise FileError(f"{cls.__name__} has no argument {unknown[0]!r}", expected="one of " + ", ".join(known))
    spread = next((k for k, p in known.items() if p.kind is p.VAR_POSITIONAL), None)
    positional = arguments.pop(spread, []) if spread is not None else []
    cls.__init__(module, *positional, **arguments)
    return module


def _value(value: Any, made: dict[int, Module]) -> Any:
    if isinstance(value, list):
        return [_value(v, made) for v in value]
    if not isinstance(value, Mapping):
        return value
    if "class" in value or "same_as" in value:
        return _construct(value, made)
    if "mapping" in value:
        return {k: _value(v, made) for k, v in value["mapping"].items()}
    if "dtype" in value:
        return dtype(value["dtype"])
    if "init" in value:
        return partial(find(INITIALIZERS, value["init"], "initialisation"), **value["with"])
    raise FileError(f"a description with the keys {sorted(value)}", expected="class, same_as, mapping, dtype or init")
