"""How well a regression predicts, in the target's own unit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Errors:
    """The mean absolute and root mean squared error, what always saying the mean would cost, and R².

    R² = 1 − Σ (y − p)² / Σ (y − mean y)²: 1 is perfect, 0 no better than always the mean of these rows.

    >>> Errors.of(np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 4.0]))
    Errors(absolute=0.3333333333333333, squared=0.5773502691896257, of_mean=0.6666666666666666, r2=0.5)
    """

    absolute: float
    squared: float
    of_mean: float
    r2: float

    @classmethod
    def of(cls, y: Array, prediction: Array) -> Errors:
        """The errors of predictions (n,) or (n, 1) of targets of as many numbers."""
        y, p = np.asarray(y, np.float64).reshape(-1), np.asarray(prediction, np.float64).reshape(-1)
        off = y - y.mean()
        with np.errstate(invalid="ignore", divide="ignore"):
            r2 = 1 - np.sum((y - p) ** 2) / np.sum(off**2)
        return cls(
            float(np.abs(y - p).mean()), float(np.sqrt(np.mean((y - p) ** 2))), float(np.abs(off).mean()), float(r2)
        )

    def lines(self, target: str) -> list[tuple[str, str]]:
        """The errors in words."""
        return [
            (f"mean absolute error of {target}", f"{self.absolute:.4g}"),
            ("the same, if always the mean were said", f"{self.of_mean:.4g}"),
            (f"root mean squared error of {target}", f"{self.squared:.4g}"),
            ("R² (share of the variance explained)", f"{self.r2:.3f}"),
        ]
