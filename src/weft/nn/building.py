"""What a module's call needs besides its forward: inputs, sizes, errors that name the layer, and its picture."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from weft.errors import ArgumentError, DataError, DTypeError, ShapeError, WeftError
from weft.graph.dtype import DType, float32, float64
from weft.graph.node import Handle, wrap
from weft.graph.recording import context
from weft.graph.spec import Spec
from weft.graph.structure import flatten
from weft.nn import state
from weft.nn.parameter import Buffer, Parameter, Sketch
from weft.tensor import Tensor

if TYPE_CHECKING:
    from weft.nn.module import Module

M = TypeVar("M", bound="Module")


def as_input(module: Module, x: Any) -> Any:
    """An input of the whole model as a tensor; NumPy's float64 becomes float32 unless the model is float64 itself.

    A list that holds tensors is several inputs, and stays a list.
    """
    if isinstance(x, Handle) or not (hasattr(x, "__array__") or isinstance(x, list)):
        return x
    if isinstance(x, list) and flatten(x)[0]:
        return [as_input(module, y) for y in x]
    made = Tensor(x)
    if made.dtype is float64:
        first = next(module.parameters(), None)
        wide = first is not None and first.known_dtype is float64
        made = made if wide else Tensor(made.numpy().astype(np.float32))
    return made


class Sizing(threading.local):
    """The modules that have found their sizes in the call under way, and what they were before.

    If the call fails, the input was wrong, and so may be the sizes that were taken from it.
    """

    def __init__(self) -> None:
        self.done: list[Callable[[], None]] = []

    def undo(self) -> None:
        """Make all of them wait for their sizes again."""
        while self.done:
            self.done.pop()()


sizing = Sizing()


def size(module: Module, inputs: Sequence[Any], options: dict[str, Any]) -> None:
    """Let a module that waits for them find its sizes."""
    sizing.done.append(way_back(module))
    module.infer(*positional(module, inputs, options))
    module._sized = True


def positional(module: Module, inputs: Sequence[Any], options: dict[str, Any]) -> Sequence[Any]:
    """The inputs in the order in which ``forward`` takes them, also where they were given by name."""
    try:
        return inspect.signature(module.forward).bind(*inputs, **options).args
    except TypeError as error:
        raise ArgumentError(
            f"{type(module).__name__} called: {error}", expected=f"forward{inspect.signature(module.forward)}"
        ) from None


def way_back(module: Module) -> Callable[[], None]:
    """What makes a module, and those inside it, what they are now."""
    attributes = [(part, dict(vars(part))) for part in module.modules()]
    starts = [(p, p.start) for p in module.parameters() if not p.settled]

    def back() -> None:
        for part, before in attributes:
            vars(part).clear()
            vars(part).update(before)
            state.changed(part)
        for p, start in starts:
            if p.settled:
                p.forget()
            p.start = start

    return back


@contextmanager
def sizes_undone_on_error(module: Module) -> Iterator[None]:
    """Let a module, and those inside it, wait for their sizes again if the block raises: its data was wrong."""
    back = way_back(module)
    try:
        yield
    except BaseException:
        back()
        raise


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
        state.changed(part)
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
    if isinstance(before, Parameter | Buffer) and value is not None:
        place = "parameter" if isinstance(before, Parameter) else "buffer"
        kind = "plain tensor" if isinstance(value, Handle) else type(value).__name__
        raise ArgumentError(
            f"a {kind} in the place of the {place} {name!r}",
            expected="a new value by assignment",
            cure=f"self.{name}.assign(value), or self.{name} = nn.Parameter(value)",
        )
    state.refuse_hidden(name, value)


def refuse_cycle(module: Module, value: Module) -> None:
    """Refuse a member that holds the module itself."""
    if any(part is module for part in value.modules()):
        raise ArgumentError(
            f"{type(value).__name__} in {type(module).__name__}: a module inside itself",
            expected="modules without a cycle",
            cure="copy.deepcopy(module) for a second one that is alike",
        )


def tree(module: Module) -> str:
    """The module and its children, one line each."""
    head = f"{type(module).__name__}({module.extra_repr()}"
    children = list(module.named_children())
    if not children:
        return head + ")"
    lines = [f"({name}): " + repr(child).replace("\n", "\n  ") for name, child in children]
    return head + "\n  " + "\n  ".join(lines) + "\n)"
