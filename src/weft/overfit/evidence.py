"""What a run leaves behind for its diagnosis: curves, noise, and what was found between the splits."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from weft.errors import ArgumentError, DataError, FileError
from weft.overfit import jsontext
from weft.overfit.check import truths

FORMAT = "weft.evidence/1"

Kept = Literal["best", "last", "other"]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_CURVES = ("train_loss", "val_loss")
_COUNTS = ("n_train", "n_val", "train_size", "shared_groups")
_EXAMPLES = ("train_examples_best", "val_examples_best", "val_examples_last")
_CORRECT = ("val_correct_best", "val_correct_last")
_OPTIONAL_NUMBERS = ("initial_train_loss", "probe_gain", "probe_val_gain")
_LATER = frozenset({"probe_val_gain", "chance_duplicates", "kept"})  # not in files of before there were such fields


@dataclass(frozen=True, eq=False)
class Evidence:
    """All that a diagnosis needs to know of one run; every loss is in evaluation mode, lower is better.

    ``train_loss`` (T,) is E_tr(t), at the weights of the end of epoch t, on a fixed training subsample of
    ``train_size`` rows; ``val_loss`` (T,) is E_va(t), on all ``n_val`` validation rows; ``baseline`` is E_0, the
    loss of the best constant predictor. The losses of single examples are those at the best epoch t* (lowest
    validation loss) and at the last one, T; ``val_correct_…`` says which examples were classified rightly there.
    ``initial_train_loss`` is E_tr(0), before training; ``probe_gain`` the relative fall of the lowest E_tr by a model
    twice as wide, ``probe_val_gain`` that of the lowest E_va. ``chance_duplicates`` is how many of the validation rows
    that equal a training row chance alone would make; ``kept`` says which weights the model was left with. What was not
    measured is None. Arrays are copied and made read-only.

    Raises DataError where nothing could be concluded: no epochs, curves of unequal lengths, no validation data.

    >>> run = Evidence(np.array([0.9, 0.5]), np.array([1.0, 0.7]), baseline=1.1, n_train=80, n_val=20, train_size=20)
    >>> Evidence.from_json(run.to_json()).val_loss
    array([1. , 0.7])
    """

    train_loss: Floats
    val_loss: Floats
    baseline: float
    n_train: int
    n_val: int
    train_size: int
    train_examples_best: Floats | None = None
    val_examples_best: Floats | None = None
    val_examples_last: Floats | None = None
    val_correct_best: Bools | None = None
    val_correct_last: Bools | None = None
    duplicates_percent: float = 0.0
    shared_groups: int = 0
    initial_train_loss: float | None = None
    probe_gain: float | None = None
    probe_val_gain: float | None = None
    chance_duplicates: float = 0.0
    kept: Kept = "best"

    def __post_init__(self) -> None:
        for name in (*_CURVES, *_EXAMPLES):
            _freeze(self, name, _numbers)
        for name in _CORRECT:
            _freeze(self, name, truths)
        _check_sizes(self)
        _check_numbers(self)

    @property
    def epochs(self) -> int:
        """T, the number of epochs."""
        return len(self.val_loss)

    def to_json(self) -> str:
        """Standard JSON; a NaN or an infinity is written as a string."""
        return jsontext.dump(FORMAT, {f.name: getattr(self, f.name) for f in dataclasses.fields(self)})

    @classmethod
    def from_json(cls, text: str) -> Evidence:
        """The evidence that `to_json` wrote; FileError if anything is missing, unknown or of another kind."""
        fields = jsontext.load(FORMAT, text)
        known = {f.name for f in dataclasses.fields(cls)}
        if not known - _LATER <= set(fields) <= known:
            wrong = [f"missing {n}" for n in sorted(known - _LATER - set(fields))]
            wrong += [f"unknown {jsontext.shortened(n)}" for n in sorted(set(fields) - known)]
            raise FileError(f"this evidence has other fields: {', '.join(wrong)}", expected=", ".join(sorted(known)))
        try:
            return cls(**{name: _decode(name, value) for name, value in fields.items()})
        except (DataError, ArgumentError) as error:
            raise FileError(f"this evidence contradicts itself: {error.received}", expected=error.expected) from None


def _decode(name: str, value: Any) -> Any:
    if name in _COUNTS:
        return jsontext.count(value, name)
    if name == "kept":
        return value
    if value is None and name in (*_EXAMPLES, *_CORRECT, *_OPTIONAL_NUMBERS):
        return None
    if name in _CORRECT:
        if not isinstance(value, list) or not all(isinstance(item, bool) for item in value):
            raise FileError(f"{name} is {jsontext.shortened(value)}", expected="a list of true and false")
        return np.array(value, dtype=np.bool_)
    if name in (*_CURVES, *_EXAMPLES):
        if not isinstance(value, list):
            raise FileError(f"{name} is {jsontext.shortened(value)}", expected="a list of numbers")
        return np.array([jsontext.number(item, name) for item in value], dtype=np.float64)
    return jsontext.number(value, name)


def _numbers(value: Any, name: str) -> Floats:
    try:
        return np.array(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise DataError(f"{name} is {jsontext.shortened(value)}", expected="an array of numbers") from None


def _freeze(evidence: Evidence, name: str, read: Callable[[Any, str], NDArray[Any]]) -> None:
    """Replace the field by its own read-only copy, so that a caller's buffer may be used again."""
    value = getattr(evidence, name)
    if value is None:
        return
    array = read(value, name)
    if array.ndim != 1:
        raise DataError(f"{name} has shape {array.shape}", expected="one axis: a number per epoch or per example")
    array.setflags(write=False)
    object.__setattr__(evidence, name, array)


def _check_sizes(e: Evidence) -> None:
    if len(e.train_loss) == 0 and len(e.val_loss) == 0:
        raise DataError("no epoch was trained, so there is nothing to judge", cure="trainer.fit(data, epochs=20)")
    if e.n_val < 1 or len(e.val_loss) == 0:
        raise DataError(
            "there is no validation data, and training data alone cannot show overfitting",
            expected="a loss on data that the model was not trained on, after every epoch",
            cure="trainer.fit(data, validation=0.2)",
        )
    if len(e.train_loss) != len(e.val_loss):
        raise DataError(
            f"train_loss covers {len(e.train_loss)} epochs and val_loss covers {len(e.val_loss)}",
            expected="one value each per epoch",
            cure="measure both at the end of every epoch; write np.nan where one could not be measured",
        )
    if not 1 <= e.train_size <= e.n_train:
        raise DataError(f"train_size is {e.train_size}", expected=f"between 1 and n_train = {e.n_train}")
    for names, size, of in (
        (_EXAMPLES[:1], e.train_size, "train_size"),
        ((*_EXAMPLES[1:], *_CORRECT), e.n_val, "n_val"),
    ):
        for name in names:
            array = getattr(e, name)
            if array is not None and len(array) != size:
                raise DataError(f"{name} has {len(array)} values", expected=f"one per example: {of} = {size}")


def _check_numbers(e: Evidence) -> None:
    if not math.isfinite(e.baseline):
        raise DataError(
            f"baseline, the loss of the best constant predictor, is {e.baseline}",
            expected="a finite number: without it nothing says what has been learned",
            cure="look for NaN and infinities in the targets",
        )
    if e.kept not in get_args(Kept):
        raise ArgumentError(f"kept is {e.kept!r}", expected=" or ".join(map(repr, get_args(Kept))))
    if not (math.isfinite(e.chance_duplicates) and e.chance_duplicates >= 0):
        raise ArgumentError(f"chance_duplicates is {e.chance_duplicates}", expected="a number of rows, 0 or more")
    if not 0 <= e.duplicates_percent <= 100:
        raise ArgumentError(f"duplicates_percent is {e.duplicates_percent}", expected="a percentage, 0 to 100")
    if e.shared_groups < 0:
        raise ArgumentError(f"shared_groups is {e.shared_groups}", expected="how many groups are on both sides")
