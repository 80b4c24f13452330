"""Walking a module's tree, and its state as arrays by name."""

from __future__ import annotations

import copy as copying
import os
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from weft.errors import ArgumentError, FileError, ShapeError
from weft.graph.dtype import DType, bfloat16
from weft.graph.dtype import dtype as data_type
from weft.graph.recording import Trace, context
from weft.nn.parameter import Buffer, LateBuffer, Parameter, Promised
from weft.storage import files
from weft.storage.tensors import read_tensors
from weft.tensor import Tensor, beside

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
    """The tensors of one kind in the whole tree, with their paths as in the state; shared ones once."""
    seen: set[int] = set()
    for path, value in entries(module, kind):
        if id(value) not in seen:
            seen.add(id(value))
            yield path, value


def joined(prefix: str, owner: Module, name: str) -> str:
    """The path of an attribute: a wrapper may give another name, or none, to what it took from a layer."""
    saved = owner._saved_as.get(name, name)
    return f"{prefix}.{saved}" if prefix and saved else prefix or saved


def matching(module: Module, patterns: tuple[str, ...]) -> list[Parameter]:
    """The parameters whose path, or that of a module around them, matches one of the patterns; all, if there are none.

    A pattern that matches nothing is refused.
    """
    if not patterns:
        return list(module.parameters())
    found: dict[int, Parameter] = {}
    paths = [(path, p) for path, p in entries(module, Parameter)]
    for pattern in patterns:
        fits = [p for path, p in paths if any(fnmatchcase(part, pattern) for part in prefixes(path))]
        if not fits:
            close = get_close_matches(pattern, [part for path, _ in paths for part in prefixes(path)], n=1)
            raise ArgumentError(
                f"no parameter matches {pattern!r}",
                expected="a pattern of paths such as 'encoder.*': there are " + ", ".join(path for path, _ in paths),
                cure=repr(close[0]) if close else None,
            )
        found.update((id(p), p) for p in fits)
    return list(found.values())


def mark_recomputed(module: Module, patterns: tuple[str, ...]) -> None:
    """Mark the modules whose path matches a pattern (without one, the children), and no others, as recomputed."""
    named_modules = {path: m for path, m in walk(module, "", set()) if path}
    children = {id(child) for child in module.children}
    chosen = {path for path, m in named_modules.items() if not patterns and id(m) in children}
    for pattern in filter(None, patterns):
        fits = {path for path in named_modules if fnmatchcase(path, pattern)}
        if not fits:
            close = get_close_matches(pattern, named_modules, n=1)
            raise ArgumentError(
                f"no module matches {pattern!r}",
                expected="a pattern of paths: there are " + ", ".join(named_modules),
                cure=repr(close[0]) if close else None,
            )
        chosen |= fits
    for path, m in named_modules.items():
        object.__setattr__(m, "_recomputed", path in chosen)
        changed(m)


def prefixes(path: str) -> list[str]:
    """The path of a parameter, and of each module around it.

    >>> prefixes("blocks.0.weight")
    ['blocks', 'blocks.0', 'blocks.0.weight']
    """
    parts = path.split(".")
    return [".".join(parts[: k + 1]) for k in range(len(parts))]


def fixed(module: Module) -> set[int]:
    """The ids of the parameters inside wrappers that keep them as they are."""
    return {id(p) for owner in module.modules() for name in owner._fixed for p in getattr(owner, name).parameters()}


def set_mode(module: Module, training: bool, seen: set[int]) -> None:
    """Training or evaluation mode for the whole tree; what a wrapper keeps fixed is in evaluation mode always."""
    if not isinstance(training, bool):
        raise ArgumentError(f"train({training!r})", expected="True or False", cure="model.train() or model.eval()")
    if id(module) in seen:
        return
    seen.add(id(module))
    object.__setattr__(module, "training", training)
    if isinstance(context.recording, Trace):
        context.recording.chosen.add((id(module), "training"))
    for name, child in module.named_children():
        set_mode(child, training and name not in module._fixed, seen)


_structure = [0]  # counts every change of any module's attributes, so that what was found can be kept


def changed(module: Module | None = None) -> None:
    """Note that a module, and so those around it, may compute something else or have other parameters now.

    What a function being compiled changes itself is part of it.
    """
    _structure[0] += 1
    while module is not None and not isinstance(context.recording, Trace):
        object.__setattr__(module, "_changes", module._changes + 1)
        module = module._parent() if module._parent is not None else None


def parameters(module: Module) -> tuple[Parameter, ...]:
    """All parameters; looked for again only after a change, as training asks at every step."""
    if module._found[0] != _structure[0]:
        for part in module.modules():
            for name, value in vars(part).items():
                refuse_hidden(name, value)  # what a list has been given since it became an attribute
        object.__setattr__(module, "_found", (_structure[0], tuple(p for _, p in named(module, Parameter))))
    return module._found[1]


FOUND = ("_order", "_found")  # attributes that hold members which are found elsewhere


def refuse_hidden(name: str, value: Any) -> None:
    """Refuse modules and parameters where nobody would train or save them."""
    if name not in FOUND and isinstance(value, list | tuple | dict | set) and (members := hidden(value)):
        kind = "Parameter" if all(isinstance(m, Parameter) for m in members) else "Module"
        container = kind + ("Dict" if isinstance(value, dict) else "List")
        raise ArgumentError(
            f"modules or parameters in a plain {type(value).__name__} in the attribute {name!r}",
            expected="a container that the module can see into",
            cure=f"self.{name} = nn.{container}(…)",
        )


def hidden(value: Any) -> list[Any]:
    """The modules and parameters in lists, tuples, dicts and sets, into which a module does not see."""
    if isinstance(value, Parameter) or (hasattr(value, "named_parameters") and not isinstance(value, type)):
        return [value]
    if isinstance(value, list | tuple | dict | set):
        return [m for part in (value.values() if isinstance(value, dict) else value) for m in hidden(part)]
    return []


def entries(module: Module, kind: type[T] | None = None, prefix: str = "") -> Iterator[tuple[str, T]]:
    """All that is saved, in PyTorch's order: parameters, buffers, children; shared ones under each of their names.

    With ``kind``, only the tensors of that class.
    """
    for wanted in (Parameter, Buffer) if kind is None else (kind,):
        for name, value in list(vars(module).items()):  # a list, as a first use inside the loop keeps its path there
            if isinstance(value, wanted):
                yield joined(prefix, module, name), value  # type: ignore[misc]
    for name, child in module.named_children():
        yield from entries(child, kind, joined(prefix, module, name))


def state_dict(module: Module) -> dict[str, np.ndarray]:
    """Copies, which training does not change, as NumPy arrays by path."""
    parameters(module)  # refuses what is hidden, and would be lost
    held: Iterator[tuple[str, Parameter | Buffer]] = entries(module)
    return {path: np.array(value.numpy()) for path, value in held}


def load_state_dict(module: Module, values: Any, *, strict: bool) -> None:
    """Assign all values, or none and raise one error that lists everything that does not fit."""
    wanted: dict[str, Any] = dict(entries(module))
    arrays = {path: array_of(value) for path, value in read(values).items()}
    there = {id(wanted[path]) for path in arrays if path in wanted}  # one name is enough for a shared tensor
    missing = [path for path, tensor in wanted.items() if path not in arrays and id(tensor) not in there]
    unexpected = [path for path in arrays if path not in wanted]
    misfits = [
        f"{path}: the model has {shape_of(wanted[path])}, the state {array.shape}"
        for path, array in arrays.items()
        if path in wanted and shape_of(wanted[path]) != array.shape
    ]
    misfits += [
        line for path, array in arrays.items() if path in wanted and (line := mistyped(path, wanted[path], array))
    ]
    misfits += torn(wanted, arrays)
    if misfits or (strict and (missing or unexpected)):
        raise misfit(missing if strict else [], unexpected if strict else [], misfits)
    made = [(wanted[path], tensor_for(wanted[path], a)) for path, a in arrays.items() if path in wanted]
    for tensor, value in made:
        take(tensor, value)


def mistyped(path: str, tensor: Parameter | Buffer, array: np.ndarray) -> str | None:
    """What is lost when the numbers become those of the tensor: imaginary parts, fractions, what is no number."""
    ours, kind = type_of(tensor), array.dtype.kind
    if kind in "biuf" or (kind == "V" and array.dtype == bfloat16.numpy):
        whole = ours.is_floating or ours.kind == "complex" or not np.any(array % 1)
    else:
        whole = kind == "c" and ours.kind == "complex"
    return None if whole else f"{path}: the model has {ours.name}, the state {array.dtype.name}"


def torn(wanted: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> list[str]:
    """What is one tensor in the model under several names, and several in the state."""
    first: dict[int, str] = {}
    lines = []
    for path in (path for path in arrays if path in wanted):
        other = first.setdefault(id(wanted[path]), path)
        if other != path and not np.array_equal(arrays[other], arrays[path]):
            lines.append(f"{other} and {path}: one tensor in the model, two different ones in the state")
    return lines


def read(values: Any) -> Mapping[str, Any]:
    """A state: a mapping as it stands, or the arrays of a safetensors file, in which nothing can be executed."""
    if isinstance(values, Mapping):
        return values
    if not isinstance(values, str | os.PathLike):
        raise ArgumentError(
            f"{type(values).__name__} as the state of a model", expected="a mapping of arrays by path, or a path"
        )
    what = "a file in the safetensors format"
    try:
        return read_tensors(files.read(values, what), f"the state {values}")[0]
    except FileError as error:
        error.cure = "safetensors.torch.save_file(model.state_dict(), path) in PyTorch, for a file of torch.save"
        raise


def tensor_for(tensor: Parameter | Buffer, array: np.ndarray) -> Tensor:
    """The numbers in the type, and in the place, of the tensor that is to take them."""
    dtype = type_of(tensor)
    late = isinstance(tensor, Promised | LateBuffer)
    return Tensor(array, dtype) if late else beside(array, tensor, dtype)


def take_types(module: Module, arrays: Mapping[str, np.ndarray]) -> None:
    """Hold each tensor of floating-point numbers in the type that it has in a state."""
    held: Iterator[tuple[str, Parameter | Buffer]] = entries(module)
    for path, tensor in held:
        given = arrays.get(path)
        now = type_of(tensor)
        if given is not None and now.is_floating and (to := data_type(given.dtype)).is_floating and to is not now:
            tensor.cast(to)


def take(tensor: Parameter | Buffer, value: Tensor) -> None:
    """Give the tensor this value; one that has none yet need not find its first one."""
    if isinstance(tensor, Promised | LateBuffer):
        tensor.settle(value)
    else:
        tensor.assign(value)


def type_of(tensor: Parameter | Buffer) -> DType:
    """The data type, without drawing a value."""
    return tensor.known_dtype if isinstance(tensor, Parameter) else tensor.known_spec.dtype


def shape_of(tensor: Parameter | Buffer) -> tuple[int, ...]:
    """The shape, without drawing a value where it is known already."""
    known = tensor.known_shape if isinstance(tensor, Parameter) else tensor.known_spec.shape
    return tensor.shape if known is None else known


def array_of(value: Any) -> np.ndarray:
    """The numbers of a tensor of ours, of PyTorch's, or of anything that NumPy takes."""
    if isinstance(value, Tensor):
        return value.numpy()
    if not hasattr(value, "detach"):
        return np.asarray(value)
    value = value.detach().cpu()
    if str(value.dtype) == "torch.bfloat16":  # which NumPy does not know by itself
        return np.asarray(value.float()).astype(bfloat16.numpy)
    return np.asarray(value)


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
        if name in ("_parent", "_name", "_path", "_found", "_order", "_lock"):
            continue  # the copy has another home, or none
        setattr(made, name, copying.deepcopy(value, memo))
    return made
