"""Functions as methods, as people type them who come from NumPy or PyTorch: what is in `weft` under the same name."""

from __future__ import annotations

from typing import Any

from weft.errors import ArgumentError
from weft.graph.node import Handle
from weft.ops import (
    accumulation,
    arithmetic,
    assembling,
    exponential,
    linalg,
    searching,
    sorting,
    statistics,
)
from weft.ops import conversion as converting
from weft.ops import manipulation as arranging
from weft.ops.rules import Axes
from weft.ops.subscript import At
from weft.ops.trigonometry import cos, sin, tanh
from weft.ops.windows import sliding_windows


def _no_out(out: Any) -> None:
    if out is not None:
        raise ArgumentError("out= given to a tensor's method", expected="no out: tensors never change", cure="x = f(x)")


class Methods(Handle):
    """The part of a tensor that is its functions under their own names; axes may be positional, as in NumPy."""

    __slots__ = ()
    __hash__ = object.__hash__

    # ── another shape ───────────────────────────────────────────────────────────────────────────────────────

    def reshape(self, *shape: Any) -> Any:
        return arranging.reshape(self, shape[0] if len(shape) == 1 else shape)

    view = reshape

    def permute_dims(self, *axes: Any) -> Any:
        return arranging.permute_dims(self, axes[0] if len(axes) == 1 and not isinstance(axes[0], int) else axes)

    permute = permute_dims

    def transpose(self, *axes: Any) -> Any:
        """The axes in another order; none named: reversed, as in NumPy."""
        chosen = axes[0] if len(axes) == 1 and not isinstance(axes[0], int) else axes
        rank = len(self.node.spec.shape)
        return arranging.permute_dims(self, tuple(reversed(range(rank))) if chosen in ((), None) else chosen)

    def ravel(self) -> Any:
        return arranging.reshape(self, (-1,))

    def unsqueeze(self, axis: int) -> Any:
        return arranging.expand_dims(self, axis=axis)

    def broadcast_to(self, *shape: Any) -> Any:
        return arranging.broadcast_to(self, shape[0] if len(shape) == 1 else shape)

    def flip(self, axis: Axes = None) -> Any:
        return arranging.flip(self, axis=axis)

    def roll(self, shift: Any, axis: Axes = None) -> Any:
        return arranging.roll(self, shift, axis=axis)

    def repeat(self, repeats: Any, axis: int | None = None) -> Any:
        return assembling.repeat(self, repeats, axis=axis)

    def unfold(self, axis: int, size: int, step: int) -> Any:
        """The windows of ``size`` elements along ``axis``, ``step`` apart, on a new last axis."""
        return sliding_windows(self, size, axis=axis, step=step)

    def split(self, parts: Any, axis: int = 0) -> Any:
        return assembling.split(self, parts, axis=axis)

    flatten, squeeze, expand_dims, tile = (
        arranging.flatten,
        arranging.squeeze,
        arranging.expand_dims,
        assembling.tile,
    )
    moveaxis, swapaxes = arranging.moveaxis, arranging.swapaxes

    # ── over axes ───────────────────────────────────────────────────────────────────────────────────────────

    def sum(self, axis: Axes = None, dtype: Any = None, out: Any = None, *, keepdims: bool = False) -> Any:
        _no_out(out)
        return statistics.sum(self, axis=axis, dtype=dtype, keepdims=keepdims)

    def prod(self, axis: Axes = None, dtype: Any = None, out: Any = None, *, keepdims: bool = False) -> Any:
        _no_out(out)
        return statistics.prod(self, axis=axis, dtype=dtype, keepdims=keepdims)

    def mean(self, axis: Axes = None, dtype: Any = None, out: Any = None, *, keepdims: bool = False) -> Any:
        _no_out(out)
        return statistics.mean(self if dtype is None else self.astype(dtype), axis=axis, keepdims=keepdims)  # type: ignore[attr-defined]

    def var(
        self,
        axis: Axes = None,
        dtype: Any = None,
        out: Any = None,
        ddof: float = 0,
        *,
        correction: float | None = None,
        keepdims: bool = False,
    ) -> Any:
        _no_out(out)
        x: Any = self if dtype is None else self.astype(dtype)  # type: ignore[attr-defined]
        return statistics.var(x, axis=axis, correction=ddof if correction is None else correction, keepdims=keepdims)

    def std(
        self,
        axis: Axes = None,
        dtype: Any = None,
        out: Any = None,
        ddof: float = 0,
        *,
        correction: float | None = None,
        keepdims: bool = False,
    ) -> Any:
        return exponential.sqrt(self.var(axis, dtype, out, ddof, correction=correction, keepdims=keepdims))

    def max(self, axis: Axes = None, out: Any = None, *, keepdims: bool = False) -> Any:
        _no_out(out)
        return statistics.max(self, axis=axis, keepdims=keepdims)

    def min(self, axis: Axes = None, out: Any = None, *, keepdims: bool = False) -> Any:
        _no_out(out)
        return statistics.min(self, axis=axis, keepdims=keepdims)

    def any(self, axis: Axes = None, out: Any = None, *, keepdims: bool = False) -> Any:
        _no_out(out)
        return statistics.any(self, axis=axis, keepdims=keepdims)

    def all(self, axis: Axes = None, out: Any = None, *, keepdims: bool = False) -> Any:
        _no_out(out)
        return statistics.all(self, axis=axis, keepdims=keepdims)

    def argmax(self, axis: int | None = None, out: Any = None, *, keepdims: bool = False) -> Any:
        _no_out(out)
        return statistics.argmax(self, axis=axis, keepdims=keepdims)

    def argmin(self, axis: int | None = None, out: Any = None, *, keepdims: bool = False) -> Any:
        _no_out(out)
        return statistics.argmin(self, axis=axis, keepdims=keepdims)

    def logsumexp(self, axis: Axes = None, *, keepdims: bool = False) -> Any:
        return statistics.logsumexp(self, axis=axis, keepdims=keepdims)

    def argsort(self, axis: int = -1, *, descending: bool = False) -> Any:
        return sorting.argsort(self, axis=axis, descending=descending)

    def sort(self, axis: int = -1, *, descending: bool = False) -> Any:
        """The elements in order, as a new tensor."""
        return sorting.sort(self, axis=axis, descending=descending)

    def cumulative_sum(self, axis: int | None = None, **options: Any) -> Any:
        return accumulation.cumulative_sum(self, axis=axis, **options)

    def cumsum(self, axis: int | None = None) -> Any:
        return accumulation.cumulative_sum(self if axis is not None else self.ravel(), axis=axis)

    def cumprod(self, axis: int | None = None) -> Any:
        return accumulation.cumulative_prod(self if axis is not None else self.ravel(), axis=axis)

    # ── elements ────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def at(self) -> At:
        """``x.at[key].set(value)``, ``.add``, ``.min``, ``.max``: a new tensor with that place changed."""
        return At(self)

    def take(self, indices: Any, axis: int | None = None) -> Any:
        return searching.take(self if axis is not None else self.ravel(), indices, axis=axis)

    def nonzero(self) -> Any:
        return searching.nonzero(self)

    def clip(self, min: Any = None, max: Any = None) -> Any:
        return arithmetic.clip(self, min, max)

    def round(self, decimals: int = 0) -> Any:
        """The nearest whole numbers, or numbers with so many decimals."""
        scale = 10.0**decimals
        return arithmetic.round(self) if decimals == 0 else arithmetic.round(self * scale) / scale  # type: ignore[operator]

    def conj(self) -> Any:
        return converting.conj(self)

    def dot(self, other: Any) -> Any:
        return linalg.matmul(self, other)

    def copy(self) -> Any:
        """A tensor of the same value with a name of its own: assigning to one leaves the other as it is."""
        return converting.real(self) if self.node.spec.dtype.kind == "bool" else arithmetic.positive(self)

    clone = copy

    def abs(self) -> Any:
        return arithmetic.abs(self)

    def exp(self) -> Any:
        return exponential.exp(self)

    def log(self) -> Any:
        return exponential.log(self)

    def sqrt(self) -> Any:
        return exponential.sqrt(self)

    def square(self) -> Any:
        return arithmetic.square(self)

    def pow(self, exponent: Any) -> Any:
        return exponential.power(self, exponent)

    def sigmoid(self) -> Any:
        return exponential.sigmoid(self)

    def relu(self) -> Any:
        return exponential.relu(self)

    def tanh(self) -> Any:
        return tanh(self)

    def sin(self) -> Any:
        return sin(self)

    def cos(self) -> Any:
        return cos(self)
