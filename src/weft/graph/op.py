"""An op: its name, its shape rule, its lowering and its gradient, in one frozen declaration."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from inspect import Parameter
from inspect import Signature as PythonSignature
from typing import Any

from weft.errors import ArgumentError, DTypeError, WeftError
from weft.graph.dtype import DType, dtype, float32, promote, promote_number
from weft.graph.node import Handle, Node, wrap
from weft.graph.recording import ElsewhereError, Literal, Params, context, whereabouts
from weft.graph.source import user_source
from weft.graph.spec import Spec

Kind = DType | type  # of an operand: a tensor's data type, or the type of a Python number
Casts = tuple[DType | None, ...]  # for each operand, the type it takes; None leaves a tensor as it is
Numbers = tuple[tuple[int, Spec], ...]  # the operands that are Python numbers, and what they become
# What an op does with operands of certain specs, worked out once: how they are cast and whether any tensor has to be,
# which are numbers, the spec of the result, and whether it can be differentiated. A plain tuple unpacks fastest.
Signature = tuple[Casts, bool, Numbers, Spec | tuple[Spec, ...], bool]
_NUMBERS = (float, int, bool, complex)


def alike(kinds: tuple[Kind, ...]) -> Casts:
    """All operands promote to one type."""
    if not kinds:
        return ()
    common: DType | None = None
    for kind in kinds:
        if isinstance(kind, DType):
            common = kind if common is None else promote(common, kind)
    if common is None:
        common = dtype(kinds[0])
    for kind in kinds:
        if not isinstance(kind, DType):
            common = promote_number(common, kind)
    return (common,) * len(kinds)


def floating(kinds: tuple[Kind, ...]) -> Casts:
    """All operands promote to one floating (or complex) type; integers become the default one."""
    common = alike(kinds)[0]
    assert common is not None
    return ((common if common.is_differentiable else float32),) * len(kinds)


def unchanged(kinds: tuple[Kind, ...]) -> Casts:
    """Tensors stay what they are."""
    return tuple(None if isinstance(kind, DType) else dtype(kind) for kind in kinds)


@dataclass(frozen=True, eq=False, repr=False)
class Op:
    """One operation: calling it records it.

    ``shape(*specs, **params)``       the spec of the result (or a tuple of them); raises a lesson when it cannot be
    ``lower(*arrays, **params)``      what XLA does, written with JAX
    ``vjp(g, y, *inputs, **params)``  for the cotangent ``g`` of the result ``y``: one tensor (or None) per input,
                                      in the shape of ``g`` where broadcasting allows; None: no gradient at all
    ``takes``                         how operands promote: `alike`, `floating` or `unchanged`
    ``selective``                     whether ``vjp`` wants ``needed``, which inputs need a gradient
    ``exact``                         whether NumPy gives the same bits as XLA: "moves" for an op that only moves
                                      elements, "part" if it also makes few of many, "whole" for one that is exact for
                                      whole numbers and truth values alone
    ``host``                          the lowering for NumPy, where ``lower`` does not serve both
    ``operands, doc``                 of an op that people call: the names of its operands, and its docstring
    ``example``                       its operands, separated by semicolons, and its result: shown in the docstring

    Operands are positional; static parameters are keywords and hashable.
    """

    name: str
    shape: Callable[..., Spec | tuple[Spec, ...]]
    lower: Callable[..., Any]
    vjp: Callable[..., tuple[Any, ...]] | None = None
    takes: Callable[[tuple[Kind, ...]], Casts] = alike
    selective: bool = False
    exact: str = ""
    host: Callable[..., Any] | None = None
    operands: str = ""
    doc: str = ""
    example: tuple[str, str] | None = None
    signatures: dict[Any, Signature] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.operands:
            names = self.operands.split()
            parameters = [Parameter(name, Parameter.POSITIONAL_ONLY, annotation=Any) for name in names]
            object.__setattr__(self, "__signature__", PythonSignature(parameters, return_annotation=Any))
            object.__setattr__(self, "__name__", self.name)
            object.__setattr__(self, "__doc__", self.doc + self._shown())

    def _shown(self) -> str:
        """The example as a session."""
        if self.example is None:
            return ""
        operands, result = self.example
        given = ", ".join(f"wf.tensor({x})" for x in operands.split("; "))
        return f"\n\n>>> import weft as wf\n>>> wf.{self.name}({given}).tolist()\n{result}\n"

    def __repr__(self) -> str:
        return f"<op {self.name}>"

    def __call__(self, *operands: Any, **params: Any) -> Any:
        here = context.__dict__  # of this thread; looked up once
        recording = here["recording"]
        kinds: list[Any] = []
        refs: list[Any] = []
        nodes: list[Any] = []
        tracked = False
        try:
            for x in operands:
                if isinstance(x, Handle):
                    node = x.node
                    kinds.append(node.spec)
                    nodes.append(node)
                    refs.append(node.number if node.recording is recording else recording.leaf(node, x))
                    if node.tracked:
                        tracked = True
                elif (kind := type(x)) in _NUMBERS:
                    kinds.append(kind)
                    nodes.append(None)
                    refs.append(None)
                else:
                    return self(*map(operand, operands), **params)
            if params:
                static = tuple(params.items())
                signature = self.signatures.get((*kinds, static))
            else:
                static = ()
                signature = self.signatures.get(tuple(kinds))
            casts, changes, numbers, spec, differentiable = signature or self.sign(tuple(kinds), static)
            if changes:
                return self(*map(cast_if_needed, operands, casts), **params)
            keeps = tracked and differentiable and here["tracking"]
            for k, number in numbers:
                if keeps:
                    nodes[k] = leaf = recording.number(operands[k], number)
                    refs[k] = recording.leaf(leaf, operands[k])
                elif here["literal"]:
                    refs[k] = Literal(repr(operands[k]), number.dtype)
                else:
                    refs[k] = recording.number_reference(operands[k], number)
            inputs = tuple(nodes) if keeps else ()
            made = recording.add(self, tuple(refs), static, spec, inputs, user_source(here["path"]))
        except BaseException as error:  # an interruption, too, must not leave half an entry
            recording.mend()
            if isinstance(error, ElsewhereError) and not here["following"]:
                with context.set(recording=error.recording, following=True):  # where its operands are
                    return self(*operands, **params)
            raise
        return wrap(made) if type(made) is Node else tuple(map(wrap, made))

    def sign(self, kinds: tuple[Spec | type, ...], static: Params) -> Signature:
        """Promotion and shape rule for operands of these kinds; refused here is refused where the user wrote it."""
        try:
            if self.operands and len(kinds) != len(self.operands.split()):
                raise ArgumentError(
                    f"{self.name} of {len(kinds)} operands",
                    expected=f"{self.name}({', '.join(self.operands.split())})",
                )
            casts = self.takes(tuple(kind.dtype if isinstance(kind, Spec) else kind for kind in kinds))
            specs = tuple(
                (kind if to is None else Spec(kind.shape, to))
                if isinstance(kind, Spec)
                else Spec((), to or dtype(kind))
                for kind, to in zip(kinds, casts, strict=True)
            )
            result = self.shape(*specs, **dict(static))
        except WeftError as error:
            if error.where is None:
                error.where = f"{self.name}(…), {whereabouts()}"
            raise
        changes = any(
            isinstance(kind, Spec) and to is not None and kind.dtype is not to
            for kind, to in zip(kinds, casts, strict=True)
        )
        first = result if isinstance(result, Spec) else None
        differentiable = self.vjp is not None and (first is None or first.dtype.is_differentiable)
        numbers = tuple((k, spec) for k, (kind, spec) in enumerate(zip(kinds, specs, strict=True)) if kind in _NUMBERS)
        signature = (casts, changes, numbers, result, differentiable)
        if len(self.signatures) > 4096:  # a program of ever new shapes must not grow without bound
            self.signatures.clear()
        self.signatures[(*kinds, static) if static else kinds] = signature
        return signature


def operand(x: Any) -> Any:
    """An operand as a tensor or a Python number."""
    return x if isinstance(x, Handle) or type(x) in _NUMBERS else convert(x)


def cast_if_needed(x: Any, to: DType | None) -> Any:
    return cast_to(x, to) if to is not None and isinstance(x, Handle) and x.node.spec.dtype is not to else x


def tensor_like(x: Any) -> Any:
    """``x`` if it is a tensor, else a tensor of the array, list or number that it is."""
    return x if isinstance(x, Handle) else make_tensor(x)


def convert(x: Any) -> Handle:
    """A tensor from an operand that is neither a tensor nor a Python number; set by `weft.tensor`."""
    raise DTypeError(f"cannot compute with {type(x).__name__}")


def make_tensor(x: Any) -> Handle:
    """A tensor from an array, list or number; set by `weft.tensor`."""
    raise DTypeError(f"cannot compute with {type(x).__name__}")


def cast_to(x: Handle, to: DType) -> Handle:
    """``x`` in another data type; set by `weft.ops.conversion`."""
    raise DTypeError(f"cannot cast to {to}")


def set_conversions(
    *,
    operand: Callable[[Any], Handle] | None = None,
    cast: Callable[[Any, DType], Any] | None = None,
    tensor: Callable[[Any], Handle] | None = None,
) -> None:
    """Fill in the conversions that need tensors and ops: the declared knot of the import order."""
    global convert, cast_to, make_tensor
    convert = operand or convert  # type: ignore[assignment]
    cast_to = cast or cast_to  # type: ignore[assignment]
    make_tensor = tensor or make_tensor  # type: ignore[assignment]
