"""What a module's call needs besides its forward: inputs, sizes, errors that name the layer, and its picture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from weft.errors import ArgumentError, DataError, DTypeError, ShapeError, WeftError
from weft.graph.dtype import DType, float32, float64
from weft.graph.node import Handle, wrap
from weft.graph.recording import context
from weft.graph.spec import Spec
from weft.nn.parameter import Buffer, Parameter, Sketch
from weft.tensor import Tensor

if TYPE_CHECKING:
    from weft.nn.module import Module

M = TypeVar("M", bound="Module")


def as_input(module: Module, x: Any) -> Any:
    """An input of the whole model as a tensor; NumPy's float64 becomes float32 unless the model is float64 itself."""
    if not hasattr(x, "__array__") and not isinstance(x, list):
        return x
    made = Tensor(x)
    if made.dtype is float64:
        first = next(module.parameters(), None)
        wide = first is not None and first.known_dtype is float64
        made = made if wide else Tensor(made.numpy().astype(np.float32))
    return made


def spec_of(x: Any) -> Spec:
    """The spec that ``x`` is, has, or stands for as the shape of float32 numbers."""
    if isinstance(x, Spec):
        return x
    if isinstance(x, Handle):
        return x.node.spec
    if isinstance(x, tuple | list) and all(isinstance(n, int) for n in x):
        return Spec(tuple(x), float32)
    if hasattr(x, "__array__"):
        made = Tensor(x).node.spec
        return Spec(made.shape, float32) if made.dtype is float64 else made
    raise ArgumentError(
        f"{type(x).__name__} as an input to build for",
        expected="a shape such as (32, 4), a tensor, or an array",
        cure="model.build((32, 4))",
    )


def trace(module: Module, inputs: Sequence[Any], recording: Sketch | None = None) -> Any:
    """Run ``module`` on inputs that have shapes but no values; the result, and no effect on buffers or generators."""
    recording = recording or Sketch("Module.build")
    arguments = [wrap(recording.placeholder(spec_of(x))) for x in inputs]
    with sketching(module, recording):
        return module(*arguments)


@contextmanager
def sketching(module: Module | None, recording: Sketch) -> Iterator[None]:
    """Record the block without values, and with ``module`` in evaluation mode; nothing outside of it changes."""
    modes = [(m, m.training) for m in module.modules()] if module is not None else []
    try:
        if module is not None:
            module.eval()  # a batch of one example is enough for sizes, but not for the variance of a batch
        with context.set(recording=recording, tracking=False, path=""):
            yield
    finally:
        recording.closed = True
        for m, mode in modes:
            object.__setattr__(m, "training", mode)
        for handle, before in recording.writes.values():
            if id(handle) not in recording.stand_ins:
                handle.node = before


def cast(module: M, to: DType) -> M:
    """Hold the floating-point numbers of the whole tree in another data type."""
    if not to.is_floating:
        raise DTypeError(f"a model of {to.name} numbers", expected="a floating-point type: integers have no derivative")
    held: list[Parameter | Buffer] = [*module.parameters(), *module.buffers()]
    for tensor in held:
        tensor.cast(to)
    for part in module.modules():
        object.__setattr__(part, "_casts", part._casts + 1)
        if isinstance(getattr(part, "dtype", None), DType):
            object.__setattr__(part, "dtype", to)
    return module


class Symbolic:
    """What stands for a tensor in a model that is built by calling layers; `weft.nn.symbol` says how."""

    __slots__ = ()

    def applied(self, module: Module, inputs: Sequence[Any], options: dict[str, Any]) -> Any:
        """What stands for the results of ``module``."""
        raise NotImplementedError


def symbolic(module: Module, inputs: Sequence[Any], options: dict[str, Any]) -> Any:
    """What stands for the results of a module if one of its inputs stands for a tensor; else None."""
    for x in (*inputs, *options.values()):
        for part in x if isinstance(x, tuple | list) else (x,):
            if isinstance(part, Symbolic):
                return part.applied(module, inputs, options)
    return None


def explain(error: WeftError, module: Module, inputs: Sequence[Any]) -> None:
    """Add to an error about inputs the innermost layer in which it happened, and where its inputs came from."""
    if not isinstance(error, ShapeError | DTypeError | ArgumentError | DataError) or hasattr(error, "layer"):
        return
    vars(error)["layer"] = module
    lines = [error.where] if error.where else []
    if module.path not in (error.where or ""):
        lines.append(module.path)
    name = type(module).__name__ + (f"({module.extra_repr()})" if not module.children else "")
    lines.append(f"in {name}")
    lines += [f"input {origin(x)}" for x in inputs if isinstance(x, Handle)]
    error.where = "\n".join(lines)


def origin(x: Handle) -> str:
    """The shape of a tensor and which operation made it."""
    node = x.node
    made = f", made by {node.op.name} at {node.place}" if node.op is not None and node.place else ""
    return f"{node.spec!r}{made}"


def refuse(module: Module, name: str, value: Any) -> None:
    """Refuse attributes that look as if they belonged to the module and do not."""
    before = vars(module).get(name)
    if isinstance(value, Handle) and isinstance(before, Parameter | Buffer):
        raise ArgumentError(
            f"a plain tensor in the place of the {type(before).__name__.lower()} {name!r}",
            expected="a new value by assignment",
            cure=f"self.{name}.assign(value), or self.{name} = nn.Parameter(value)",
        )
    if isinstance(value, list | tuple | dict) and not name.startswith("_"):
        members = value.values() if isinstance(value, dict) else value
        if any(isinstance(m, Parameter) or hasattr(m, "named_parameters") for m in members):
            kind = "Module" if any(hasattr(m, "named_parameters") for m in members) else "Parameter"
            container = kind + ("Dict" if isinstance(value, dict) else "List")
            raise ArgumentError(
                f"modules or parameters in a plain {type(value).__name__} in the attribute {name!r}",
                expected="a container that the module can see into",
                cure=f"self.{name} = nn.{container}(…)",
            )


def tree(module: Module) -> str:
    """The module and its children, one line each."""
    head = f"{type(module).__name__}({module.extra_repr()}"
    children = list(module.named_children())
    if not children:
        return head + ")"
    lines = [f"({name}): " + repr(child).replace("\n", "\n  ") for name, child in children]
    return head + "\n  " + "\n  ".join(lines) + "\n)"
