"""Convolution with a kernel of its own for each channel, on the CPU: products of shifted inputs, added up.

Such a convolution is no matrix product: an element costs as many multiplications as the kernel has. The engine's own
goes through the channels one by one and takes fifty times as long. The axes stay where they are: the innermost one is
contiguous in all terms.
"""

from __future__ import annotations

from math import prod
from typing import Any

from weft.ops.engine import jnp, lax
from weft.ops.patches import Padding, Sizes, kernel_offsets, window_counts

LARGEST = 64  # elements of a kernel: the program has a term for each


def fits(channels: int, groups: int, kernel: Sizes) -> bool:
    """Whether each of several channels has a kernel of its own, of moderate size."""
    return channels == groups > 1 and prod(kernel) <= LARGEST


def _met(x: Any, kernel: Sizes, out: Sizes, stride: Sizes, dilation: Sizes, times: int = 1) -> list[Any]:
    """For each element of the kernel, what it meets of the padded x (N, C, *spatial), each channel ``times`` times."""
    found = []
    for offsets in kernel_offsets(kernel, dilation):
        stops = [o + (m - 1) * s + 1 for o, m, s in zip(offsets, out, stride, strict=True)]
        part = lax.slice(x, (0, 0, *offsets), (*x.shape[:2], *stops), (1, 1, *stride))
        found.append(part if times == 1 else jnp.repeat(part, times, 1))
    return found


def _around(x: Any, pads: Any, apart: int | Sizes = 1) -> Any:
    """The array x (N, C, *spatial) with zeros around and between its elements."""
    each = (apart,) * len(pads) if isinstance(apart, int) else apart
    inner = [(before, after, n - 1) for (before, after), n in zip(pads, each, strict=True)]
    return lax.pad(x, jnp.zeros((), x.dtype), [(0, 0, 0), (0, 0, 0), *inner])


def _sum_of_products(parts: list[Any], w: Any) -> Any:
    """Each part times its element of the kernel w (O, 1, *kernel)."""
    rows = w.reshape(w.shape[0], -1)
    total = None
    for k, part in enumerate(parts):
        term = part * rows[:, k].reshape(-1, *(1,) * (part.ndim - 2))
        total = term if total is None else total + term
    return total


def forward(x: Any, w: Any, *, stride: Sizes, padding: Padding, dilation: Sizes, groups: int) -> Any:
    out, times = window_counts(x, w, stride, padding, dilation), w.shape[0] // groups
    return _sum_of_products(_met(_around(x, padding), w.shape[2:], out, stride, dilation, times), w)


def input_gradient(
    g: Any, w: Any, *, spatial: Sizes, stride: Sizes, padding: Padding, dilation: Sizes, groups: int
) -> Any:
    # Zeros between the elements of g undo the stride; the kernel runs backwards.
    kernel, ones = w.shape[2:], (1,) * len(spatial)
    each = zip(spatial, g.shape[2:], kernel, stride, padding, dilation, strict=True)
    pads = [(d * (k - 1) - p, n - (m - 1) * s - 1 + p) for n, m, k, s, (p, _), d in each]
    backwards = jnp.flip(w, tuple(range(2, w.ndim)))
    x = _sum_of_products(_met(_around(g, pads, stride), kernel, spatial, ones, dilation), backwards)
    return x if len(w) == groups else x.reshape(x.shape[0], groups, -1, *spatial).sum(2, dtype=x.dtype)


def kernel_gradient(
    x: Any, g: Any, *, kernel: Sizes, stride: Sizes, padding: Padding, dilation: Sizes, groups: int
) -> Any:
    kind = "float32" if x.dtype.name in ("float16", "bfloat16") else x.dtype  # sums need more than 16 bits
    parts = _met(_around(x, padding), kernel, g.shape[2:], stride, dilation, g.shape[1] // groups)
    products = tuple((part * g).astype(kind) for part in parts)

    def add(sums: Any, more: Any) -> Any:
        return tuple(a + b for a, b in zip(sums, more, strict=True))

    # All sums in one pass, first over each example.
    sums = lax.reduce(products, (jnp.zeros((), kind),) * len(products), add, tuple(range(2, g.ndim)))
    return jnp.stack(sums, -1).sum(0, dtype=kind).reshape(g.shape[1], 1, *kernel).astype(x.dtype)
