"""Linear and bilinear maps, and the distances of two inputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from weft.errors import ArgumentError, ShapeError
from weft.graph.dtype import dtype as data_type
from weft.graph.dtype import float32
from weft.nn import functional
from weft.nn.check import positive, sizes
from weft.nn.module import Module
from weft.nn.parameter import Parameter
from weft.nn.registry import register
from weft.tensor import Tensor


@register
class Linear(Module):
    """y = x Wᵀ + b: ``Linear(4, 16)`` takes 4 features to 16; ``Linear(16)`` or ``Linear(None, 16)`` learns the 4
    from its first input.

    Shapes: x (…, in_features), weight (out_features, in_features), bias (out_features,), y (…, out_features).

    >>> import weft as wf
    >>> from weft import nn
    >>> nn.Linear(4, 16)(wf.zeros((8, 4))).shape
    (8, 16)
    """

    def __init__(
        self,
        *features: int | None,
        bias: Any = True,
        weight_init: str | Callable[..., Tensor] = "fan_uniform",
        bias_init: str | Callable[..., Tensor] = "fan_uniform",
        dtype: Any = float32,
    ) -> None:
        if len(features) not in (1, 2):
            raise ArgumentError(
                f"Linear{features}", expected="one or two sizes", cure="nn.Linear(4, 16), or nn.Linear(16)"
            )
        known = [n for k, n in enumerate(features) if n is not None or k == len(features) - 1]
        sizes("Linear", 1, features=tuple(known))
        self.in_features = known[0] if len(known) == 2 else None
        self.out_features: int = known[-1]  # type: ignore[assignment]  # no None, as checked above
        self.weight_init, self.bias_init, self.dtype = weight_init, bias_init, data_type(dtype)
        self.weight = Parameter.drawn(None, weight_init, dtype=dtype)
        self.bias = Parameter.drawn(None, bias_init, dtype=dtype) if bias else None
        self._sized = self.in_features is not None
        if self.in_features is not None:
            self._shape(self.in_features)

    @property
    def features(self) -> tuple[int, ...]:
        """The sizes as the constructor takes them."""
        return (self.out_features,) if self.in_features is None else (self.in_features, self.out_features)

    def infer(self, x: Tensor) -> None:
        if x.ndim == 0:
            raise ShapeError("a scalar as the input of Linear", expected="(…, features)", cure="x.reshape(1, 1)")
        self.in_features = x.shape[-1]
        self._shape(x.shape[-1])

    def _shape(self, in_features: int) -> None:
        self.weight.shaped((self.out_features, in_features))
        if self.bias is not None:
            self.bias.shaped((self.out_features,), fan_in=in_features)

    def forward(self, x: Any) -> Tensor:
        return functional.linear(x, self.weight, self.bias)

    def extra_repr(self) -> str:
        known = "?" if self.in_features is None else self.in_features
        return f"in_features={known}, out_features={self.out_features}, bias={self.bias is not None}"


@register
class Bilinear(Module):
    """yₖ = aᵀ Wₖ b + biasₖ: ``Bilinear(4, 5, 16)`` takes 4 and 5 features to 16; ``Bilinear(16)`` learns the others.

    Shapes: a (…, in1_features), b (…, in2_features), weight (out_features, in1_features, in2_features).

    >>> import weft as wf
    >>> from weft import nn
    >>> nn.Bilinear(4, 5, 16)(wf.zeros((8, 4)), wf.zeros((8, 5))).shape
    (8, 16)
    """

    in1_features: int | None
    in2_features: int | None

    def __init__(
        self,
        *features: int,
        bias: Any = True,
        weight_init: str | Callable[..., Tensor] = "fan_uniform",
        bias_init: str | Callable[..., Tensor] = "fan_uniform",
        dtype: Any = float32,
    ) -> None:
        if len(features) not in (1, 3):
            raise ArgumentError(
                f"Bilinear{features}", expected="one or three sizes", cure="nn.Bilinear(4, 5, 16), or nn.Bilinear(16)"
            )
        sizes("Bilinear", 1, features=features)
        self.in1_features, self.in2_features = features[:2] if len(features) == 3 else (None, None)
        self.out_features = features[-1]
        self.weight_init, self.bias_init, self.dtype = weight_init, bias_init, data_type(dtype)
        self.weight = Parameter.drawn(None, weight_init, dtype=dtype)
        self.bias = Parameter.drawn(None, bias_init, dtype=dtype) if bias else None
        self._sized = len(features) == 3
        if self._sized:
            self._shape(*features[:2])

    @property
    def features(self) -> tuple[int, ...]:
        """The sizes as the constructor takes them."""
        if self.in1_features is None or self.in2_features is None:
            return (self.out_features,)
        return self.in1_features, self.in2_features, self.out_features

    def infer(self, a: Tensor, b: Tensor) -> None:
        if a.ndim == 0 or b.ndim == 0:
            raise ShapeError("a scalar as an input of Bilinear", expected="(…, features)", cure="x.reshape(1, 1)")
        self.in1_features, self.in2_features = a.shape[-1], b.shape[-1]
        self._shape(a.shape[-1], b.shape[-1])

    def _shape(self, first: int, second: int) -> None:
        self.weight.shaped((self.out_features, first, second), fan_in=first)
        if self.bias is not None:
            self.bias.shaped((self.out_features,), fan_in=first)

    def forward(self, a: Any, b: Any) -> Tensor:
        return functional.bilinear(a, b, self.weight, self.bias)

    def extra_repr(self) -> str:
        known = ["?" if n is None else n for n in (self.in1_features, self.in2_features)]
        text = f"in1_features={known[0]}, in2_features={known[1]}, out_features={self.out_features}"
        return f"{text}, bias={self.bias is not None}"


@register
class CosineSimilarity(Module):
    """The cosine of the angle between two inputs along ``axis``, their lengths held above ``eps``.

    >>> import weft as wf
    >>> from weft import nn
    >>> nn.CosineSimilarity()(wf.tensor([[1.0, 0.0]]), wf.tensor([[0.0, 2.0]])).tolist()
    [0.0]
    """

    def __init__(self, axis: int = 1, eps: float = 1e-8) -> None:
        positive("CosineSimilarity", eps=eps)
        self.axis, self.eps = axis, eps

    def forward(self, a: Any, b: Any) -> Tensor:
        return functional.cosine_similarity(a, b, self.axis, self.eps)

    def extra_repr(self) -> str:
        return f"axis={self.axis}, eps={self.eps}"


@register
class PairwiseDistance(Module):
    """‖a − b + ε‖ₚ over the last axis of two inputs.

    >>> import weft as wf
    >>> from weft import nn
    >>> nn.PairwiseDistance(eps=0.0)(wf.tensor([[3.0, 0.0]]), wf.tensor([[0.0, 4.0]])).tolist()
    [5.0]
    """

    def __init__(self, p: float = 2.0, eps: float = 1e-6, keepdims: bool = False) -> None:
        if not isinstance(p, int | float) or not p >= 0:
            raise ArgumentError(f"PairwiseDistance: p={p!r}", expected="p ≥ 0")
        self.p, self.eps, self.keepdims = p, eps, keepdims

    def forward(self, a: Any, b: Any) -> Tensor:
        return functional.pairwise_distance(a, b, self.p, self.eps, self.keepdims)

    def extra_repr(self) -> str:
        return f"p={self.p}" + (", keepdims=True" if self.keepdims else "")
