"""Data from people as leaves of the graph: numbers, lists, arrays of NumPy and of the engine."""

from __future__ import annotations

from numbers import Number
from typing import Any

import numpy as np

from weft.errors import DTypeError, ShapeError, WeftError
from weft.graph.dtype import dtype as data_type
from weft.graph.node import Handle, Node, leaf
from weft.graph.recording import context
from weft.graph.spec import Spec
from weft.runtime import devices
from weft.runtime.log import Log, run
from weft.runtime.mesh import on_mesh


def leaf_of(data: Any, dtype: Any = None, device: Any = None) -> Node:
    """A leaf that holds ``data``: small arrays stay on the host until a program takes them.

    What lies on a mesh stays as it is divided there.
    """
    if isinstance(data, Handle):
        data = run(data.node)
    elif not _is_engine_array(data):
        data = host_array(data, dtype)
    if dtype is not None and data.dtype != data_type(dtype).numpy:
        data = np.asarray(data).astype(data_type(dtype).numpy)
    spec = Spec(tuple(data.shape), data_type(data.dtype))
    if device is not None:
        data = devices.as_place(device).put(data)
    elif data.nbytes > 1 << 14 and not on_mesh(data):
        data = current_device().put(data)
    return leaf(data, spec)


def current_device() -> devices.Place:
    recording = context.recording
    return recording.device if isinstance(recording, Log) else devices.default_device()


def _is_engine_array(data: Any) -> bool:
    return type(data).__module__.startswith("jax")


def host_array(data: Any, dtype: Any = None) -> np.ndarray:
    """A NumPy copy of ``data`` in a type that tensors have; Python floats become the default type, if none is named."""
    ours = isinstance(data, np.ndarray | np.generic) or _has_dtype(data)  # it says its own type
    try:
        array = np.array(data) if dtype is None or ours else np.array(data, data_type(dtype).numpy)
    except WeftError:  # of a tensor among the data
        raise
    except OverflowError as error:
        raise DTypeError(
            f"cannot make a tensor of {data_type(dtype).name}: {error}", expected="numbers that the type holds"
        ) from None
    except ValueError as error:
        raise ShapeError(
            f"cannot make a tensor of {type(data).__name__}: {error}", expected="rows of equal length"
        ) from None
    except (TypeError, RuntimeError) as error:  # another library's array, which it does not give to NumPy
        raise DTypeError(
            f"cannot make a tensor of {type(data).__name__}: {error}",
            expected="what NumPy takes as an array",
            cure="wf.from_dlpack(x), or x.detach() of a tensor of PyTorch that requires a gradient",
        ) from None
    given = array.dtype if dtype is None or ours else _unasked(data)  # NumPy makes NaN of None, and 3.0 of "3"
    if given.kind == "O" or (given.kind in "USmMV" and given.name != "bfloat16"):
        raise DTypeError(
            f"cannot make a tensor of {type(data).__name__} with elements of type {given}",
            expected="numbers or truth values",
            cure="float('nan') for a missing number; texts encoded first, as wf.data.read_csv does for tables",
        )
    if ours or dtype is not None:
        return array
    return array.astype({"float64": np.float32, "complex128": np.complex64}.get(array.dtype.name, array.dtype))


def _unasked(data: Any) -> np.dtype[Any]:
    """The type of the data itself; whole numbers that no type of NumPy holds count as floating point."""
    array = np.array(data)
    large = array.dtype == object and all(isinstance(value, Number) for value in array.flat)
    return np.dtype(np.float64) if large else array.dtype


def _has_dtype(data: Any) -> bool:
    """Whether the data says its own type, itself or in the elements of a list."""
    while isinstance(data, list | tuple) and data:
        data = data[0]
    return hasattr(data, "dtype")
