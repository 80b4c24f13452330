"""Shapes, orders, pieces."""

from __future__ import annotations

import operator
from itertools import combinations, combinations_with_replacement
from typing import Any

import weft as wf
from weft.ops import joining, matrices

from .words import as_row


def shape_of(args: tuple[Any, ...]) -> Any:
    return args[0] if len(args) == 1 and isinstance(args[0], list | tuple) else args


def expand(x: Any, *shape: Any) -> Any:
    """Sizes of -1 stay as they are."""
    wanted = tuple(shape_of(shape))
    lead = len(wanted) - x.ndim
    return wf.broadcast_to(x, tuple(x.shape[k - lead] if n == -1 else n for k, n in enumerate(wanted)))


def chunk(x: Any, chunks: int, dim: int = 0) -> Any:
    n = x.shape[dim]
    size = max(1, -(-n // chunks))
    return split(x, size, dim)


def split(x: Any, split_size: Any, dim: int = 0) -> Any:
    if isinstance(split_size, int):
        n = x.shape[dim]
        sizes = [split_size] * (n // split_size) + ([n % split_size] if n % split_size or not n else [])
    else:
        sizes = list(split_size)
    return wf.split(x, tuple(sizes), axis=dim)


def tensor_split(x: Any, parts: Any, dim: int = 0) -> Any:
    return joining.array_split(x, parts.tolist() if isinstance(parts, wf.Tensor) else parts, axis=dim)


def unflatten(x: Any, dim: int, sizes: Any) -> Any:
    dim %= x.ndim
    return x.reshape(*x.shape[:dim], *_inferred(sizes, x.shape[dim]), *x.shape[dim + 1 :])


def _inferred(sizes: Any, n: int) -> Any:
    known = 1
    for size in sizes:
        known *= size if size != -1 else 1
    return [n // known if size == -1 else size for size in sizes]


def roll(x: Any, shifts: Any, dims: Any = None) -> Any:
    return wf.roll(x, tuple(shifts) if isinstance(shifts, list | tuple) else shifts, axis=dims if dims != () else None)


def repeat(x: Any, *sizes: Any) -> Any:
    sizes = tuple(shape_of(sizes))
    return wf.tile(x, sizes) if sizes else x


def diagonal(x: Any, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Any:
    return wf.linalg.diagonal(wf.moveaxis(x, (dim1, dim2), (-2, -1)), offset=offset)


def diag_embed(x: Any, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Any:
    made = matrices.diag_embed(x, offset=offset)
    return wf.moveaxis(made, (-2, -1), (dim1, dim2))


def unfold(x: Any, dimension: int, size: int, step: int) -> Any:
    if x.ndim == 0:
        return x.reshape(1)[:size]
    row = x
    at = dimension % row.ndim
    starts = range(0, row.shape[at] - size + 1, step)
    pieces = [wf.moveaxis(row[(slice(None),) * at + (slice(s, s + size),)], at, -1) for s in starts]
    return wf.stack(pieces, axis=at)


def squeeze(x: Any, dim: Any = None) -> Any:
    """PyTorch leaves a named axis alone that has another size than 1."""
    if dim is None:
        return wf.squeeze(x)
    if x.ndim == 0:
        return x
    dims = dim if isinstance(dim, list | tuple) else (dim,)
    return wf.squeeze(x, tuple(d for d in dims if x.shape[d] == 1))


def narrow(x: Any, dim: int, start: Any, length: int) -> Any:
    start = operator.index(start)
    first = wf.moveaxis(x, dim, 0)
    start = start + first.shape[0] if start < 0 else start
    return wf.moveaxis(first[start : start + length], 0, dim)


def sum_to_size(x: Any, *shape: Any) -> Any:
    shape = tuple(shape_of(shape))
    lead = x.ndim - len(shape)
    axes = (*range(lead), *(k + lead for k, n in enumerate(shape) if n == 1))
    return wf.sum(x, axis=axes).reshape(shape)


def sliced(x: Any, dim: int = 0, start: Any = None, end: Any = None, step: int = 1) -> Any:
    return x[(slice(None),) * (dim % x.ndim) + (slice(start, end, step),)]


def chosen(x: Any, r: int = 2, with_replacement: bool = False) -> Any:
    picks = list((combinations_with_replacement if with_replacement else combinations)(range(x.shape[0]), r))
    index = wf.tensor(picks, dtype="int64").reshape(len(picks), r)
    return wf.take(x, index, axis=0)


def cartesian(*xs: Any) -> Any:
    grids = wf.meshgrid(*xs, indexing="ij")
    return wf.stack([g.reshape(-1) for g in grids], axis=-1) if len(xs) > 1 else xs[0]


def meshgrid(*xs: Any, indexing: str = "ij") -> Any:
    return wf.meshgrid(*shape_of(xs), indexing=indexing)


def transpose(x: Any, dim0: int, dim1: int) -> Any:
    return x if x.ndim == 0 else wf.swapaxes(x, dim0, dim1)


def t(x: Any) -> Any:
    return x if x.ndim < 2 else x.T


def movedim(x: Any, source: Any, destination: Any) -> Any:
    return x if x.ndim == 0 else wf.moveaxis(x, source, destination)


def several(f: Any) -> Any:
    return lambda *xs: tuple(map(f, shape_of(xs)))


def hsplit(x: Any, parts: Any) -> Any:
    return tensor_split(x, parts, 0 if x.ndim == 1 else 1)


same = lambda x, *_, **__: x
view = lambda x, *shape: wf.reshape(x, shape_of(shape))

OPERATORS = {
    "atleast_1d": lambda *xs: (
        several(joining.atleast_1d)(*xs)
        if len(xs) > 1 or isinstance(xs[0], tuple | list)
        else joining.atleast_1d(xs[0])
    ),
    "atleast_2d": lambda *xs: (
        several(joining.atleast_2d)(*xs)
        if len(xs) > 1 or isinstance(xs[0], tuple | list)
        else joining.atleast_2d(xs[0])
    ),
    "atleast_3d": lambda *xs: (
        several(joining.atleast_3d)(*xs)
        if len(xs) > 1 or isinstance(xs[0], tuple | list)
        else joining.atleast_3d(xs[0])
    ),
    "block_diag": joining.block_diag,
    "broadcast_to": lambda x, shape: wf.broadcast_to(x, tuple(shape)),
    "broadcast_tensors": wf.broadcast_arrays,
    "broadcast_shapes": lambda *shapes: wf.broadcast_shapes(*(s if isinstance(s, tuple) else (s,) for s in shapes)),
    "cartesian_prod": cartesian,
    "cat": lambda xs, dim=0: wf.concat([x for x in xs if getattr(x, "shape", None) != (0,)] or xs, axis=dim),
    "chunk": chunk,
    "unsafe_chunk": chunk,
    "clone": lambda x, **_: x.clone(),
    "contiguous": same,
    "column_stack": joining.column_stack,
    "combinations": chosen,
    "diag": lambda x, diagonal=0: matrices.diag(x, k=diagonal),
    "diag_embed": diag_embed,
    "diagflat": lambda x, offset=0: matrices.diag(x.reshape(-1), k=offset),
    "diagonal": diagonal,
    "diagonal_copy": diagonal,
    "linalg.diagonal": lambda x, *, offset=0, dim1=-2, dim2=-1: diagonal(x, offset, dim1, dim2),
    "dsplit": lambda x, parts: tensor_split(x, parts, 2),
    "dstack": joining.dstack,
    "expand": expand,
    "expand_copy": expand,
    "expand_as": lambda x, y: expand(x, y.shape),
    "flatten": lambda x, start_dim=0, end_dim=-1: wf.flatten(x, start_dim, end_dim),
    "flip": lambda x, dims: wf.flip(x, axis=tuple(dims)),
    "fliplr": lambda x: wf.flip(x, axis=1),
    "flipud": lambda x: wf.flip(x, axis=0),
    "hsplit": hsplit,
    "hstack": joining.hstack,
    "kron": joining.kron,
    "H": lambda x: wf.conj(t(x)),
    "T": t,
    "mT": lambda x: x.mT,
    "mH": lambda x: wf.conj(x.mT),
    "t": t,
    "t_copy": t,
    "meshgrid.variadic_tensors": meshgrid,
    "meshgrid.list_of_tensors": meshgrid,
    "movedim": movedim,
    "narrow": narrow,
    "narrow_copy": narrow,
    "permute": lambda x, *dims: wf.permute_dims(x, tuple(shape_of(dims))),
    "permute_copy": lambda x, *dims: wf.permute_dims(x, tuple(shape_of(dims))),
    "ravel": lambda x: x.ravel(),
    "repeat": repeat,
    "repeat_interleave": lambda x, repeats, dim=None, **_: wf.repeat(as_row(x), repeats, axis=dim),
    "reshape": lambda x, *shape: wf.reshape(x, shape_of(shape)),
    "reshape_as": lambda x, y: wf.reshape(x, y.shape),
    "resolve_conj": same,
    "resolve_neg": same,
    "roll": roll,
    "rot90": lambda x, k=1, dims=(0, 1): joining.rot90(x, k, tuple(dims)),
    "slice": sliced,
    "split": split,
    "split.list_args": split,
    "unsafe_split": split,
    "split_with_sizes": split,
    "split_with_sizes_copy": split,
    "squeeze": squeeze,
    "squeeze.multiple": squeeze,
    "squeeze_copy": squeeze,
    "stack": lambda xs, dim=0: wf.stack(xs, axis=dim),
    "sum_to_size": sum_to_size,
    "tensor_split": tensor_split,
    "tile": lambda x, *sizes: repeat(x, *((1,) * (x.ndim - len(shape_of(sizes))) + tuple(shape_of(sizes)))),
    "transpose": transpose,
    "transpose_copy": transpose,
    "tril": lambda x, diagonal=0: wf.tril(x, k=diagonal),
    "triu": lambda x, diagonal=0: wf.triu(x, k=diagonal),
    "unbind": lambda x, dim=0: wf.unstack(x, axis=dim),
    "unbind_copy": lambda x, dim=0: wf.unstack(x, axis=dim),
    "unflatten": unflatten,
    "unfold": unfold,
    "unfold_copy": unfold,
    "unsqueeze": lambda x, dim: wf.expand_dims(x, axis=dim),
    "unsqueeze_copy": lambda x, dim: wf.expand_dims(x, axis=dim),
    "view": view,
    "view_copy": view,
    "view_as": lambda x, y: wf.reshape(x, y.shape),
    "alias_copy": same,
    "vsplit": lambda x, parts: tensor_split(x, parts, 0),
    "vstack": joining.vstack,
}
