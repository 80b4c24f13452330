"""Tensors from nothing and from data, as people make them: on a device, of a type, with or without a gradient."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from weft.errors import ArgumentError, DTypeError
from weft.graph.dtype import DType, float32
from weft.graph.dtype import dtype as data_type
from weft.graph.recording import context
from weft.ops import creation as ops
from weft.ops.conversion import converted
from weft.runtime import devices, dlpack
from weft.runtime.log import Log, device
from weft.tensor import Tensor, as_tensor, tensor


@contextmanager
def _placed(where: Any) -> Iterator[None]:
    """What the block makes lives on this device; None leaves the choice to the block around it."""
    recording = context.recording
    if where is None or (isinstance(recording, Log) and recording.device == devices.as_place(where)):
        yield
    else:
        with device(where):
            yield


def _finished(made: Any, requires_grad: bool) -> Any:
    return made.requires_grad_() if requires_grad else made


def asarray(obj: Any, /, *, dtype: DType | None = None, device: Any = None, copy: bool | None = None) -> Tensor:
    """``obj`` as a tensor: a tensor itself, numbers, nested lists, an array, anything with ``__dlpack__``.

    ``copy=False`` is an error where a copy is needed, ``copy=True`` always makes one.

    >>> import weft as wf
    >>> wf.asarray([1.5, 2.5]).dtype
    weft.float32
    """
    if isinstance(obj, Tensor):
        made = obj if dtype is None else converted(obj, data_type(dtype))
        made = made if device is None else made.to_device(device)
        if copy is False and made is not obj:
            raise ArgumentError("asarray(copy=False) of a tensor of another type or device", cure="copy=None")
        return made.copy() if copy and made is obj else made
    if copy is False:
        raise ArgumentError(
            f"asarray(copy=False) of {type(obj).__name__}",
            expected="a tensor: other data can change, so a tensor of it is a copy",
            cure="wf.asarray(obj)",
        )
    if hasattr(obj, "__dlpack__") and not isinstance(obj, np.ndarray | np.generic):
        made = from_dlpack(obj, device=device)
        return made if dtype is None else made.astype(dtype)
    return tensor(obj, dtype, device=device)


def from_dlpack(x: Any, /, *, device: Any = None, copy: bool | None = None) -> Tensor:
    """The data of an array of another library, through the DLPack protocol; a copy unless ``copy=False``.

    >>> import weft as wf, numpy as np
    >>> wf.from_dlpack(np.arange(3)).tolist()
    [0, 1, 2]
    """
    if not hasattr(x, "__dlpack__"):
        raise DTypeError(
            f"from_dlpack of {type(x).__name__}", expected="an object with __dlpack__", cure="wf.tensor(x)"
        )
    if isinstance(x, Tensor):
        return asarray(x, device=device, copy=copy)
    return Tensor(dlpack.imported(x, share=copy is False), device=device)


def full(
    shape: int | tuple[int, ...],
    fill_value: complex,
    *,
    dtype: DType | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Any:
    """A tensor of ``shape`` filled with ``fill_value``, in the type of the value unless ``dtype`` says otherwise.

    >>> import weft as wf
    >>> wf.full(2, 7).tolist()
    [7, 7]
    """
    with _placed(device):
        return _finished(ops.full(shape, fill_value, dtype=dtype), requires_grad)


def zeros(
    shape: int | tuple[int, ...], *, dtype: DType | None = None, device: Any = None, requires_grad: bool = False
) -> Any:
    """A tensor of zeros.

    >>> import weft as wf
    >>> wf.zeros((2, 2)).tolist()
    [[0.0, 0.0], [0.0, 0.0]]
    """
    with _placed(device):
        return _finished(ops.full(shape, 0, dtype=_or_default(dtype)), requires_grad)


def ones(
    shape: int | tuple[int, ...], *, dtype: DType | None = None, device: Any = None, requires_grad: bool = False
) -> Any:
    """A tensor of ones.

    >>> import weft as wf
    >>> wf.ones(3, dtype=wf.int64).tolist()
    [1, 1, 1]
    """
    with _placed(device):
        return _finished(ops.full(shape, 1, dtype=_or_default(dtype)), requires_grad)


def empty(shape: int | tuple[int, ...], *, dtype: DType | None = None, device: Any = None) -> Any:
    """A tensor whose elements mean nothing yet; they are zeros, since nothing would be gained by leaving garbage.

    >>> import weft as wf
    >>> wf.empty((2, 3)).shape
    (2, 3)
    """
    return zeros(shape, dtype=dtype, device=device)


def _or_default(dtype: Any) -> Any:
    return float32 if dtype is None else dtype


def full_like(x: Any, /, fill_value: complex, *, dtype: DType | None = None, device: Any = None) -> Any:
    """``fill_value`` in the shape, the type and on the device of ``x``.

    >>> import weft as wf
    >>> wf.full_like(wf.tensor([1.0, 2.0]), 3).tolist()
    [3.0, 3.0]
    """
    x = as_tensor(x)
    return full(x.shape, fill_value, dtype=x.dtype if dtype is None else dtype, device=_beside(x, device))


def zeros_like(x: Any, /, *, dtype: DType | None = None, device: Any = None) -> Any:
    """Zeros in the shape, the type and on the device of ``x``.

    >>> import weft as wf
    >>> wf.zeros_like(wf.tensor([1, 2])).tolist()
    [0, 0]
    """
    return full_like(x, 0, dtype=dtype, device=device)


def ones_like(x: Any, /, *, dtype: DType | None = None, device: Any = None) -> Any:
    """Ones in the shape, the type and on the device of ``x``.

    >>> import weft as wf
    >>> wf.ones_like(wf.tensor([1, 2])).tolist()
    [1, 1]
    """
    return full_like(x, 1, dtype=dtype, device=device)


def empty_like(x: Any, /, *, dtype: DType | None = None, device: Any = None) -> Any:
    """A tensor in the shape, the type and on the device of ``x`` whose elements mean nothing yet.

    >>> import weft as wf
    >>> wf.empty_like(wf.tensor([1, 2])).dtype
    weft.int64
    """
    return zeros_like(x, dtype=dtype, device=device)


def _beside(x: Any, where: Any) -> Any:
    """The device that is named, or that of ``x``; inside a recorded function there is only one."""
    return where if where is not None or not isinstance(context.recording, Log) else x.device


def arange(
    start: float,
    /,
    stop: float | None = None,
    step: float = 1,
    *,
    dtype: DType | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Any:
    """start, start + step, … below ``stop``; with one argument from 0 to it.

    >>> import weft as wf
    >>> wf.arange(2, 8, 3).tolist()
    [2, 5]
    """
    with _placed(device):
        return _finished(ops.arange(start, stop, step, dtype=dtype), requires_grad)


def linspace(
    start: complex,
    stop: complex,
    /,
    num: int,
    *,
    dtype: DType | None = None,
    device: Any = None,
    endpoint: bool = True,
    requires_grad: bool = False,
) -> Any:
    """``num`` evenly spaced numbers from ``start`` to ``stop``, which is one of them if ``endpoint``.

    >>> import weft as wf
    >>> wf.linspace(0, 1, 3).tolist()
    [0.0, 0.5, 1.0]
    """
    with _placed(device):
        return _finished(ops.linspace(start, stop, num, dtype=dtype, endpoint=endpoint), requires_grad)


def eye(
    n_rows: int, n_cols: int | None = None, /, *, k: int = 0, dtype: DType | None = None, device: Any = None
) -> Any:
    """Ones on the ``k``-th diagonal, zeros elsewhere.

    >>> import weft as wf
    >>> wf.eye(2, 3, k=1).tolist()
    [[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    """
    with _placed(device):
        return ops.eye(n_rows, n_cols, k=k, dtype=_or_default(dtype))
