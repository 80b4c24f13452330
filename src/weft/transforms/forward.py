"""Forward mode, as people ask for it: Jacobian–vector products, and Hessian–vector products over reverse mode."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from weft.errors import ArgumentError, DTypeError
from weft.graph.forward import push_forward
from weft.graph.function import zero_like
from weft.graph.structure import unflatten
from weft.transforms.reverse import Passed, grad, passed
from weft.transforms.structure import aligned, derivatives, fitting, released


def jvp(f: Callable[..., Any], primals: Any, tangents: Any) -> tuple[Any, Any]:
    """``f(*primals)``, and the derivative J·v of ``f`` there along the direction ``tangents``.

    ``primals`` is the tuple of the arguments (or the one argument); ``tangents`` has its structure, with None for
    what does not move. The second result has the structure of the first, with None for integers. One pass forward,
    nothing kept: cheaper than reverse mode for few inputs and many results, and the only mode for `while_loop`.

    >>> import weft as wf
    >>> y, slope = jvp(lambda x: x**3, (wf.tensor(2.0),), (wf.tensor(1.0),))
    >>> float(y), float(slope)
    (8.0, 12.0)
    """
    args, along = (primals, tangents) if isinstance(primals, tuple | list) else ((primals,), (tangents,))
    if not isinstance(along, tuple | list) or len(along) != len(args):
        given = len(along) if isinstance(along, tuple | list) else type(along).__name__
        raise ArgumentError(f"{given} tangents for {len(args)} arguments", expected="one for each; None for no motion")
    run = passed(f, args)
    found = pushed(run, directions(run, along))
    everything = released([*run.results, *found], run.starts)
    count = len(run.results)
    return unflatten(run.form, everything[:count]), derivatives(run.form, everything[count:])


def directions(run: Passed, tangents: Sequence[Any]) -> list[Any]:
    """For each start its tangent, in its type; None for what does not move."""
    found: list[Any] = [None] * len(run.starts)
    for k, ((form, at), value) in enumerate(zip(run.places, tangents, strict=True)):
        if not at and value is not None:
            raise ArgumentError(f"a tangent for argument {k}, which holds no tensor", expected="None, or a float")
        for place, t in zip(at, aligned(form, value, f"the tangent of argument {k}"), strict=True):
            if t is None:
                continue
            if place is None:
                raise DTypeError(
                    f"a tangent for an integer tensor of argument {k}",
                    expected="None: integers have no derivative",
                )
            (found[place],) = fitting([t], [run.starts[place]], f"a tangent of argument {k}")
    return found


def pushed(run: Passed, tangents: Sequence[Any]) -> list[Any]:
    """The tangents of the results: zeros where nothing moves, None for integers."""
    found = push_forward(run.results, [x.node for x in run.starts], tangents)
    return [
        zero_like(y.node) if t is None and y.dtype.is_differentiable else t
        for t, y in zip(found, run.results, strict=True)
    ]


def hvp(f: Callable[..., Any], x: Any, v: Any) -> Any:
    """The product H·v of the Hessian of the scalar function ``f`` at ``x`` with ``v``, without the Hessian.

    Forward over reverse: the derivative of the gradient along ``v``. ``x`` is a tensor or a structure of tensors,
    ``v`` and the result have its structure.

    >>> import weft as wf
    >>> hvp(lambda x: (x**3).sum(), wf.tensor([1.0, 2.0]), wf.tensor([1.0, 0.5])).tolist()
    [6.0, 6.0]
    """
    return jvp(grad(f), (x,), (v,))[1]
