"""Memory for time: a function whose intermediate values are computed again on the way back."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from weft.graph.structure import flatten, unflatten
from weft.ops.calling import checkpoint_op
from weft.transforms.bodies import assign_all, record_body
from weft.transforms.structure import tensors


def checkpoint(f: Callable[..., Any]) -> Callable[..., Any]:
    """``f``, of which only arguments and results are kept for the gradient; the rest is computed again on the way back.

    The memory of a deep network then grows with its layers' inputs instead of all their intermediate values, for
    about a third more time. Values and gradients are the same; random numbers too, as they derive from the same key.
    Parameters that ``f`` uses get their gradients. Floats and arrays among the arguments are run-time values;
    integers, truths and everything else are static.

    >>> import weft as wf
    >>> x = wf.tensor(0.5, requires_grad=True)
    >>> y = checkpoint(lambda x: x.exp().exp())(x)
    >>> bool(abs(wf.gradients(y, x) - y * x.exp()) < 1e-5)
    True
    """

    @wraps(f, updated=())
    def recomputed(*args: Any, **kwargs: Any) -> Any:
        leaves, form = flatten(tensors((args, kwargs)))

        def call(args: Any, kwargs: Any) -> Any:
            return tensors(f(*args, **kwargs))

        operands = [(t.node.spec, t.node.tracked) for t in leaves]
        closure = record_body(call, operands, lambda arguments: unflatten(form, arguments), "a checkpointed function")
        made = checkpoint_op(*leaves, *closure.captured, graph=closure.graph)
        assign_all(closure.written, made[closure.results :])
        return unflatten(closure.structure, made[: closure.results])

    return recomputed
