"""Walking a module's tree, and its state as arrays by name."""

from __future__ import annotations

import copy as copying
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from weft.errors import ArgumentError, ShapeError
from weft.nn.parameter import Buffer, Parameter, Promised
from weft.tensor import Tensor

if TYPE_CHECKING:
    from weft.nn.module import Module

T = TypeVar("T", bound=Tensor)
M = TypeVar("M", bound="Module")


def walk(module: Module, prefix: str, seen: set[int]) -> Iterator[tuple[str, Module]]:
    """The module and all inside it, parents before children, each once."""
    if id(module) in seen:
        return
    seen.add(id(module))
    yield prefix, module
    for name, child in module.named_children():
        yield from walk(child, f"{prefix}.{name}" if prefix else name, seen)


def named(module: Module, kind: type[T]) -> Iterator[tuple[str, T]]:
    """The tensors of one kind in the whole tree, with their paths; shared ones once."""
    seen: set[int] = set()
    for path, owner in walk(module, "", set()):
        for name, value in list(vars(owner).items()):
            if isinstance(value, kind) and id(value) not in seen:
                seen.add(id(value))
                yield f"{path}.{name}" if path else name, value


_structure = [0]  # counts every change of any module's attributes, so that what was found can be kept


def changed() -> None:
    """Note that some module may have other parameters now."""
    _structure[0] += 1


def parameters(module: Module) -> tuple[Parameter, ...]:
    """All parameters; looked for again only after a change, as training asks at every step."""
    if module._found[0] != _structure[0]:
        object.__setattr__(module, "_found", (_structure[0], tuple(p for _, p in named(module, Parameter))))
    return module._found[1]


def entries(module: Module, prefix: str = "") -> Iterator[tuple[str, Parameter | Buffer]]:
    """All that is saved, in PyTorch's order: parameters, buffers, children; shared ones under each of their names."""
    for kind in (Parameter, Buffer):
        for name, value in list(vars(module).items()):  # a list, as a first use inside the loop keeps its path there
            if isinstance(value, kind):
                yield prefix + name, value
    for name, child in module.named_children():
        yield from entries(child, f"{prefix}{name}.")


def state_dict(module: Module) -> dict[str, np.ndarray]:
    """Copies, which training does not change, as NumPy arrays by path."""
    return {path: np.array(value.numpy()) for path, value in entries(module)}


def load_state_dict(module: Module, values: Mapping[str, Any], *, strict: bool) -> None:
    """Assign all values, or none and raise one error that lists everything that does not fit."""
    wanted = dict(entries(module))
    arrays = {path: array_of(value) for path, value in values.items()}
    missing = [path for path in wanted if path not in arrays]
    unexpected = [path for path in arrays if path not in wanted]
    misfits = [
        f"{path}: the model has {shape_of(wanted[path])}, the state {array.shape}"
        for path, array in arrays.items()
        if path in wanted and shape_of(wanted[path]) != array.shape
    ]
    if misfits or (strict and (missing or unexpected)):
        raise misfit(missing if strict else [], unexpected if strict else [], misfits)
    for path, array in arrays.items():
        if path in wanted:
            take(wanted[path], array)


def take(tensor: Parameter | Buffer, array: np.ndarray) -> None:
    """Give the tensor this value; a parameter that has none yet need not draw one first."""
    if isinstance(tensor, Promised):
        tensor.settle(Tensor(array, tensor.known_dtype))
    else:
        tensor.assign(Tensor(array, tensor.dtype))


def shape_of(tensor: Parameter | Buffer) -> tuple[int, ...]:
    """The shape, without drawing a value where it is known already."""
    return (tensor.known_shape if isinstance(tensor, Parameter) else None) or tensor.shape


def array_of(value: Any) -> np.ndarray:
    """The numbers of a tensor of ours, of PyTorch's, or of anything that NumPy takes."""
    if isinstance(value, Tensor):
        return value.numpy()
    return np.asarray(value.detach().cpu() if hasattr(value, "detach") else value)


def misfit(missing: list[str], unexpected: list[str], misfits: list[str]) -> ArgumentError:
    parts = [
        f"{title}: {', '.join(paths)}" for title, paths in (("missing", missing), ("unexpected", unexpected)) if paths
    ]
    parts += misfits
    return (ShapeError if misfits and not (missing or unexpected) else ArgumentError)(  # type: ignore[return-value]
        "the state does not fit the model, so nothing was loaded\n  " + "\n  ".join(parts),
        expected="the same names and shapes",
        cure="load it into a model built alike; strict=False passes over missing and unexpected names",
    )


def copy(module: M, memo: dict[int, Any]) -> M:
    """A copy of the module that shares nothing with it."""
    made = type(module).__new__(type(module))
    memo[id(module)] = made
    for name, value in vars(module).items():
        if name in ("_parent", "_name", "_path", "_found"):
            continue  # the copy has another home, or none
        setattr(made, name, copying.deepcopy(value, memo))
    return made
