"""The affine map, and class numbers as rows of zeros and a one."""

from __future__ import annotations

from typing import Any

from weft.errors import ShapeError
from weft.graph.function import function
from weft.graph.op import floating
from weft.ops import linalg, searching
from weft.tensor import Tensor, as_tensor


@function(takes=floating)
def _linear(x: Any, weight: Any, *bias: Any) -> Any:
    if weight.ndim == 1:  # one output, without an axis of its own
        y = _linear(x, weight.expand_dims(axis=0)).squeeze(-1)
        return with_bias(y, bias[0]) if bias else y
    if weight.ndim != 2:
        raise ShapeError(f"linear: a weight of shape {weight.shape}", expected="(outputs, inputs) or (inputs,)")
    if x.ndim == 0 or x.shape[-1] != weight.shape[1]:
        raise ShapeError(
            f"an input of shape {x.shape} for a weight of shape {weight.shape} (outputs, inputs)",
            expected=f"(…, {weight.shape[1]})" + (f": the last axis has size {x.shape[-1]}" if x.ndim else ""),
            cure=f"nn.Linear({x.shape[-1] if x.ndim else '…'}, {weight.shape[0]}), or x.reshape(…)",
        )
    rows = x.reshape(1, -1) if x.ndim == 1 else x
    y = linalg.dot(rows, weight, ta=False, tb=True)
    y = y.reshape(weight.shape[0]) if x.ndim == 1 else y
    return with_bias(y, bias[0]) if bias else y


def with_bias(y: Any, bias: Any) -> Any:
    """The results plus a bias that broadcasts to them, never the other way round."""
    if bias.ndim > y.ndim or any(b not in (1, n) for b, n in zip(bias.shape[::-1], y.shape[::-1], strict=False)):
        raise ShapeError(
            f"a bias of shape {bias.shape} for results of shape {y.shape}",
            expected=f"one for each output: {y.shape[-1:]}",
        )
    return y + bias


def linear(x: Any, weight: Any, bias: Any = None) -> Tensor:
    """Affine map: y = x Wᵀ + b for x (…, inputs), W (outputs, inputs), b (outputs,). With W (inputs,), y is (…).

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> F.linear(wf.tensor([[1.0, 2.0]]), wf.tensor([[3.0, 4.0]]), wf.tensor([5.0])).tolist()
    [[16.0]]
    """
    y: Tensor = _linear(x, weight) if bias is None else _linear(x, weight, bias)
    return y


def one_hot(x: Any, classes: int | None = None) -> Tensor:
    """A new last axis of size ``classes`` with 1 at the position that each element names and 0 elsewhere.

    Without ``classes`` there are as many as the largest number, which is then computed, says.
    """
    x = as_tensor(x)
    y: Tensor = searching.one_hot(x, int(x.max()) + 1 if classes is None else classes)
    return y
