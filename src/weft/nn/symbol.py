"""Symbols: what stands for a tensor while a model is put together by calling layers.

A symbol knows its shape, found by sketching each call without computing anything, so what does not fit is refused
on the line that wrote it. `weft.nn.Model` makes a model of the calls between its inputs and outputs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from weft.errors import ArgumentError, ShapeError, ValueNeededError, WeftError
from weft.graph.dtype import dtype as data_type
from weft.graph.dtype import float32
from weft.graph.node import Handle, wrap
from weft.graph.recording import context, whereabouts
from weft.graph.spec import Spec
from weft.graph.structure import flatten, unflatten
from weft.methods import Methods
from weft.nn import building, functional
from weft.nn.lessons import plain
from weft.nn.module import Module
from weft.nn.parameter import Buffer, Parameter, Sketch
from weft.operators import Operators
from weft.ops import assembling, comparison, linalg
from weft.ops.arithmetic import maximum, minimum
from weft.tensor import Tensor

BATCH = 7  # the size of the batch to sketch with
ANY = 256, 288  # of an axis that may have any size, tried twice: nothing that is fixed may follow from it

# What a saved model may ask for by name: nothing else is looked up.
_PLAIN = {name for name, f in vars(Methods).items() if callable(f) and not name.startswith("_")}
METHODS = frozenset(
    (_PLAIN - {"nonzero"}) | {"astype", "detach"} | {name for name, f in vars(Operators).items() if callable(f)}
)
ATTRIBUTES = frozenset({"T", "mT", "real", "imag"})
FUNCTIONS: dict[str, Callable[..., Any]] = {name: getattr(functional, name) for name in functional.__all__}
FUNCTIONS |= {
    f.__name__: f
    for f in (assembling.concat, assembling.stack, comparison.where, linalg.matmul, linalg.einsum, maximum, minimum)
}


class Step:
    """One call: what is called, with what, and what comes out.

    ``what`` is None for an input, a module, or a pair such as ("method", "relu"), ("function", f). The specs are
    those with the one size of the axes that may have any, and with the other.
    """

    def __init__(
        self, what: Any, args: tuple[Any, ...], options: dict[str, Any], specs: Sequence[Spec], others: Sequence[Spec]
    ) -> None:
        self.what, self.args, self.options, self.specs, self.others = what, args, options, tuple(specs), tuple(others)

    def __repr__(self) -> str:
        if self.what is None:
            return "Input"
        if isinstance(self.what, Module):
            return type(self.what).__name__
        return getattr(self.what[1], "__name__", str(self.what[1]))


class Symbol(building.Symbolic):
    """What stands for one tensor; made by `Input`, by layers called with symbols, and by operators and methods."""

    __slots__ = ("index", "step")
    __array_ufunc__ = None
    __hash__ = object.__hash__

    def __init__(self, step: Step, index: int = 0) -> None:
        self.step, self.index = step, index

    @property
    def spec(self) -> Spec:
        """The shape and type with which it was sketched."""
        return self.step.specs[self.index]

    @property
    def shape(self) -> tuple[int | None, ...]:
        """The shape; None for the batch, and for what may have any size."""
        pairs = zip(self.spec.shape, self.step.others[self.index].shape, strict=True)
        return tuple(None if (k == 0 and n == BATCH) or n != m else n for k, (n, m) in enumerate(pairs))

    @property
    def ndim(self) -> int:
        return self.spec.ndim

    @property
    def dtype(self) -> Any:
        return self.spec.dtype

    def applied(self, module: Module, inputs: Sequence[Any], options: dict[str, Any]) -> Any:
        return record(module, tuple(inputs), options)

    def __getattr__(self, name: str) -> Any:
        if name in ATTRIBUTES:
            return record(("attribute", name), (self,), {})
        if name in METHODS:
            return lambda *args, **options: record(("method", name), (self, *args), options)
        raise AttributeError(f"a symbol has no attribute {name!r}")

    def _no_value(self, *_: Any, **__: Any) -> Any:
        raise ValueNeededError(
            f"the value of {self!r} is needed, and it has none",
            expected="layers, operators and methods of symbols, or functions by nn.call",
            where=whereabouts(),
            cure="nn.call(wf.where, h > 0, h, 0)",
        )

    __array__ = __bool__ = __float__ = __int__ = __iter__ = __len__ = __index__ = _no_value

    def __repr__(self) -> str:
        return f"Symbol(shape={self.shape}, dtype={self.dtype.name}, from {self.step!r})"


def _operator(name: str) -> Callable[..., Any]:
    def apply(self: Symbol, *others: Any) -> Any:
        return record(("method", name), (self, *others), {})

    apply.__name__ = name
    return apply


for _name in METHODS:
    if _name.startswith("__"):
        setattr(Symbol, _name, _operator(_name))


def Input(shape: int | Sequence[int | None], dtype: Any = float32) -> Symbol:  # noqa: N802
    """The place of an input: ``shape`` is that of one example, without the batch; None is a size of any kind.

    >>> from weft import nn
    >>> x = nn.Input((4,))
    >>> nn.Linear(3)(x).relu().shape
    (None, 3)
    """
    sizes = plain(tuple(shape) if isinstance(shape, tuple | list) else (shape,))
    if any(n is not None and (isinstance(n, bool) or not isinstance(n, int) or n < 1) for n in sizes):
        raise ArgumentError(f"Input: shape={shape!r}", expected="whole numbers ≥ 1, or None", cure="nn.Input((4,))")
    specs = [Spec((BATCH, *(some if n is None else n for n in sizes)), data_type(dtype)) for some in ANY]
    return Symbol(Step(None, (sizes,), {}, specs[:1], specs[1:]))


def call(f: Callable[..., Any], *args: Any, **options: Any) -> Any:
    """A function of tensors applied to symbols: it is called anew whenever the model is.

    Functions of `weft.nn.functional`, and concat, stack, where, matmul, einsum, maximum and minimum, can be saved with
    the model.

    >>> import weft as wf
    >>> from weft import nn
    >>> x = nn.Input((4,))
    >>> nn.call(wf.maximum, x, 0.0).shape
    (None, 4)
    """
    if not callable(f):
        raise ArgumentError(f"nn.call of {f!r}", expected="a function of tensors", cure="nn.call(wf.maximum, x, 0)")
    return record(("function", f), args, options) if symbols((args, options)) else f(*args, **options)


def concat(xs: Sequence[Any], axis: int = 1) -> Any:
    """Tensors or symbols joined along ``axis``, by default the features or channels.

    >>> from weft import nn
    >>> nn.concat([nn.Input((4,)), nn.Input((3,))]).shape
    (None, 7)
    """
    return call(assembling.concat, list(xs), axis=axis)


# ── recording a call ────────────────────────────────────────────────────────────────────────────────────────


def symbols(value: Any) -> list[Symbol]:
    """The symbols in tuples, lists, dicts and slices."""
    if isinstance(value, Symbol):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    return [s for part in value for s in symbols(part)] if isinstance(value, tuple | list) else []


def substitute(value: Any, f: Callable[[Any], Any]) -> Any:
    """The same structure with ``f`` of everything that is in it."""
    if type(value) in (tuple, list):
        return type(value)(substitute(part, f) for part in value)
    if isinstance(value, dict):
        return {k: substitute(part, f) for k, part in value.items()}
    return f(value)


def perform(what: Any, args: Sequence[Any], options: dict[str, Any]) -> Any:
    """Do what a step says, with tensors."""
    if isinstance(what, Module):
        return what(*args, **options)
    kind, name = what
    if kind == "function":
        return name(*args, **options)
    return getattr(args[0], name) if kind == "attribute" else getattr(args[0], name)(*args[1:], **options)


def record(what: Any, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """The symbols of the results of a call, which is sketched to find their shapes."""
    place = whereabouts()
    if any(isinstance(x, Parameter | Buffer) for x in flatten((args, options))[0]):
        raise ArgumentError(
            f"a parameter or buffer in a call of {_said(what)}, which nobody would train or save",
            expected="symbols, numbers and constants",
            where=place,
            cure="a module that holds it and computes with it: x = Scale()(x)",
        )
    try:
        results, others, structure = _sketches(what, args, options)
    except WeftError as error:
        error.where = error.where or place
        raise
    if not results:
        raise ArgumentError(f"a call of {_said(what)} that gives no tensor", where=place)
    step = Step(what, args, options, results, others)
    return unflatten(structure, [Symbol(step, k) for k in range(len(results))])


def _said(what: Any) -> str:
    return repr(Step(what, (), {}, (), ()))


def _sketches(what: Any, args: tuple[Any, ...], options: dict[str, Any]) -> tuple[list[Spec], list[Spec], Any]:
    """The specs of the results with either size of the axes that may have any, and their structure."""
    back = building.way_back(what) if isinstance(what, Module) and not all(m._sized for m in what.modules()) else None
    ys, structure = flatten(_sketched(what, args, options, 0))
    first = [y.node.spec for y in ys]
    if all(x.step.specs == x.step.others for x in symbols((args, options))):
        return first, first, structure
    try:
        ys, _ = flatten(_sketched(what, args, options, 1))
    except WeftError as error:
        if back is None:
            raise
        back()
        raise ArgumentError(
            f"the sizes of {type(what).__name__} would follow from an axis of any size",
            expected="a layer with its sizes, or one whose sizes follow from other axes",
            cure="the size instead of None in nn.Input",
        ) from error
    return first, [y.node.spec for y in ys], structure


def _sketched(what: Any, args: tuple[Any, ...], options: dict[str, Any], which: int) -> Any:
    recording = Sketch("a model of symbols")
    places: dict[tuple[int, int], Handle] = {}

    def stand_in(x: Any) -> Any:
        if not isinstance(x, Symbol):
            return x
        key = id(x.step), x.index
        if key not in places:
            places[key] = wrap(recording.placeholder((x.step.specs, x.step.others)[which][x.index]))
        return places[key]

    given, named = substitute(args, stand_in), substitute(options, stand_in)
    with building.sketching(what if isinstance(what, Module) else None, recording):
        return perform(what, given, named)


def check_input(x: Any, step: Step, which: str) -> Tensor:
    """``x`` if it has the shape of an input."""
    sizes = step.args[0]
    if not isinstance(x, Tensor):
        raise ArgumentError(f"{which}: {x!r}", expected="a tensor or an array", where=context.path or None)
    if x.ndim != len(sizes) + 1 or any(n not in (None, m) for n, m in zip(sizes, x.shape[1:], strict=True)):
        raise ShapeError(
            f"{which} of shape {x.shape}",
            expected="(batch, " + ", ".join("any" if n is None else str(n) for n in sizes) + ")",
            where=context.path or None,
        )
    return x
