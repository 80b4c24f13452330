"""Leakage: examples of the validation part that the training part holds too, byte for byte."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from weft.data.naming import listing, plural
from weft.data.split import one_a_row
from weft.errors import ShapeError

Array = np.ndarray[Any, Any]
SHOWN = 5
_BLOCK_BYTES = 1 << 23
_SAMPLE = 2000
"""Training rows from which the chance that two rows agree is estimated."""


@dataclass(frozen=True)
class Leakage:
    """How many validation rows also occur in the training part, and which groups are on both sides.

    ``duplicates`` counts validation rows, ``percent`` is their share of the validation part, ``rows`` holds the first
    few (training index, validation index) pairs. ``by_chance`` is how many of them chance would make, were the columns
    independent of each other within a class: next to none in measurements, many in tables of a few categories.
    """

    duplicates: int
    percent: float
    rows: tuple[tuple[int, int], ...]
    shared_groups: tuple[Any, ...] = ()
    by_chance: float = field(default=0.0, repr=False)

    def __bool__(self) -> bool:
        return self.duplicates > 0 or len(self.shared_groups) > 0

    def describe(self) -> str:
        """One sentence for a person."""
        if not self:
            return "no validation row occurs in the training part"
        told = []
        if self.duplicates:
            train, validation = self.rows[0]
            told.append(
                f"{plural(self.duplicates, 'validation row')} ({self.percent:.1f} %) also in the training part: "
                f"validation row {validation} is training row {train}"
            )
        if self.shared_groups:
            names = listing([str(group) for group in self.shared_groups], 5)
            told.append(f"{plural(len(self.shared_groups), 'group')} on both sides: {names}")
        return "; ".join(told)


def leakage(x_train: Any, x_val: Any, groups_train: Any = None, groups_val: Any = None) -> Leakage:
    """Find exact copies of training rows, shape (n, …), among validation rows, shape (m, …), of any rank.

    Rows are hashed, and rows of equal hash compared. Raises ShapeError when a row of one side has another shape.

    >>> leakage([[1, 2], [3, 4]], [[3, 4], [5, 6]])
    Leakage(duplicates=1, percent=50.0, rows=((1, 0),), shared_groups=())
    """
    train, val = np.asarray(x_train), np.asarray(x_val)
    if train.shape[1:] != val.shape[1:]:
        raise ShapeError(
            f"training rows of shape {train.shape[1:]}, validation rows of shape {val.shape[1:]}",
            expected="rows of one shape on both sides",
        )
    of_train, of_val = _matches(train, val)
    return Leakage(
        duplicates=len(of_val),
        percent=100.0 * len(of_val) / max(1, len(val)),
        rows=tuple(zip(of_train[:SHOWN].tolist(), of_val[:SHOWN].tolist(), strict=True)),
        shared_groups=_shared(groups_train, groups_val),
        by_chance=_by_chance(train, len(val)) if len(of_val) else 0.0,
    )


def _by_chance(train: Array, n_val: int) -> float:
    """The copies to be expected among ``n_val`` rows, were the columns independent of each other within a class.

    The classes are the values of the last column, where the target is, if it has few of them: without them the two
    widths of an iris would seem to agree by chance much less often than they do.
    """
    rows = train[np.random.default_rng(0).permutation(len(train))[:_SAMPLE]].reshape(min(len(train), _SAMPLE), -1)
    if not rows.size:
        return 0.0
    values, place = np.unique(rows[:, -1], return_inverse=True)
    if len(values) > math.sqrt(len(rows)):
        return n_val * _copied(rows, len(train))
    parts = [rows[place == k] for k in range(len(values))]
    shares = [len(part) / len(rows) for part in parts]
    return n_val * sum(share * _copied(part, share * len(train)) for share, part in zip(shares, parts, strict=True))


def _copied(rows: Array, n: float) -> float:
    """The probability ``1 - (1 - p)^n`` that one of ``n`` rows equals a given one, were the columns independent.

    Then two rows agree with probability ``p = Π_j p_j``; p_j is the share of all pairs of rows that agree in column j.
    """
    agree = 1.0
    for column in rows.T:
        counts = np.unique(column, return_counts=True)[1]
        agree *= float((counts * (counts - 1)).sum()) / max(len(rows) * (len(rows) - 1), 1)
        if agree * n < 1e-9:
            return 0.0
    return 1.0 if agree >= 1 else -math.expm1(n * math.log1p(-agree))


def _matches(train: Array, val: Array) -> tuple[Array, Array]:
    """For each validation row with an equal training row: the first such training row, and itself."""
    dtype = np.result_type(train.dtype, val.dtype)
    hashes, first = np.unique(_hash(train, dtype), return_index=True)
    wanted = _hash(val, dtype)
    if not len(hashes):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    place = np.minimum(np.searchsorted(hashes, wanted), len(hashes) - 1)
    of_val = np.flatnonzero(hashes[place] == wanted)
    of_train = first[place[of_val]]
    same = _equal_rows(train, val, of_train, of_val)
    return of_train[same], of_val[same]


def _equal_rows(train: Array, val: Array, of_train: Array, of_val: Array) -> Array:
    same = np.ones(len(of_val), bool)
    for block in _blocks(len(of_val), max(1, val[:1].nbytes)):
        pairs = train[of_train[block]] == val[of_val[block]]
        same[block] = pairs.reshape(len(pairs), -1).all(axis=1)
    return same


def _hash(array: Array, dtype: np.dtype[Any]) -> Array:
    """A 64-bit hash of the bytes of each row, shape (n,)."""
    count = int(np.prod(array.shape[1:]))
    words = max(1, -(-count * dtype.itemsize // 8))
    # Fixed odd multipliers, one a word: the same row has the same hash in every process.
    odd = np.random.Generator(np.random.Philox(0)).integers(1, 2**63, (2, words), np.uint64) | np.uint64(1)
    hashes = np.empty(len(array), np.uint64)
    for block in _blocks(len(array), words * 8):
        rows = array[block].reshape(-1, count).astype(dtype)
        padded = np.zeros((len(rows), words * 8), np.uint8)
        # Adding zero turns −0.0 into 0.0, which is equal but has other bytes.
        padded[:, : count * dtype.itemsize] = np.ascontiguousarray(rows + dtype.type(0)).view(np.uint8)
        hashes[block] = _mix(padded.view(np.uint64), odd)
    return hashes


def _mix(words: Array, odd: Array) -> Array:
    # Multiplying moves information upwards only; the shifts bring it down again, so that every bit counts.
    mixed = (words ^ (words >> np.uint64(32))) * odd[0]
    mixed = (mixed ^ (mixed >> np.uint64(29))) * odd[1]
    total: Array = (mixed ^ (mixed >> np.uint64(32))).sum(axis=1, dtype=np.uint64)
    return total


def _blocks(n: int, row_bytes: int) -> list[slice]:
    step = max(1, _BLOCK_BYTES // row_bytes)
    return [slice(start, min(n, start + step)) for start in range(0, n, step)]


def _shared(groups_train: Any, groups_val: Any) -> tuple[Any, ...]:
    if groups_train is None or groups_val is None:
        return ()
    train, val = (one_a_row(groups, len(groups)) for groups in (groups_train, groups_val))
    return tuple(np.intersect1d(train, val).tolist())
