"""What is known of labels on the host, without computing anything."""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from weft.errors import DataError
from weft.graph.node import Node
from weft.graph.recording import whereabouts
from weft.tensor import Tensor

_checked: WeakKeyDictionary[Node, Any] = WeakKeyDictionary()  # what was found in range, once for each tensor


def check_labels(
    labels: Tensor,
    classes: int,
    ignore_index: int,
    logits_shape: tuple[int, ...],
    axis: int,
    loss: str = "cross_entropy",
) -> None:
    """Refuse labels outside 0 … classes − 1, where their values are known, naming the first one."""
    node = labels.node
    if node.data is None or _checked.get(node) == (classes, ignore_index):
        return
    values = np.asarray(node.data)
    wrong = ((values < 0) | (values >= classes)) & (values != ignore_index)
    if wrong.any():
        at = tuple(int(k) for k in np.argwhere(wrong)[0])
        place = f"at index {at[0] if len(at) == 1 else at}" if at else "alone"
        raise DataError(
            f"{loss}: label {values[at]} {place} ({int(wrong.sum())} of {values.size} labels are out of range)",
            expected=f"0 ≤ label < {classes}: there are {classes} classes, the size of axis {axis} of the logits "
            f"{logits_shape}",
            where=whereabouts(),
            cure=_cure(values, classes, ignore_index),
        )
    _checked[node] = (classes, ignore_index)


def check_indices(indices: Tensor, rows: int) -> None:
    """Refuse indices outside 0 … rows − 1, where their values are known."""
    node = indices.node
    if node.data is None or _checked.get(node) == rows:
        return
    values = np.asarray(node.data)
    wrong = (values < 0) | (values >= rows)
    if wrong.any():
        raise DataError(
            f"embedding: the index {values[wrong][0]} for a table of {rows} rows",
            expected=f"0 ≤ index < {rows}",
            where=whereabouts(),
            cure=f"nn.Embedding({values.max() + 1}, …)" if values.max() >= rows else None,
        )
    _checked[node] = rows


def _cure(values: np.ndarray, classes: int, ignore_index: int) -> str:
    kept = values[values != ignore_index]
    if kept.min() == 1 and kept.max() == classes:
        return "labels - 1: these count from 1"
    if kept.min() < 0:
        return f"ignore_index={kept.min()} if this marks labels to leave out"
    return f"a last layer with {kept.max() + 1} outputs"
