"""Python functions recorded as the bodies of ops: what loops, branches and the transforms of whole functions share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from weft.errors import ValueNeededError
from weft.graph.closure import Closure, close_over
from weft.graph.derived import record_graph
from weft.graph.function import inline
from weft.graph.recording import Recording, context
from weft.graph.source import user_source
from weft.graph.spec import Spec
from weft.ops.random import fold_in
from weft.random import Generator, generator
from weft.tensor import Tensor


class Inherited(Generator):
    """The random numbers of a body: from a key that is drawn outside of it, and the number of the iteration."""

    def __init__(self, recording: Recording, iteration: Tensor | None) -> None:
        self.outer, self.recording, self.iteration = generator(), recording, iteration
        self.root: Tensor | None = None
        self.counter = 0

    def key(self) -> Tensor:
        if self.root is None:
            with context.set(recording=self.recording, generator=self.outer):
                drawn = self.outer.key()
            self.root = drawn if self.iteration is None else fold_in(drawn, self.iteration)
        made: Tensor = fold_in(self.root, self.counter)
        self.counter += 1
        return made


def record_body(
    f: Callable[..., Any],
    operands: Sequence[tuple[Spec, bool]],
    rebuild: Callable[[list[Any]], Sequence[Any]],
    purpose: str,
    *,
    counter: int | None = None,
) -> Closure:
    """Record ``f(*rebuild(operands))``; the operand number ``counter`` tells iterations or examples apart."""
    parent = context.recording

    def body(arguments: list[Any], parts: Sequence[Any]) -> Any:
        drawn = Inherited(parent, None if counter is None else arguments[counter])
        with context.set(generator=drawn):
            return f(*parts)

    closure = close_over(body, operands, lambda arguments: [arguments, rebuild(arguments)], purpose)
    if closure.graded:
        raise ValueNeededError(
            f"{purpose} leaves a gradient in .grad, which would accumulate each time it runs",
            expected="a function that ends with every .grad as it began",
            cure="grads = wf.gradients(loss, parameters) inside, or model.zero_grad() at its end",
        )
    return _with_keys(closure, counter) if closure.keys else closure


def _with_keys(closure: Closure, counter: int | None) -> Closure:
    """The closure with a key drawn now for each generator that the body names itself, folded with the counter."""
    sources = set(map(id, closure.keys))
    places = [closure.arguments + k for k, h in enumerate(closure.captured) if id(h) in sources]
    captured = tuple(h.generator.key() if id(h) in sources else h for h in closure.captured)  # type: ignore[attr-defined]

    def folded(*inputs: Any) -> list[Any]:
        each = [fold_in(x, inputs[counter]) if k in places else x for k, x in enumerate(inputs)]  # type: ignore[index]
        return inline(closure.graph, each)

    inputs = list(closure.graph.inputs)
    graph = closure.graph if counter is None else record_graph("a body", folded, inputs)
    return replace(closure, graph=graph, captured=captured, keys=())


def assign_all(handles: Sequence[Any], values: Sequence[Any]) -> None:
    """Give tensors that a body assigns the values with which it ended."""
    for handle, value in zip(handles, values, strict=True):
        context.recording.rebind(handle, handle._leaf(value), user_source())
