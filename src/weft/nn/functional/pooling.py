"""Pooling: the maximum, the mean or the p-norm of every window over the last axes of (N, channels, *spatial)."""

from __future__ import annotations

from typing import Any

from weft.errors import ArgumentError, ShapeError
from weft.graph.function import function
from weft.graph.op import floating
from weft.nn.check import positive, spread
from weft.nn.functional.convolution import Pads, Sizes, batched, pads
from weft.ops import pooling
from weft.ops.comparison import where
from weft.ops.exponential import power
from weft.ops.manipulation import squeeze
from weft.ops.windows import span
from weft.tensor import Tensor, as_tensor

# ── arguments ───────────────────────────────────────────────────────────────────────────────────────────────


def check_window(layer: str, window: Sizes, stride: Any, padding: Any, dilation: Any = 1) -> dict[str, Any]:
    """Window, stride, pads and dilation for each axis, refused where they make no sense."""
    step = window if stride is None else spread(layer, "stride", stride, len(window))
    apart = spread(layer, "dilation", dilation, len(window))
    around = pads(layer, padding, window, step, apart)
    if any(max(pair) * 2 > span(k, d) for pair, k, d in zip(around, window, apart, strict=True)):
        raise ArgumentError(
            f"{layer}: padding={padding!r} for a window of {window}", expected="at most half the window"
        )
    return {"window": window, "stride": step, "padding": around, "dilation": apart}


def over(n: int, window: int, stride: int, padding: tuple[int, int], dilation: int) -> int:
    """How far a last, incomplete window reaches past the padding; it must begin before the padding at the end."""
    free = n + sum(padding) - span(window, dilation)
    count = -(-free // stride) + 1
    if (count - 1) * stride >= n + padding[0]:
        count -= 1
    return max(0, (count - 1) * stride - free)


def windows(
    layer: str, x: Tensor, window: Any, stride: Any, padding: Any, dilation: Any = 1, ceil_mode: bool = False
) -> dict[str, Any]:
    """What the ops take; ``beyond`` is how far the last windows reach past the padding."""
    axes = len(window) if isinstance(window, tuple | list) else x.ndim - 2
    if x.ndim != axes + 2 or axes < 1:
        raise ShapeError(f"{layer}: an input of shape {x.shape}", expected="(N, channels, *spatial)")
    made = check_window(layer, spread(layer, "window", window, axes), stride, padding, dilation)
    each = zip(x.shape[2:], *made.values(), strict=True)
    return {**made, "beyond": tuple(over(*one) for one in each) if ceil_mode else (0,) * axes}


def expected_input(axes: int) -> str:
    """The shapes that pooling over ``axes`` takes, for errors."""
    names = ", ".join(("depth", "height", "width")[-axes:] if axes > 1 else ("length",))
    return f"(N, channels, {names})"


def one_batch(layer: str, x: Any, axes: int) -> tuple[Tensor, bool]:
    """``x`` with a batch axis, and whether it had none."""
    x = as_tensor(x)
    if x.ndim not in (axes + 1, axes + 2):
        raise ShapeError(f"{layer}: an input of shape {x.shape}", expected=f"{expected_input(axes)}, or without N")
    return batched(x, axes)


def unbatched(y: Any, single: bool) -> Any:
    """The result without the batch axis that `one_batch` added."""
    return squeeze(y, 0) if single else y


# ── the maximum ─────────────────────────────────────────────────────────────────────────────────────────────


def _reaching(padding: Pads, beyond: Sizes) -> Pads:
    return tuple((before, after + more) for (before, after), more in zip(padding, beyond, strict=True))


@function
def _max_pool(x: Any, *, padding: Any, beyond: Any, **window: Any) -> Any:
    return pooling.max_pool(x, padding=_reaching(padding, beyond), **window)


@function
def _max_positions(x: Any, *, padding: Any, beyond: Any, **window: Any) -> Any:
    return pooling.max_positions(x, padding=_reaching(padding, beyond), **window)


def max_pool(
    x: Any, window: Any, *, stride: Any = None, padding: Any = 0, dilation: Any = 1, ceil_mode: bool = False
) -> Tensor:
    """The largest element of every window over the spatial axes of (N, C, *spatial); ``stride`` is the window's size.

    Padding never is the largest. Of equal elements the first, in row-major order, takes the gradient. With
    ``ceil_mode`` a last, incomplete window counts as well. NaN in a window is its maximum.

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> F.max_pool(wf.tensor([[[1.0, 3.0, 2.0, 4.0]]]), (2,)).tolist()
    [[[3.0, 4.0]]]
    """
    x = as_tensor(x)
    y: Tensor = _max_pool(x, **windows("max_pool", x, window, stride, padding, dilation, ceil_mode))
    return y


def max_pool_over(
    axes: int, x: Any, window: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool, return_indices: bool
) -> Any:
    """What `max_pool1d` and its relatives do, over ``axes`` axes."""
    layer = f"max_pool{axes}d"
    x, single = one_batch(layer, x, axes)
    window = spread(layer, "window", window, axes)
    given = windows(layer, x, window, stride, padding, dilation, ceil_mode)
    y = unbatched(_max_pool(x, **given), single)
    return (y, unbatched(_max_positions(x, **given), single)) if return_indices else y


def max_pool1d(
    x: Any,
    window: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """`max_pool` over one axis of (N, C, length) or (C, length); with ``return_indices`` also where the maxima are.

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> [t.tolist() for t in F.max_pool1d(wf.tensor([[1.0, 3.0, 2.0, 4.0]]), 2, return_indices=True)]
    [[[3.0, 4.0]], [[1, 3]]]
    """
    return max_pool_over(1, x, window, stride, padding, dilation, ceil_mode, return_indices)


def max_pool2d(
    x: Any,
    window: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """`max_pool` over two axes of (N, C, height, width) or (C, height, width).

    With ``return_indices`` also the positions of the maxima in the flattened height × width.

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> F.max_pool2d(wf.arange(16.0).reshape(1, 4, 4), 2).tolist()
    [[[5.0, 7.0], [13.0, 15.0]]]
    """
    return max_pool_over(2, x, window, stride, padding, dilation, ceil_mode, return_indices)


def max_pool3d(
    x: Any,
    window: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """`max_pool` over three axes of (N, C, depth, height, width), or without N; as `max_pool2d`."""
    return max_pool_over(3, x, window, stride, padding, dilation, ceil_mode, return_indices)


# ── the mean ────────────────────────────────────────────────────────────────────────────────────────────────


@function(takes=floating)
def _average_pool(x: Any, *, dilation: Any, **window: Any) -> Any:
    return pooling.average_pool(x, **window)


@function(takes=floating)
def _quotient_pool(x: Any, divisor: Any, *, dilation: Any, count_include_pad: bool, **window: Any) -> Any:
    return pooling.sum_pool(x, **window) / divisor


def average_pool(
    x: Any,
    window: Any,
    *,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: float | None = None,
) -> Tensor:
    """The mean of every window over the spatial axes of (N, C, *spatial); whole numbers become float32.

    The zeros of the padding count as elements unless ``count_include_pad`` is False; what a last, incomplete window
    (``ceil_mode``) has beyond them never does. ``divisor_override`` divides the sums instead of those counts.

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> F.average_pool(wf.tensor([[[1.0, 3.0, 2.0]]]), (2,), ceil_mode=True).tolist()
    [[[2.0, 2.0]]]
    """
    x = as_tensor(x)
    given = windows("average_pool", x, window, stride, padding, 1, ceil_mode)
    if divisor_override is None:
        y: Tensor = _average_pool(x, **given, count_include_pad=count_include_pad)
    elif divisor_override == 0:
        raise ArgumentError("average_pool: divisor_override=0", expected="a number that is not 0")
    else:
        y = _quotient_pool(x, float(divisor_override), **given, count_include_pad=True)
    return y


def average_pool_over(axes: int, x: Any, window: Any, **options: Any) -> Tensor:
    """What `avg_pool1d` and its relatives do, over ``axes`` axes."""
    layer = f"avg_pool{axes}d"
    x, single = one_batch(layer, x, axes)
    y: Tensor = unbatched(average_pool(x, spread(layer, "window", window, axes), **options), single)
    return y


def avg_pool1d(
    x: Any,
    window: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:
    """`average_pool` over one axis of (N, C, length) or (C, length).

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> F.avg_pool1d(wf.tensor([[1.0, 3.0, 2.0, 4.0]]), 2).tolist()
    [[2.0, 3.0]]
    """
    given = {"stride": stride, "padding": padding, "ceil_mode": ceil_mode}
    return average_pool_over(1, x, window, **given, count_include_pad=count_include_pad)


def avg_pool2d(
    x: Any,
    window: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: float | None = None,
) -> Tensor:
    """`average_pool` over two axes of (N, C, height, width) or (C, height, width).

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> F.avg_pool2d(wf.arange(16.0).reshape(1, 4, 4), 2).tolist()
    [[[2.5, 4.5], [10.5, 12.5]]]
    """
    given = {"stride": stride, "padding": padding, "ceil_mode": ceil_mode, "divisor_override": divisor_override}
    return average_pool_over(2, x, window, **given, count_include_pad=count_include_pad)


def avg_pool3d(
    x: Any,
    window: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: float | None = None,
) -> Tensor:
    """`average_pool` over three axes of (N, C, depth, height, width), or without N."""
    given = {"stride": stride, "padding": padding, "ceil_mode": ceil_mode, "divisor_override": divisor_override}
    return average_pool_over(3, x, window, **given, count_include_pad=count_include_pad)


# ── the p-norm ──────────────────────────────────────────────────────────────────────────────────────────────


def power_pool_over(axes: int, x: Any, p: float, window: Any, stride: Any, ceil_mode: bool) -> Tensor:
    """What `lp_pool1d` and its relatives do, over ``axes`` axes."""
    layer = f"lp_pool{axes}d"
    positive(layer, p=p)
    x, single = one_batch(layer, x, axes)
    given = windows(layer, x, spread(layer, "window", window, axes), stride, 0, 1, ceil_mode)
    count = 1
    for n in given["window"]:
        count *= n
    total = _average_pool(power(x, p), **given, count_include_pad=True) * count
    nothing = total == 0  # where the root has no slope; the gradient there is 0
    y: Tensor = unbatched(where(nothing, 0, power(where(nothing, 1, total), 1.0 / p)), single)
    return y


def lp_pool1d(x: Any, p: float, window: Any, stride: Any = None, ceil_mode: bool = False) -> Tensor:
    """(Σ xᵖ)^(1/p) of every window of (N, C, length) or (C, length).

    The gradient of a window of zeros is 0. An incomplete window of ``ceil_mode`` counts as if it were whole: its mean
    times the window's size.

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> F.lp_pool1d(wf.tensor([[3.0, 4.0]]), 2, 2).tolist()
    [[5.0]]
    """
    return power_pool_over(1, x, p, window, stride, ceil_mode)


def lp_pool2d(x: Any, p: float, window: Any, stride: Any = None, ceil_mode: bool = False) -> Tensor:
    """(Σ xᵖ)^(1/p) of every window of (N, C, height, width) or (C, height, width); see `lp_pool1d`."""
    return power_pool_over(2, x, p, window, stride, ceil_mode)


def lp_pool3d(x: Any, p: float, window: Any, stride: Any = None, ceil_mode: bool = False) -> Tensor:
    """(Σ xᵖ)^(1/p) of every window of (N, C, depth, height, width), or without N; see `lp_pool1d`."""
    return power_pool_over(3, x, p, window, stride, ceil_mode)
