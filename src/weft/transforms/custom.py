"""Functions that come with a gradient of their own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

from weft.errors import ArgumentError, GradientError, ShapeError
from weft.graph.closure import Closure, reorder
from weft.graph.function import zero_like
from weft.graph.gradient import fitted
from weft.graph.node import Node, wrap
from weft.graph.recording import context, prune
from weft.graph.spec import Spec
from weft.graph.structure import LEAF, flatten, unflatten
from weft.ops.calling import custom_op
from weft.tensor import Tensor
from weft.transforms.bodies import record_body
from weft.transforms.reverse import conjugated
from weft.transforms.structure import aligned, leaf_count, leaves_of, tensors


def custom_gradient(f: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator: ``f`` returns its result and the function that takes the result's cotangent back to the arguments.

    ``backward(g)`` (``backward(g1, g2, …)`` where the result is a tuple) returns the cotangent of each tensor among
    the positional arguments: one alone, or a tuple; None where there is no gradient. Numbers have none, or None in
    their place. It is written in tensors, may use what ``f`` computed, and is differentiated for higher derivatives.
    Tensors that need a gradient must come in as arguments. Floats and arrays among the arguments are run-time values.

    >>> import weft as wf
    >>> from weft.transforms import custom_gradient
    >>> @custom_gradient
    ... def log1pexp(x):
    ...     e = wf.exp(x)
    ...     return wf.log(1 + e), lambda g: g * (1 - 1 / (1 + e))
    >>> float(wf.grad(log1pexp)(wf.tensor(100.0)))
    1.0
    """
    name = getattr(f, "__name__", type(f).__name__)

    @wraps(f, updated=())
    def with_gradient(*args: Any, **kwargs: Any) -> Any:
        leaves, form = flatten(tensors((args, kwargs)))
        recording = Recording(name, f, form)
        operands = [(t.node.spec, t.dtype.is_differentiable) for t in leaves]
        purpose = f"the function {name} with a gradient of its own"
        closure = record_body(recording.body, operands, lambda values: [values], purpose)
        fixed = _captured(closure, name, leaves, recording.positional)
        graphs = _graphs(closure, len(leaves), len(recording.results), recording.cotangents)
        smooth = recording.smooth + (False,) * (len(leaves) - len(recording.smooth) + len(fixed))
        made = custom_op(*leaves, *fixed, graph=graphs[0], pullback=graphs[1], smooth=smooth)
        return unflatten(recording.form, made)

    return with_gradient


class Recording:
    """One recording of such a function and of its way back; the cotangents are inputs that come up in its course."""

    def __init__(self, name: str, f: Callable[..., Any], arguments: Any) -> None:
        self.name, self.f, self.arguments = name, f, arguments
        self.forms: tuple[Any, ...] = arguments[1][0][1]  # of the positional arguments
        self.positional = sum(map(leaf_count, self.forms))
        self.smooth: tuple[bool, ...] = ()
        self.cotangents: list[Node] = []
        self.results: list[Tensor] = []
        self.form: Any = None

    def body(self, values: list[Tensor]) -> list[Any]:
        args, kwargs = unflatten(self.arguments, values)
        made = self.f(*args, **kwargs)
        if not isinstance(made, tuple) or len(made) != 2 or not callable(made[1]):
            raise ArgumentError(
                f"{self.name} returned {type(made).__name__}",
                expected="its result and a function of the result's cotangent",
                cure="return y, lambda g: g * slope",
            )
        self.results, self.form = leaves_of(made[0], f"the result of {self.name}")
        given = unflatten(self.form, [self._cotangent(y) for y in self.results])
        found = made[1](*given) if isinstance(given, tuple) else made[1](given)
        targets = values[: self.positional]
        self.smooth = tuple(x.dtype.is_differentiable for x in targets)
        parts = [
            self._gradient(x, g)
            for x, g in zip(targets, self._aligned(found), strict=True)
            if x.dtype.is_differentiable
        ]
        return [*self.results, *parts]

    def _cotangent(self, y: Tensor) -> Tensor | None:
        """A new input of the recording: the cotangent of ``y``; None for integers."""
        if not y.dtype.is_differentiable:
            return None
        trace = context.recording
        node = Node(None, (), (), y.node.spec, trace, 0, True, None, context.path)
        node.number = trace.slot(node, node)
        self.cotangents.append(node)
        return conjugated(wrap(node))

    def _aligned(self, found: Any) -> list[Any]:
        """What ``backward`` returned, for each tensor among the positional arguments."""
        parts = list(found) if isinstance(found, tuple | list) and len(self.forms) != 1 else [found]
        if isinstance(found, tuple | list) and len(self.forms) == 1 and self.forms[0] is LEAF:
            parts = list(found)
        with_tensors = [form for form in self.forms if leaf_count(form)]
        forms = self.forms if len(parts) == len(self.forms) else with_tensors
        if len(parts) != len(forms):
            counts = sorted({len(self.forms), len(with_tensors)}, reverse=True)
            raise GradientError(
                f"the backward function of {self.name} returned {len(parts)} cotangents",
                expected=" or ".join(map(str, counts)) + ": one for each tensor among the positional arguments",
                cure="return ga, gb    # None for an argument without a gradient",
            )
        what = f"what the backward function of {self.name} returned"
        return [g for form, part in zip(forms, parts, strict=True) for g in aligned(form, part, what)]

    def _gradient(self, x: Tensor, g: Any) -> Any:
        if g is None:
            return zero_like(x.node)
        if g.shape != x.shape:
            raise ShapeError(
                f"the backward function of {self.name} returned a cotangent of shape {g.shape} "
                f"for an argument of shape {x.shape}",
                expected="equal shapes",
                cure="g.sum(axis=…) over the axes along which the argument was broadcast",
            )
        return fitted(conjugated(g), x.node.spec)


def _captured(closure: Closure, name: str, leaves: Sequence[Tensor], positional: int) -> list[Any]:
    """The tensors from outside that the function reads; one that needs a gradient is refused."""
    if closure.written:
        raise ArgumentError(
            f"{name} assigns a tensor from outside", expected="a function that returns what it computes"
        )
    fixed = [h for h in closure.captured if type(h) is not Node]
    for h in [*fixed, *leaves[positional:]]:
        if h.node.tracked:
            raise GradientError(
                f"{name} uses a tensor of shape {h.node.spec.shape} that needs a gradient, but does not take it "
                "as a positional argument",
                expected="every tensor that needs a gradient among the positional arguments, so that backward can "
                "return its cotangent",
                where=h.node.place or None,
                cure=f"{name}(x, w), or w.detach() inside if w needs no gradient here",
            )
    return fixed


def _graphs(closure: Closure, arguments: int, results: int, cotangents: Sequence[Node]) -> tuple[Any, Any]:
    """The function's graph, and that of its way back, which takes the cotangents last and computes both."""
    slots = {id(h): arguments + k for k, h in enumerate(closure.captured)}
    late = [slots[id(node)] for node in cotangents]
    early = [k for k in range(len(closure.graph.inputs)) if k not in set(late)]
    total = len(closure.graph.outputs)
    whole = closure.graph
    forward = prune(reorder(prune(_outputs(whole, range(results))), early, range(results)))
    back = prune(reorder(prune(_outputs(whole, range(results, total))), [*early, *late], range(total - results)))
    return forward, back


def _outputs(graph: Any, chosen: Sequence[int]) -> Any:
    return type(graph)(graph.inputs, graph.entries, tuple(graph.outputs[k] for k in chosen), graph.notes)
