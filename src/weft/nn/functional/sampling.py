"""Pictures and volumes read at given places: `grid_sample`, and the places of an affine map."""

from __future__ import annotations

import math
from itertools import product
from typing import Any

from weft.errors import ArgumentError, ShapeError
from weft.graph.dtype import int64
from weft.graph.function import function
from weft.graph.op import floating
from weft.nn.check import choice
from weft.nn.functional.convolution import Sizes
from weft.ops.arithmetic import abs, clip, floor, round
from weft.ops.assembling import stack
from weft.ops.comparison import greater_equal, less, logical_and, where
from weft.ops.conversion import cast
from weft.ops.creation import iota_op
from weft.ops.indexing import gather_op
from weft.ops.interpolation import cubic
from weft.ops.linalg import matmul
from weft.ops.manipulation import broadcast_to, moveaxis
from weft.tensor import Tensor, as_tensor

# ── reading ─────────────────────────────────────────────────────────────────────────────────────────────────


@function(takes=floating)
def _grid_sample(x: Any, grid: Any, *, mode: str, padding_mode: str, align_corners: bool) -> Any:
    spatial = x.shape[2:]
    places = grid.shape[1:-1]
    flat = grid.reshape(grid.shape[0], math.prod(places), len(spatial))
    # The last coordinate of a place is that of the first axis.
    at = [_pixel(flat[:, :, -1 - k], n, align_corners) for k, n in enumerate(spatial)]
    read = _Picture(x, padding_mode, align_corners)
    if mode == "bicubic":
        total = _bicubic(read, at)
    elif mode == "nearest":
        total = read([round(read.held(p, n)) for p, n in zip(at, spatial, strict=True)])
    else:
        total = _linear(read, [read.held(p, n) for p, n in zip(at, spatial, strict=True)])
    return moveaxis(total, -1, 1).reshape(x.shape[0], x.shape[1], *places)


def _pixel(coordinate: Any, n: int, align_corners: bool) -> Any:
    """A coordinate from −1 to 1 as a position among n pixels."""
    return (coordinate + 1) * ((n - 1) / 2) if align_corners else ((coordinate + 1) * n - 1) / 2


def _linear(read: Any, at: list[Any]) -> Any:
    """The weighted sum of the corners of the cell in which each place lies."""
    first = [floor(p) for p in at]
    share = [p - f for p, f in zip(at, first, strict=True)]
    total: Any = None
    for corner in product((0, 1), repeat=len(at)):
        weight: Any = None
        for up, s in zip(corner, share, strict=True):
            part = s if up else 1 - s
            weight = part if weight is None else weight * part
        here = read([f + up for f, up in zip(first, corner, strict=True)]) * weight.reshape(*weight.shape, 1)
        total = here if total is None else total + here
    return total


def _bicubic(read: Any, at: list[Any]) -> Any:
    """The sum of 4 × 4 pixels with the weights of Keys's cubic, a = −3/4."""
    first = [floor(p) for p in at]
    taps = (-1, 0, 1, 2)
    weights = [[cubic(p - f - tap, -0.75) for tap in taps] for p, f in zip(at, first, strict=True)]
    total: Any = None
    for i, j in product(range(4), repeat=2):
        weight = weights[0][i] * weights[1][j]
        place = [read.held(first[0] + taps[i], read.spatial[0]), read.held(first[1] + taps[j], read.spatial[1])]
        here = read(place) * weight.reshape(*weight.shape, 1)
        total = here if total is None else total + here
    return total


class _Picture:
    """The pixels of (N, C, *spatial) at whole positions, 0 outside: (N, places, C)."""

    def __init__(self, x: Any, padding_mode: str, align_corners: bool) -> None:
        self.spatial: Sizes = x.shape[2:]
        self.padding_mode, self.align_corners = padding_mode, align_corners
        self.rows = moveaxis(x, 1, -1).reshape(x.shape[0] * math.prod(self.spatial), x.shape[1])
        self.batch = x.shape[0]

    def held(self, position: Any, n: int) -> Any:
        """A position brought into the picture as the padding mode says."""
        if self.padding_mode == "zeros":
            return position
        if self.padding_mode == "reflection":
            position = _reflected(position, n, self.align_corners)
        return clip(position, 0, n - 1)

    def __call__(self, at: list[Any]) -> Any:
        row: Any = iota_op(shape=(self.batch, 1), axis=0, dtype=int64)
        inside: Any = None
        for p, n in zip(at, self.spatial, strict=True):
            fits = logical_and(greater_equal(p, 0), less(p, n))
            inside = fits if inside is None else logical_and(inside, fits)
            row = row * n + cast(clip(where(fits, p, 0), 0, n - 1), dtype=int64)
        pixels = gather_op(self.rows, row, pattern=(True, False))
        return where(inside.reshape(*inside.shape, 1), pixels, 0)


def _reflected(position: Any, n: int, align_corners: bool) -> Any:
    """A position mirrored at the centres (align_corners) or the edges of the outer pixels until it is between."""
    low, length = (0.0, n - 1) if align_corners else (-0.5, n)
    if length == 0:
        return position * 0
    way = abs(position - low)
    turns = floor(way / length)
    rest = way - turns * length
    odd = turns - 2 * floor(turns / 2)
    return where(odd == 0, rest, length - rest) + low


def grid_sample(
    x: Any, grid: Any, mode: str = "bilinear", padding_mode: str = "zeros", align_corners: bool = False
) -> Tensor:
    """The input (N, C, *spatial) read at the places ``grid`` (N, *places, axes), whose coordinates go from −1 to 1.

    A place lists its coordinates last axis first: (x, y) or (x, y, z). ``mode`` is "bilinear" (trilinear for
    volumes), "nearest" or, for pictures, "bicubic". Outside are zeros, the "border", or a "reflection". Gradients
    reach x and the grid; at the edges the grid's is that of the inside, and that of "nearest" is 0.

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> F.grid_sample(wf.tensor([[[[1.0, 3.0]]]]), wf.tensor([[[[0.0, 0.0]]]])).tolist()
    [[[[2.0]]]]
    """
    x, grid = as_tensor(x), as_tensor(grid)
    choice("grid_sample", "mode", mode, ("bilinear", "nearest", "bicubic"))
    choice("grid_sample", "padding_mode", padding_mode, ("zeros", "border", "reflection"))
    axes = x.ndim - 2
    if axes not in (2, 3) or grid.ndim != x.ndim or grid.shape[0] != x.shape[0] or grid.shape[-1] != axes:
        raise ShapeError(
            f"grid_sample: x of shape {x.shape} with a grid of shape {grid.shape}",
            expected="x (N, C, H, W) and grid (N, h, w, 2), or x (N, C, D, H, W) and grid (N, d, h, w, 3)",
        )
    if 0 in x.shape[2:]:
        raise ShapeError(f"grid_sample: x of shape {x.shape}", expected="spatial axes that are not empty")
    if mode == "bicubic" and axes != 2:
        raise ArgumentError(f"grid_sample: bicubic of x of shape {x.shape}", expected="(N, C, H, W)")
    y: Tensor = _grid_sample(x, grid, mode=mode, padding_mode=padding_mode, align_corners=align_corners)
    return y


# ── places ──────────────────────────────────────────────────────────────────────────────────────────────────


@function(takes=floating)
def _affine_grid(theta: Any, *, spatial: Sizes, align_corners: bool) -> Any:
    kind = theta.dtype
    lines = []
    for axis, n in reversed(list(enumerate(spatial))):
        count = iota_op(shape=(n,), axis=0, dtype=kind)
        if align_corners:
            line = count * (2 / (n - 1)) - 1 if n > 1 else count
        else:
            line = (count * 2 + 1) / n - 1
        shape = tuple(n if k == axis else 1 for k in range(len(spatial)))
        lines.append(broadcast_to(line.reshape(shape), spatial))
    base = stack([*lines, lines[0] * 0 + 1], axis=-1).reshape(-1, len(spatial) + 1)
    return matmul(base, theta.swapaxes(1, 2)).reshape(theta.shape[0], *spatial, len(spatial))


def affine_grid(theta: Any, size: Any, align_corners: bool = False) -> Tensor:
    """The places that the affine maps ``theta`` (N, axes, axes + 1) give a regular grid, for `grid_sample`.

    ``size`` is (N, C, H, W) or (N, C, D, H, W), the shape of what will be sampled.

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> F.affine_grid(wf.tensor([[[1.0, 0, 0], [0, 1.0, 0]]]), (1, 1, 1, 2)).tolist()
    [[[[-0.5, 0.0], [0.5, 0.0]]]]
    """
    theta = as_tensor(theta)
    axes = len(size) - 2
    if axes not in (2, 3) or theta.shape != (size[0], axes, axes + 1):
        raise ShapeError(
            f"affine_grid: theta of shape {theta.shape} for a result of {tuple(size)}",
            expected="(N, 2, 3) for (N, C, H, W), or (N, 3, 4) for (N, C, D, H, W)",
        )
    if min(size) < 1:
        raise ShapeError(f"affine_grid for a result of {tuple(size)}", expected="sizes of at least 1")
    y: Tensor = _affine_grid(theta, spatial=tuple(size[2:]), align_corners=align_corners)
    return y
