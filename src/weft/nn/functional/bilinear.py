"""The bilinear map of two inputs."""

from __future__ import annotations

from typing import Any

from weft.errors import ShapeError
from weft.graph.function import function
from weft.graph.op import floating
from weft.nn.functional.linear import with_bias
from weft.ops import linalg
from weft.tensor import Tensor


@function(takes=floating)
def _bilinear(a: Any, b: Any, weight: Any, *bias: Any) -> Any:
    outputs, first, second = weight.shape
    if a.ndim < 1 or a.shape[:-1] != b.shape[:-1] or (a.shape[-1], b.shape[-1]) != (first, second):
        raise ShapeError(
            f"bilinear: inputs of shapes {a.shape} and {b.shape} for a weight of shape {weight.shape}",
            expected=f"(…, {first}) and (…, {second}) with the same leading axes",
        )
    # One product for all outputs, of which each row's is then paired with the second input.
    flat = weight.permute_dims(1, 0, 2).reshape(first, outputs * second)
    products = linalg.dot(a.reshape(-1, first), flat, ta=False, tb=False).reshape(-1, outputs, second)
    y = (products * b.reshape(-1, 1, second)).sum(axis=-1).reshape(*a.shape[:-1], outputs)
    return with_bias(y, bias[0]) if bias else y


def bilinear(a: Any, b: Any, weight: Any, bias: Any = None) -> Tensor:
    """yₖ = aᵀ Wₖ b + biasₖ for a (…, first), b (…, second), W (outputs, first, second), bias (outputs,).

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> F.bilinear(wf.tensor([1.0, 2.0]), wf.tensor([3.0]), wf.tensor([[[1.0], [10.0]]])).tolist()
    [63.0]
    """
    y: Tensor = _bilinear(a, b, weight) if bias is None else _bilinear(a, b, weight, bias)
    return y
