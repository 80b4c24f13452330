"""Columns of the history by name: whether they should fall or rise, and what to say of one that is not there."""

from __future__ import annotations

import re
from difflib import get_close_matches

from weft.errors import ArgumentError

FALLING = re.compile(r"loss|error|mae|mse|mape|rmse|perplexity|brier|nll|divergence|distance|dead|ratio|norm")
RISING = re.compile(
    r"accuracy|auc|precision|recall|f1|fbeta|f_beta|iou|dice|r2|score|top\d|kappa|matthews|correlation|specificity|likelihood"
)


def mode_of(column: str, mode: str | None) -> str:
    """Whether a column should fall ("min") or rise ("max"): as said, or by its name.

    >>> mode_of("val_loss", None), mode_of("val_roc_auc", None)
    ('min', 'max')
    """
    if mode is not None:
        return mode
    falls, rises = FALLING.search(column), RISING.search(column)
    if bool(falls) == bool(rises):
        raise ArgumentError(
            f"EarlyStopping(monitor={column!r}): its name does not say whether it should fall or rise",
            expected='mode="min" or mode="max"',
            cure=f'EarlyStopping(monitor={column!r}, mode="max")',
        )
    return "min" if falls else "max"


def unknown(name: str, known: tuple[str, ...]) -> ArgumentError:
    """The lesson for a column that the history does not have."""
    close = get_close_matches(name, list(known), n=1)
    missing = name.startswith("val_") and name.removeprefix("val_") in [c.removeprefix("train_") for c in known]
    return ArgumentError(
        f"EarlyStopping watches {name!r}, which this fit does not measure"
        + (": there is no validation data" if missing else ""),
        expected=f"one of {', '.join(known)}",
        cure="fit(…, validation=0.2)" if missing else f"EarlyStopping(monitor={close[0]!r})" if close else None,
    )
