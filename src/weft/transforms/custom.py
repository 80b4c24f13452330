"""Functions that come with a gradient of their own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from itertools import takewhile
from typing import Any

from weft.errors import ArgumentError, GradientError, ShapeError
from weft.graph.closure import Closure, reorder
from weft.graph.function import zero_like
from weft.graph.gradient import fitted
from weft.graph.node import Node, wrap
from weft.graph.recording import context, prune
from weft.graph.structure import LEAF, flatten, unflatten
from weft.ops.calling import custom_op
from weft.tensor import Tensor
from weft.transforms.bodies import record_body
from weft.transforms.structure import aligned, leaf_count, leaves_of, tensors
from weft.transforms.tracked import conjugated


def custom_gradient(f: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator: ``f`` returns its result and the function that takes the result's cotangent back to the arguments.

    ``backward(g)`` (``backward(g1, g2, …)`` where the result is a tuple) returns the cotangents of the positional
    arguments in their order: one alone, or a tuple; None where there is no gradient. Objects without tensors (self)
    have none, and those of numbers at the end can be left out. It is written in tensors, may use what ``f`` computed,
    and is differentiated for higher derivatives. Tensors that need a gradient must come in as positional arguments.
    Floats and arrays among the arguments are run-time values; integers, truths and everything else are static.

    >>> import weft as wf
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
        recording = Recording(name, f, args, form)
        operands = [(t.node.spec, t.dtype.is_differentiable) for t in leaves]
        purpose = f"the function {name} with a gradient of its own"
        closure = record_body(recording.body, operands, lambda values: [values], purpose)
        fixed = _captured(closure, recording, leaves)
        graphs = _graphs(closure, len(leaves), len(recording.results), recording.cotangents)
        wanted = recording.wanted + (False,) * (len(leaves) - len(recording.wanted) + len(fixed))
        made = custom_op(*leaves, *fixed, graph=graphs[0], pullback=graphs[1], wanted=wanted)
        return unflatten(recording.form, made)

    return with_gradient


class Recording:
    """One recording of such a function and of its way back; the cotangents are inputs that come up in its course."""

    def __init__(self, name: str, f: Callable[..., Any], args: Sequence[Any], arguments: Any) -> None:
        self.name, self.f, self.arguments = name, f, arguments
        self.forms: tuple[Any, ...] = arguments[1][0][1]  # of the positional arguments
        holders = [(form, x) for form, x in zip(self.forms, args, strict=True) if leaf_count(form)]
        self.takers = [form for form, _ in holders]  # those that may have a cotangent
        self.numbers_last = len(list(takewhile(lambda h: isinstance(h[1], float | complex), reversed(holders))))
        self.positional = sum(map(leaf_count, self.forms))
        self.wanted: tuple[bool, ...] = ()
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
        self.wanted = tuple(x.dtype.is_differentiable for x in targets)
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
        node = Node(None, (), (), y.node.spec, trace, 0, True, None)
        node.number = trace.slot(node, node)
        self.cotangents.append(node)
        return conjugated(wrap(node))

    def _aligned(self, found: Any) -> list[Any]:
        """What ``backward`` returned, for each tensor among the positional arguments."""
        whole = len(self.takers) == 1 and self.takers[0] is not LEAF  # the one argument is a structure
        parts = list(found) if isinstance(found, tuple | list) and not whole else [found]
        forms = self.forms if len(parts) == len(self.forms) else self.takers
        least = len(self.takers) - self.numbers_last
        if len(parts) != len(forms) and not least <= len(parts) <= len(forms):
            raise GradientError(
                f"the backward function of {self.name} returned {len(parts)} cotangents",
                expected=f"{least}: one for each positional argument that holds a tensor",
                cure="return " + (", ".join(f"g{k}" for k in range(least)) or "()") + "    # None: no gradient",
            )
        parts += [None] * (len(forms) - len(parts))
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


def _captured(closure: Closure, recording: Recording, leaves: Sequence[Tensor]) -> list[Any]:
    """The tensors from outside that the function reads; one that needs a gradient is refused."""
    name = recording.name
    if closure.written:
        raise ArgumentError(
            f"{name} assigns a tensor from outside", expected="a function that returns what it computes"
        )
    cotangents = set(map(id, recording.cotangents))
    fixed = [h for h in closure.captured if id(h) not in cotangents]
    for h in [*fixed, *leaves[recording.positional :]]:
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
