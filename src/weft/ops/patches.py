"""Convolution as one matrix product: a row for each window, a column for each kernel element and channel.

Channels go last inside: the elements of a patch then lie together, and one product serves the whole batch. The
batch is taken in pieces whose patches stay in a core's cache; written out whole, they would cost more than the
product. So done it beats the engine's own convolution on the CPU, which in a loop's body is ten times slower.
"""

from __future__ import annotations

from itertools import product
from math import prod
from typing import Any

from weft.ops.engine import jnp, lax

Sizes = tuple[int, ...]  # one for each spatial axis
Padding = tuple[tuple[int, int], ...]  # zeros before and after each spatial axis
_CACHE = 1 << 22  # bytes of patches at a time

# ── geometry ────────────────────────────────────────────────────────────────────────────────────────────────


def window_count(n: int, *, window: int, stride: int, padding: tuple[int, int]) -> int:
    """How many windows of ``window`` elements fit an axis of ``n`` when they start ``stride`` apart."""
    return (n + padding[0] + padding[1] - window) // stride + 1


def window_counts(x: Any, w: Any, stride: Sizes, padding: Padding, dilation: Sizes) -> Sizes:
    each = zip(x.shape[2:], w.shape[2:], stride, padding, dilation, strict=True)
    return tuple(window_count(n, window=d * (k - 1) + 1, stride=s, padding=p) for n, k, s, p, d in each)


# ── the whole batch, in pieces ──────────────────────────────────────────────────────────────────────────────


def forward(x: Any, w: Any, **window: Any) -> Any:
    out = window_counts(x, w, window["stride"], window["padding"], window["dilation"])
    pieces = _pieces(x, out, w.shape[2:], x.shape[1])
    if pieces == 1:
        return _forward_piece(x, w, **window)
    y = lax.map(lambda part: _forward_piece(part, w, **window), _split(x, pieces))
    return y.reshape(-1, *y.shape[2:])[: x.shape[0]]


def input_gradient(g: Any, w: Any, **window: Any) -> Any:
    pieces = _pieces(g, g.shape[2:], w.shape[2:], w.shape[1] * window["groups"])
    if pieces == 1:
        return _input_piece(g, w, **window)
    x = lax.map(lambda part: _input_piece(part, w, **window), _split(g, pieces))
    return x.reshape(-1, *x.shape[2:])[: g.shape[0]]


def kernel_gradient(x: Any, g: Any, **window: Any) -> Any:
    pieces = _pieces(x, g.shape[2:], window["kernel"], x.shape[1])
    if pieces == 1:
        return _kernel_piece(x, g, **window)

    def step(total: Any, parts: Any) -> Any:
        return total + _kernel_piece(*parts, **window), None

    shape = (g.shape[1], x.shape[1] // window["groups"], *window["kernel"])
    return lax.scan(step, jnp.zeros(shape, x.dtype), (_split(x, pieces), _split(g, pieces)))[0]


def _split(x: Any, pieces: int) -> Any:
    """``x`` with its batch in ``pieces`` of equal size; zeros fill the last."""
    size = -(-x.shape[0] // pieces)
    if rest := pieces * size - x.shape[0]:
        x = lax.pad(x, jnp.zeros((), x.dtype), [(0, rest, 0), *((0, 0, 0) for _ in x.shape[1:])])
    return x.reshape(pieces, size, *x.shape[1:])


def _pieces(x: Any, out: Sizes, kernel: Sizes, channels: int) -> int:
    count: int = x.shape[0]
    size: int = count * prod(out) * prod(kernel) * channels * x.dtype.itemsize
    return max(1, min(count, -(-size // _CACHE)))


# ── one piece ───────────────────────────────────────────────────────────────────────────────────────────────


def _patches(x: Any, *, kernel: Sizes, stride: Sizes, padding: Padding, dilation: Sizes, groups: int) -> Any:
    """``x`` as a matrix for each group: a row for each window, a column for each kernel element and channel."""
    x = jnp.pad(jnp.moveaxis(x, 1, -1), ((0, 0), *padding, (0, 0)))
    spans = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
    each = zip(x.shape[1:-1], spans, stride, strict=True)
    out = [window_count(n, window=span, stride=s, padding=(0, 0)) for n, span, s in each]
    slices = []
    for offsets in kernel_offsets(kernel, dilation):
        stops = [o + (m - 1) * s + 1 for o, m, s in zip(offsets, out, stride, strict=True)]
        part = lax.slice(x, (0, *offsets, 0), (x.shape[0], *stops, x.shape[-1]), (1, *stride, 1))
        slices.append(part.reshape(-1, groups, 1, x.shape[-1] // groups))
    return _grouped(jnp.concatenate(slices, 2))


def kernel_offsets(kernel: Sizes, dilation: Sizes) -> list[tuple[int, ...]]:
    """Where each element of the kernel lies, from the first."""
    return list(product(*(range(0, d * k, d) for k, d in zip(kernel, dilation, strict=True))))


def _grouped(rows: Any) -> Any:
    """(rows, groups, a, b) as one matrix, or as one for each group where there are several."""
    count, groups = rows.shape[:2]
    width = prod(rows.shape[2:])  # not -1, which no rows leave open
    return rows.reshape(count, width) if groups == 1 else rows.reshape(count, groups, width).swapaxes(0, 1)


def _kernel_matrix(w: Any, groups: int) -> Any:
    """``w`` with a row for each kernel element and channel, in the order of the patches' columns."""
    w = jnp.moveaxis(w, (0, 1), (-1, -2))  # (*kernel, C / groups, O)
    flat = w.reshape(-1, w.shape[-1])
    return flat if groups == 1 else flat.reshape(flat.shape[0], groups, -1).swapaxes(0, 1)


def _rows(g: Any, groups: int) -> Any:
    """(N, O, *out) with a row for each window."""
    return _grouped(jnp.moveaxis(g, 1, -1).reshape(-1, groups, 1, g.shape[1] // groups))


def _forward_piece(x: Any, w: Any, *, stride: Sizes, padding: Padding, dilation: Sizes, groups: int) -> Any:
    patches = _patches(x, kernel=w.shape[2:], stride=stride, padding=padding, dilation=dilation, groups=groups)
    rows = jnp.matmul(patches, _kernel_matrix(w, groups))
    rows = rows if groups == 1 else rows.swapaxes(0, 1)
    return jnp.moveaxis(rows.reshape(x.shape[0], *window_counts(x, w, stride, padding, dilation), w.shape[0]), -1, 1)


def _kernel_piece(x: Any, g: Any, *, kernel: Sizes, groups: int, **window: Any) -> Any:
    patches = _patches(x, kernel=kernel, groups=groups, **window)
    results = jnp.moveaxis(g, 1, 0).reshape(*patches.shape[:-2], g.shape[1] // groups, patches.shape[-2])
    w = jnp.matmul(results, patches)  # in this order: the other takes a third longer
    return jnp.moveaxis(w.reshape(g.shape[1], *kernel, x.shape[1] // groups), -1, 1)


def _input_piece(
    g: Any, w: Any, *, spatial: Sizes, stride: Sizes, padding: Padding, dilation: Sizes, groups: int
) -> Any:
    """The gradient of every patch, each added back where its slice was taken."""
    kernel, each_group = w.shape[2:], w.shape[1]
    patches = jnp.matmul(_rows(g, groups), _kernel_matrix(w, groups).swapaxes(-1, -2))
    patches = patches if groups == 1 else patches.swapaxes(0, 1)
    offsets = kernel_offsets(kernel, dilation)
    patches = patches.reshape(g.shape[0], *g.shape[2:], groups, len(offsets), each_group)
    total, zero = None, jnp.zeros((), g.dtype)
    for k, offset in enumerate(offsets):
        part = patches[..., k, :].reshape(g.shape[0], *g.shape[2:], groups * each_group)
        each = zip(spatial, g.shape[2:], offset, stride, padding, strict=True)
        pads = [(o - b, n - (m - 1) * s - 1 - (o - b), s - 1) for n, m, o, s, (b, _) in each]
        part = lax.pad(part, zero, ((0, 0, 0), *pads, (0, 0, 0)))
        total = part if total is None else total + part
    return jnp.moveaxis(total, -1, 1)
