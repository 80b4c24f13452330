"""The affine map, and looking up rows of a table."""

from __future__ import annotations

from typing import Any

from weft.errors import DTypeError, ShapeError
from weft.graph.function import function
from weft.graph.op import floating
from weft.nn.functional.labels import check_indices
from weft.ops import linalg, searching
from weft.tensor import Tensor, as_tensor


@function(takes=floating)
def _linear(x: Any, weight: Any, *bias: Any) -> Any:
    if x.ndim == 0 or x.shape[-1] != weight.shape[1]:
        raise ShapeError(
            f"an input of shape {x.shape} for a weight of shape {weight.shape} (outputs, inputs)",
            expected=f"(…, {weight.shape[1]})" + (f": the last axis has size {x.shape[-1]}" if x.ndim else ""),
            cure=f"nn.Linear({x.shape[-1] if x.ndim else '…'}, {weight.shape[0]}), or x.reshape(…)",
        )
    rows = x.reshape(1, -1) if x.ndim == 1 else x
    y = linalg.dot(rows, weight, ta=False, tb=True)
    y = y.reshape(weight.shape[0]) if x.ndim == 1 else y
    return y + bias[0] if bias else y


def linear(x: Any, weight: Any, bias: Any = None) -> Tensor:
    """Affine map: y = x Wᵀ + b for x (…, inputs), W (outputs, inputs), b (outputs,).

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> F.linear(wf.tensor([[1.0, 2.0]]), wf.tensor([[3.0, 4.0]]), wf.tensor([5.0])).tolist()
    [[16.0]]
    """
    y: Tensor = _linear(x, weight) if bias is None else _linear(x, weight, bias)
    return y


def embedding(indices: Any, weight: Any) -> Tensor:
    """The rows of ``weight`` (rows, features) that the whole numbers ``indices`` (…) name: (…, features).

    An index out of range is refused where its value is known, and reads NaN where it is not.

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> F.embedding(wf.tensor([1, 0]), wf.tensor([[1.0, 2.0], [3.0, 4.0]])).tolist()
    [[3.0, 4.0], [1.0, 2.0]]
    """
    at = as_tensor(indices)
    if weight.ndim < 1:
        raise ShapeError("embedding: a weight without axes", expected="(rows, features)")
    if not at.dtype.is_integer:
        raise DTypeError(f"embedding of {at.dtype.name} numbers", expected="whole numbers", cure="x.astype(wf.int64)")
    check_indices(at, weight.shape[0])
    y: Tensor = searching.take(weight, at, axis=0)
    return y


def one_hot(x: Any, classes: int) -> Tensor:
    """A new last axis of size ``classes`` with 1 at the position that each element names and 0 elsewhere."""
    y: Tensor = searching.one_hot(as_tensor(x), classes)
    return y
