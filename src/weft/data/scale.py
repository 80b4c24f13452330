"""Scaling: each feature, or each channel of a picture, to a common size, with numbers from the training part only."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from weft.data.check import check_finite
from weft.data.naming import listing
from weft.data.warning import DataWarning
from weft.errors import ArgumentError, DataError, FileError, ShapeError

Array = np.ndarray[Any, Any]
Method = Literal["standard", "minmax", "none"]
METHODS: tuple[Method, ...] = get_args(Method)


@dataclass(frozen=True)
class Scaler:
    """The map x ↦ (x − shift) / scale, one shift and one scale a feature.

    ``Scaler.fit`` finds the numbers: mean and standard deviation ("standard"), minimum and range ("minmax").
    Features are along ``axis``: the columns of (n, d), the channels of (n, c, h, w) or (n, c, length), or all of (n,);
    of sequences (n, times, features) with ``axis=-1``.

    >>> scaler = Scaler.fit(np.array([[0.0, 7.0], [10.0, 7.0]]), method="minmax")
    >>> scaler.apply(np.array([[5.0, 7.0]])).tolist()
    [[0.5, 0.0]]
    >>> scaler.invert(np.array([[0.5, 0.0]])).tolist()
    [[5.0, 7.0]]
    """

    method: Method
    shift: tuple[float, ...]
    scale: tuple[float, ...]
    axis: int = 1

    @classmethod
    def fit(cls, x: Any, method: Method = "standard", axis: int | None = None) -> Scaler:
        """The scaler of the training rows ``x``; a constant feature is only shifted. ``axis`` is 1 if None.

        Warns (DataWarning) when x has three axes and none is named: the second may be channels, or times. Raises
        ArgumentError for an unknown method or axis, DataError when x is empty or not finite.
        """
        return cls.fit_blocks([x], method, axis)

    @classmethod
    def fit_blocks(cls, blocks: Iterable[Any], method: Method = "standard", axis: int | None = None) -> Scaler:
        """The scaler of rows that come in blocks, arrays or what ``blocks(…)`` of a data set gives; none is kept.

        It equals ``fit`` of all rows to rounding. Warns and raises as ``fit`` does; ShapeError when features differ.

        >>> Scaler.fit_blocks([np.array([[0.0], [1.0]]), np.array([[5.0]])]).shift
        (2.0,)
        """
        if method not in METHODS:
            raise ArgumentError(f"method={method!r}", expected=f"one of {listing(METHODS)}", cure='method="standard"')
        if axis is not None and (isinstance(axis, bool) or not isinstance(axis, int) or axis == 0):
            raise ArgumentError(f"axis={axis!r}", expected="the axis of the features, which is not 0, that of the rows")
        total: Moments | None = None
        for block in blocks:
            array = np.asarray(getattr(block, "x", block))
            if total is None and axis is None and array.ndim == 3 and method != "none":
                warnings.warn(
                    f"x of shape {array.shape} is scaled along axis 1, by {array.shape[1]} channels; "
                    "of sequences (n, times, features): Scaler.fit(x, axis=-1); axis=1 says that it is meant",
                    DataWarning,
                    stacklevel=3,
                )
            if array.size == 0:
                raise DataError(f"x of shape {array.shape} is empty", expected="at least one row to fit on")
            check_finite(array, "x")
            moments = Moments.of(_columns(array, 1 if axis is None else axis))
            total = moments if total is None else total.merged(moments)
        if total is None:
            raise DataError("no block of rows", expected="at least one row to fit on")
        shift, scale = _numbers(total, method)
        return cls(method, tuple(shift.tolist()), tuple(scale.tolist()), 1 if axis is None else axis)

    def apply(self, x: Any, *, keep_float64: bool = False) -> Array:
        """Scaled ``x`` of the same shape, float32, or float64 where x is that and it is to be kept.

        What float32 cannot hold, such as a time in seconds, is scaled first and rounded then. Raises ShapeError when x
        has another number of features.
        """
        array, kind = self._checked(x, keep_float64)
        if self.method != "none":
            array = (array - self._like(array, self.shift)) / self._like(array, self.scale)
        return array.astype(kind, copy=False)

    def invert(self, x: Any, *, keep_float64: bool = False) -> Array:
        """The ``x`` that ``apply`` maps to this one, of the type that it gives. Raises ShapeError as ``apply`` does."""
        array, kind = self._checked(x, keep_float64)
        if self.method != "none":
            array = array * self._like(array, self.scale) + self._like(array, self.shift)
        return array.astype(kind, copy=False)

    def to_json(self) -> dict[str, Any]:
        """The scaler as plain data.

        >>> Scaler("minmax", (0.0,), (2.0,)).to_json()
        {'method': 'minmax', 'shift': [0.0], 'scale': [2.0]}
        """
        axis = {} if self.axis == 1 else {"axis": self.axis}
        return {"method": self.method, "shift": list(self.shift), "scale": list(self.scale), **axis}

    @classmethod
    def from_json(cls, data: Any) -> Scaler:
        """The scaler that ``to_json`` wrote. Raises FileError when the data is anything else.

        >>> Scaler.from_json({"method": "none", "shift": [0.0], "scale": [1.0]})
        Scaler(method='none', shift=(0.0,), scale=(1.0,), axis=1)
        """
        known = isinstance(data, dict) and set(data) - {"axis"} == {"method", "shift", "scale"}
        if not (known and data["method"] in METHODS and type(data.get("axis", 1)) is int and data.get("axis") != 0):
            raise _bad_file(f"a scaler with {sorted(data) if isinstance(data, dict) else type(data).__name__}")
        shift, scale = data["shift"], data["scale"]
        if not (_are_numbers(shift) and _are_numbers(scale) and len(shift) == len(scale) > 0 and 0 not in scale):
            raise _bad_file("a scaler whose shift and scale are not finite numbers of equal count, scale not 0")
        return cls(data["method"], tuple(map(float, shift)), tuple(map(float, scale)), data.get("axis", 1))

    def _checked(self, x: Any, keep_float64: bool) -> tuple[Array, Any]:
        """``x`` in the type in which it is scaled, and the type of the result."""
        array = np.asarray(x)
        kind = np.float64 if keep_float64 and array.dtype == np.float64 else np.float32
        array = array.astype(np.result_type(array.dtype, np.float32), copy=False)
        features = 1 if array.ndim < 2 else array.shape[_axis(array, self.axis)]
        if features != len(self.shift):
            raise ShapeError(
                f"x of shape {array.shape} has {features} features",
                expected=f"{len(self.shift)} features, as the scaler was fitted on",
            )
        return array, kind

    def _like(self, array: Array, numbers: tuple[float, ...]) -> Array:
        # Axes of length 1 behind the features broadcast over the pixels.
        behind = array.ndim - 1 - _axis(array, self.axis) if array.ndim > 1 else 0
        return np.array(numbers, array.dtype).reshape((-1,) + (1,) * behind)


def _axis(array: Array, axis: int) -> int:
    """The axis counted from 0. Raises ArgumentError when it is that of the rows, or not there."""
    place = axis + array.ndim if axis < 0 else axis
    if not 0 < place < array.ndim:
        raise ArgumentError(f"axis={axis} of x of shape {array.shape}", expected="the axis of the features")
    return place


def _columns(array: Array, axis: int) -> Array:
    """All values of each feature, shape (values, features)."""
    if array.ndim < 2:
        return array.reshape(-1, 1)
    moved = np.moveaxis(array, _axis(array, axis), -1)
    return moved.reshape(-1, moved.shape[-1])


@dataclass(frozen=True, eq=False)
class Moments:
    """Count, mean, sum of squared deviations, least and greatest value of each feature, shape (features,), float64."""

    count: int
    mean: Array
    squares: Array
    low: Array
    high: Array

    @classmethod
    def of(cls, columns: Array) -> Moments:
        """Those of values of shape (values, features)."""
        mean = columns.mean(axis=0, dtype=np.float64)
        low, high = columns.min(axis=0).astype(np.float64), columns.max(axis=0).astype(np.float64)
        return cls(len(columns), mean, columns.var(axis=0, dtype=np.float64) * len(columns), low, high)

    def merged(self, other: Moments) -> Moments:
        """Those of both together.

        Source: Chan, Golub, LeVeque, "Algorithms for computing the sample variance" (1983).
        """
        if self.mean.shape != other.mean.shape:
            raise ShapeError(
                f"a block of {len(other.mean)} features", expected=f"{len(self.mean)} features, as the first block"
            )
        count, apart = self.count + other.count, other.mean - self.mean
        return Moments(
            count,
            self.mean + apart * (other.count / count),
            self.squares + other.squares + apart**2 * (self.count * other.count / count),
            np.minimum(self.low, other.low),
            np.maximum(self.high, other.high),
        )


class StreamedMedian:
    """The median of numbers that come in pieces: exact up to ``keep`` of them, then to a rank of log₂(n/keep)/keep.

    Full buffers of equal weight are merged in pairs, and every other number of the two goes on with twice the weight:
    by turns the even and the odd ones, so that the errors of a level do not add up.
    Source: Munro and Paterson, "Selection and sorting with limited storage" (1980).

    >>> median = StreamedMedian(keep=100)
    >>> median.add(np.array([3.0, 1.0]))
    >>> median.add(np.array([2.0]))
    >>> median.value()
    2.0
    """

    def __init__(self, keep: int) -> None:
        self.keep, self.loose, self.levels, self.merges = keep, np.empty(0), [np.empty(0)], [0]

    def add(self, numbers: Array) -> None:
        """Take these numbers, shape (n,), into account."""
        self.loose = np.concatenate([self.loose, numbers])
        while len(self.loose) >= self.keep:
            buffer, self.loose = np.sort(self.loose[: self.keep]), self.loose[self.keep :]
            level = 0
            while len(self.levels[level]):
                buffer = np.sort(np.concatenate([buffer, self.levels[level]]))[(level + self.merges[level]) % 2 :: 2]
                self.merges[level] += 1
                self.levels[level] = np.empty(0)
                level += 1
                if level == len(self.levels):
                    self.levels.append(np.empty(0))
                    self.merges.append(0)
            self.levels[level] = buffer

    def value(self) -> float:
        """The median of all numbers so far."""
        parts = [self.loose, *self.levels]
        weights = np.repeat([1, *(2**level for level in range(len(self.levels)))], [len(part) for part in parts])
        values = np.concatenate(parts)
        order = np.argsort(values, kind="stable")
        reached = np.cumsum(weights[order])
        middle = np.searchsorted(2 * reached, [reached[-1], reached[-1] + 1])
        return float(values[order][middle].mean())


def _numbers(moments: Moments, method: Method) -> tuple[Array, Array]:
    low, high = moments.low, moments.high
    if method == "none":
        return np.zeros_like(low), np.ones_like(low)
    if method == "minmax":
        return low, _nonzero(high - low)
    deviation = np.sqrt(moments.squares / moments.count)
    # Rounding gives a constant column a mean and a deviation that are slightly off: dividing by it would explode.
    return np.where(low == high, low, moments.mean), _nonzero(np.where(low == high, 0.0, deviation))


def _nonzero(scale: Array) -> Array:
    # Below the smallest normal float32 the division would overflow.
    return np.where(scale < np.finfo(np.float32).tiny, 1.0, scale)


def _are_numbers(values: Any) -> bool:
    return isinstance(values, list) and all(
        isinstance(value, int | float) and not isinstance(value, bool) and np.isfinite(value) for value in values
    )


def _bad_file(received: str) -> FileError:
    return FileError(received, expected="method, shift and scale as Scaler.to_json writes them")
