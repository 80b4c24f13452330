"""Labels that a loss leaves out by ``ignore_index``: they name no class of the model, and count for nothing."""

from __future__ import annotations

from typing import Any

import numpy as np

from weft.data.check import check_labels
from weft.nn.losses import Loss

Array = np.ndarray[Any, Any]


def counted(loss: Loss, y: Array) -> Array | None:
    """Which of the labels ``y`` (N, …) count in the loss, in their shape; None if all do."""
    if loss.ignore_index is None or y.dtype.kind not in "iu":
        return None
    kept = y != loss.ignore_index
    return None if kept.all() else kept


def check_classes(loss: Loss, y: Array, classes: int) -> None:
    """Refuse labels of classes that the model does not have, unless the loss leaves them out."""
    kept = counted(loss, y)
    check_labels(y if kept is None else np.where(kept, y, 0), classes, "the model's last layer")
