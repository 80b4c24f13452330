"""Dropout."""

from __future__ import annotations

from typing import Any

from weft.graph.function import function
from weft.graph.op import Casts, Kind, floating
from weft.ops.comparison import where
from weft.ops.random import uniform_op
from weft.random import key as next_key
from weft.tensor import Tensor


def _key_apart(kinds: tuple[Kind, ...]) -> Casts:
    return (*floating(kinds[:2]), None)


def _rule(g: Any, y: Any, x: Any, p: Any, key: Any) -> tuple[Any, None, None]:
    # Linear in x, so the gradient is the same op on g: the key makes the same choice again, and no mask is kept.
    return _dropout(g, p, key), None, None


@function(takes=_key_apart, vjp=_rule)
def _dropout(x: Any, p: Any, key: Any) -> Any:
    drawn = uniform_op(key, shape=x.shape, dtype=x.dtype)
    return where(drawn < p, 0, x / (1 - p))


def dropout(x: Any, p: Any = 0.5, key: Any = None) -> Tensor:
    """Each element 0 with probability ``p``, else x / (1 − p), so that the mean stays: Srivastava et al. 2014.

    The ``key`` decides which; without one it is the next of `weft.random`. ``p`` may be a tensor, and a new value
    does not compile anew.

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> sorted(set(F.dropout(wf.ones(100), 0.5, wf.random.Generator(0).key()).tolist()))
    [0.0, 2.0]
    """
    y: Tensor = _dropout(x, p, next_key() if key is None else key)
    return y
