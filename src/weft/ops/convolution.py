"""Convolution over one to three spatial axes, and the two ops that are its gradients.

All three are slices of one trilinear form, Σ g[n,o,p] · x[n,c,s·p + d·k − b] · w[o,c,k]: given two of ``g``, ``x``
and ``w``, each op is the derivative by the third. So the gradients of every one are the other two, to any order.

Layouts are PyTorch's: ``x`` (N, C, *spatial), ``w`` (O, C / groups, *kernel), ``g`` and the result (N, O, *out).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from weft.errors import ArgumentError, ShapeError
from weft.graph.lowering import lowering
from weft.graph.op import Op
from weft.graph.spec import Spec
from weft.ops import blocks, depthwise, patches, volumes
from weft.ops.engine import jnp, lax
from weft.ops.patches import Padding, Sizes, window_counts

# ── shapes ──────────────────────────────────────────────────────────────────────────────────────────────────


def _conv(x: Spec, w: Spec, *, stride: Sizes, padding: Padding, dilation: Sizes, groups: int) -> Spec:
    rank = x.ndim - 2
    if rank not in (1, 2, 3) or w.ndim != x.ndim:
        raise ShapeError(
            f"conv of x {x.shape} with w {w.shape}",
            expected="x (N, C, *spatial) and w (O, C / groups, *kernel) with one to three spatial axes",
            cure="wf.expand_dims(x, axis=0) for a single example, or axis=1 for a single channel",
        )
    _check_arguments(rank, stride, padding, dilation)
    _check_channels(x, w, groups)
    out = window_counts(x, w, stride, padding, dilation)
    if any(n < 1 for n in out):
        raise ShapeError(
            f"conv: a kernel of {w.shape[2:]}, dilated by {dilation}, does not fit an input of {x.shape[2:]} "
            f"padded by {padding}",
            expected="an input at least as large as the kernel",
            cure="a smaller kernel or dilation, more padding, or fewer poolings before this layer",
        )
    return Spec((x.shape[0], w.shape[0], *out), x.dtype)


def _check_arguments(rank: int, stride: Sizes, padding: Padding, dilation: Sizes) -> None:
    if not len(stride) == len(padding) == len(dilation) == rank:
        raise ArgumentError(
            f"conv over {rank} spatial axes with stride={stride}, padding={padding}, dilation={dilation}",
            expected=f"{rank} entries each",
        )
    if min(*stride, *dilation) < 1 or min(min(pair) for pair in padding) < 0:
        raise ArgumentError(
            f"conv with stride={stride}, padding={padding}, dilation={dilation}",
            expected="stride and dilation of at least 1, padding of at least 0",
        )


def _check_channels(x: Spec, w: Spec, groups: int) -> None:
    channels, results = x.shape[1], w.shape[0]
    if groups < 1 or channels % groups or results % groups:
        raise ArgumentError(
            f"conv from {channels} to {results} channels in {groups} groups",
            expected="a number of groups that divides both",
        )
    if w.shape[1] * groups != channels:
        last = f" (is {x.shape} channel-last?)" if x.shape[-1] == w.shape[1] * groups else ""
        raise ShapeError(
            f"conv: x {x.shape} has {channels} channels, w {w.shape} takes {w.shape[1] * groups}{last}",
            expected="x (N, C, *spatial) and w (O, C / groups, *kernel)",
            cure="wf.moveaxis(x, -1, 1)" if last else f"a layer of {channels} input channels",
        )


# ── lowering to the engine's own convolution ────────────────────────────────────────────────────────────────
# On the CPU the engine is fast, in loops too, where channels come last and nothing is dilated; otherwise a loop's
# body is ten to a hundred times slower. So axes are moved to that layout here, and back; neighbours cancel out.


def _engine(x: Any, w: Any, stride: Sizes, padding: Any, **options: Any) -> Any:
    """Convolve x (N, C, *spatial) with w (O, C / groups, *kernel), in the layout that the platform likes."""
    spatial = "DHW"[5 - x.ndim :]
    lowering.older_kernels = True
    if lowering.platform != "cpu":
        layout = ("NC" + spatial, "OI" + spatial, "NC" + spatial)
        return lax.conv_general_dilated(x, w, stride, padding, dimension_numbers=layout, **options)
    layout = ("N" + spatial + "C", spatial + "IO", "N" + spatial + "C")
    x, w = jnp.moveaxis(x, 1, -1), jnp.moveaxis(w, (1, 0), (-2, -1))
    return jnp.moveaxis(lax.conv_general_dilated(x, w, stride, padding, dimension_numbers=layout, **options), -1, 1)


def _by_engine(x: Any, w: Any, *, stride: Sizes, padding: Padding, dilation: Sizes, groups: int) -> Any:
    return _engine(x, w, stride, padding, rhs_dilation=dilation, feature_group_count=groups)


def _input_by_engine(
    g: Any, w: Any, *, spatial: Sizes, stride: Sizes, padding: Padding, dilation: Sizes, groups: int
) -> Any:
    # Zeros between the elements of g undo the stride; the kernel runs backwards and from results to channels.
    kernel = w.shape[2:]
    w = w.reshape(groups, w.shape[0] // groups, *w.shape[1:]).swapaxes(1, 2)
    w = jnp.flip(w.reshape(-1, *w.shape[2:]), tuple(range(2, g.ndim)))
    before = [d * (k - 1) - p for k, d, (p, _) in zip(kernel, dilation, padding, strict=True)]
    each = zip(spatial, g.shape[2:], stride, padding, strict=True)
    after = [n - (m - 1) * s - 1 + p for n, m, s, (p, _) in each]
    pads, ones = list(zip(before, after, strict=True)), (1,) * len(spatial)
    return _engine(g, w, ones, pads, lhs_dilation=stride, rhs_dilation=dilation, feature_group_count=groups)


def _kernel_by_engine(
    x: Any, g: Any, *, kernel: Sizes, stride: Sizes, padding: Padding, dilation: Sizes, groups: int
) -> Any:
    # g is the kernel that runs over x; what was batch is summed, what was channel is kept.
    each = zip(x.shape[2:], g.shape[2:], kernel, stride, padding, dilation, strict=True)
    pads = [(b, d * (k - 1) + (m - 1) * s + 1 - n - b) for n, m, k, s, (b, _), d in each]
    x, g = x.swapaxes(0, 1), g.swapaxes(0, 1)
    made = _engine(x, g, dilation, pads, rhs_dilation=stride, batch_group_count=groups)
    return made.swapaxes(0, 1)


# ── which lowering ──────────────────────────────────────────────────────────────────────────────────────────


def _faster(name: str, by_engine: Callable[..., Any]) -> Callable[..., Any]:
    """The engine, except on the CPU: there what is faster for this window."""

    def lower(*arrays: Any, **window: Any) -> Any:
        if lowering.platform != "cpu":
            return by_engine(*arrays, **window)
        kernel = window.get("kernel") or arrays[1].shape[2:]
        channels = window["groups"] * arrays[1].shape[1] if "kernel" not in window else arrays[0].shape[1]
        if depthwise.fits(channels, window["groups"], kernel):
            return getattr(depthwise, name)(*arrays, **window)
        how = {each: window[each] for each in ("stride", "dilation", "groups")}
        if name == "input_gradient" and blocks.fits(kernel, **how):
            return blocks.input_gradient(lower, *arrays, **window)
        if volumes.fits(kernel, **how):
            pictures = _kernel_by_engine if name == "kernel_gradient" else _by_engine
            return getattr(volumes, name)(pictures, *arrays, **window)
        if len(kernel) < 3 and _engine_is_fast(name, kernel, **how):
            return by_engine(*arrays, **window)
        return getattr(patches, name)(*arrays, **window)

    return lower


def _engine_is_fast(name: str, kernel: Sizes, *, stride: Sizes, dilation: Sizes, groups: int) -> bool:
    """Whether the engine beats patches on the CPU; what it has to dilate and groups are slow, most so in loops."""
    if set(dilation) != {1}:
        return groups > 1 and not lowering.in_loop
    if groups > 1:
        return not lowering.in_loop
    if name == "forward" or set(stride) == {1}:
        return True
    overlaps = all(k >= s for k, s in zip(kernel, stride, strict=True))
    return name == "kernel_gradient" and overlaps and not lowering.in_loop


# ── the ops ─────────────────────────────────────────────────────────────────────────────────────────────────

conv: Op = Op(
    "conv",
    shape=_conv,
    lower=_faster("forward", _by_engine),
    vjp=lambda g, y, x, w, **window: (
        conv_input_gradient(g, w, spatial=x.shape[2:], **window),
        conv_kernel_gradient(x, g, kernel=w.shape[2:], **window),
    ),
)
conv_input_gradient: Op = Op(  # from g and w to the spec of x
    "conv_input_gradient",
    shape=lambda g, w, *, spatial, groups, **_: Spec((g.shape[0], w.shape[1] * groups, *spatial), g.dtype),
    lower=_faster("input_gradient", _input_by_engine),
    vjp=lambda c, y, g, w, *, spatial, **window: (
        conv(c, w, **window),
        conv_kernel_gradient(c, g, kernel=w.shape[2:], **window),
    ),
)
conv_kernel_gradient: Op = Op(  # from x and g to the spec of w
    "conv_kernel_gradient",
    shape=lambda x, g, *, kernel, groups, **_: Spec((g.shape[1], x.shape[1] // groups, *kernel), x.dtype),
    lower=_faster("kernel_gradient", _kernel_by_engine),
    vjp=lambda c, y, x, g, *, kernel, **window: (
        conv_input_gradient(g, c, spatial=x.shape[2:], **window),
        conv(x, c, **window),
    ),
)
