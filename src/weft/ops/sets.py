"""Sets: the different elements of a tensor. How many there are is known only from the values, which are needed."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from weft.graph.op import tensor_like
from weft.ops.comparison import equal, logical_not
from weft.ops.manipulation import expand_dims
from weft.ops.searching import take
from weft.ops.statistics import any


class UniqueAll(NamedTuple):
    """What `unique_all` finds."""

    values: Any
    indices: Any
    inverse_indices: Any
    counts: Any


class UniqueCounts(NamedTuple):
    """What `unique_counts` finds."""

    values: Any
    counts: Any


class UniqueInverse(NamedTuple):
    """What `unique_inverse` finds."""

    values: Any
    inverse_indices: Any


def unique_all(x: Any, /) -> UniqueAll:
    """The different elements in order, where each stands first, which one each element is, and how often it occurs.

    Every NaN counts as different from the others.

    >>> import weft as wf
    >>> found = wf.unique_all(wf.tensor([5, 3, 5]))
    >>> found.values.tolist(), found.indices.tolist(), found.inverse_indices.tolist(), found.counts.tolist()
    ([3, 5], [1, 0], [1, 0, 1], [1, 2])
    """
    x = tensor_like(x)
    _, first, which, counts = np.unique(
        x.numpy(), return_index=True, return_inverse=True, return_counts=True, equal_nan=False
    )
    values = take(x.reshape(-1), tensor_like(first.astype(np.int64)))
    rest = (first, which.reshape(x.shape), counts)
    return UniqueAll(values, *(tensor_like(part.astype(np.int64)) for part in rest))


def unique_counts(x: Any, /) -> UniqueCounts:
    """The different elements in order, and how often each occurs.

    >>> import weft as wf
    >>> wf.unique_counts(wf.tensor([5, 3, 5])).counts.tolist()
    [1, 2]
    """
    found = unique_all(x)
    return UniqueCounts(found.values, found.counts)


def unique_inverse(x: Any, /) -> UniqueInverse:
    """The different elements in order, and which of them each element is: ``values[inverse_indices]`` is ``x``.

    >>> import weft as wf
    >>> wf.unique_inverse(wf.tensor([5, 3, 5])).inverse_indices.tolist()
    [1, 0, 1]
    """
    found = unique_all(x)
    return UniqueInverse(found.values, found.inverse_indices)


def unique_values(x: Any, /) -> Any:
    """The different elements, in order.

    >>> import weft as wf
    >>> wf.unique_values(wf.tensor([5, 3, 5])).tolist()
    [3, 5]
    """
    return unique_all(x).values


def isin(x1: Any, x2: Any, /, *, invert: bool = False) -> Any:
    """Whether each element of ``x1`` is one of those of ``x2`` (or, inverted, none of them).

    >>> import weft as wf
    >>> wf.isin(wf.tensor([1, 2, 3]), wf.tensor([3, 1])).tolist()
    [True, False, True]
    """
    x1, x2 = tensor_like(x1), tensor_like(x2)
    found = any(equal(expand_dims(x1, axis=-1), x2.reshape(-1)), axis=-1)
    return logical_not(found) if invert else found
