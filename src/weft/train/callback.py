"""Callbacks: what somebody wants done at the events of a fit, as specifications whose state belongs to the run."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from weft.data.naming import closest
from weft.errors import ArgumentError

if TYPE_CHECKING:
    from weft.train.loop import Loop

EVENTS = (
    "before_fit",
    "before_epoch",
    "before_batch",
    "after_batch",
    "after_launch",
    "before_validation",
    "after_validation",
    "after_epoch",
    "after_fit",
)


class StopTraining(Exception):  # noqa: N818  # a decision, not an error
    """Raise it in a callback to end the fit; the model then holds what ``keep`` says, the best by default.

    ``why`` becomes the reason that the run names. A fit that is resumed goes on unless the stop was ``final``.
    """

    def __init__(self, why: str = "asked to stop", *, final: bool = True) -> None:
        self.why, self.final = why, final
        super().__init__(why)


class SkipBatch(Exception):  # noqa: N818
    """Raise it in ``before_batch`` to pass over the batch that would come next."""


class Callback:
    """The base of callbacks: override the events that you want.

    ``before_fit``, ``before_epoch``, ``before_batch``, ``after_batch``, ``before_validation``, ``after_validation``,
    ``after_epoch``, ``after_fit`` come when their names say; ``after_launch`` comes whenever the device has finished
    a piece of work, about five times a second, and costs no speed. Each gets the `Loop`: ``loop.model``,
    ``loop.epoch`` (number of the epoch, from 1), ``loop.batch`` (batches done in it), ``loop.row`` (what was measured),
    ``loop.history``. Raise `StopTraining` to end, `SkipBatch` to pass over a batch.

    A callback is a specification: each fit works with a copy of its own, so that one object used in two fits equals
    two fresh ones. What an event writes to ``self`` is the state of the run; it is saved with each checkpoint.

    >>> import weft as wf
    >>> class Count(wf.Callback):
    ...     epochs = 0
    ...     def after_epoch(self, loop):
    ...         self.epochs += 1
    >>> count = Count()
    >>> trainer = wf.Trainer(wf.nn.Linear(3), "cross_entropy", callbacks=[count])
    >>> run = trainer.fit(wf.data.iris(), epochs=3, verbose=False)
    >>> count.epochs, run.callbacks[0].epochs
    (0, 3)
    """

    columns: tuple[str, ...] = ()

    def measure(self, loop: Loop) -> dict[str, float]:
        """Values of ``columns``, which a callback adds to the history, at the end of each epoch."""
        return {}

    def before_fit(self, loop: Loop) -> None:
        """Before the first step."""

    def before_epoch(self, loop: Loop) -> None:
        """Before the first batch of an epoch."""

    def before_batch(self, loop: Loop) -> None:
        """Before each batch."""

    def after_batch(self, loop: Loop) -> None:
        """After each batch; ``loop.loss`` is its loss."""

    def after_launch(self, loop: Loop) -> None:
        """After each piece of work of the device, however many batches it was."""

    def before_validation(self, loop: Loop) -> None:
        """After the last batch of an epoch, before anything is measured."""

    def after_validation(self, loop: Loop) -> None:
        """When the row of an epoch has been measured; ``loop.row`` holds it and may not be changed."""

    def after_epoch(self, loop: Loop) -> None:
        """When the row stands in the history."""

    def after_fit(self, loop: Loop) -> None:
        """After the last epoch, before the weights to keep are put into the model."""

    def weights_to_hold(self, loop: Loop) -> tuple[Mapping[str, Any], str] | None:
        """Weights by path that the model is to hold instead of the best ones, and a note that says why; or None."""
        return None

    def __repr__(self) -> str:
        shown = ", ".join(f"{k}={v!r}" for k, v in vars(self).items() if not k.startswith("_"))
        return f"{type(self).__name__}({shown})"


C = TypeVar("C", bound=Callback)


class EachEpoch(Callback):
    """A function as a callback: called with the number of each epoch and its row."""

    def __init__(self, call: Any) -> None:
        self.call = call

    def after_epoch(self, loop: Loop) -> None:
        self.call(loop.epoch, loop.row)


def checked(callbacks: Iterable[Any]) -> tuple[Callback, ...]:
    """Callbacks; anything else is refused."""
    if isinstance(callbacks, Callback):
        raise ArgumentError(f"callbacks={callbacks!r}", expected="a list", cure=f"callbacks=[{callbacks!r}]")
    if not isinstance(callbacks, Iterable):
        raise ArgumentError(f"callbacks={callbacks!r}", expected="a list", cure="callbacks=[]")
    given = tuple(callbacks)
    for callback in given:
        if not isinstance(callback, Callback):
            made = f"{callback.__name__}()" if isinstance(callback, type) else None
            raise ArgumentError(
                f"{callback!r} as a callback", expected="an object of a subclass of wf.Callback", cure=made
            )
        for name in dir(type(callback)):
            if name.startswith(("before_", "after_")) and name not in EVENTS:  # it would never be called
                raise ArgumentError(
                    f"{type(callback).__name__}.{name}, which is no event",
                    expected=f"one of {', '.join(EVENTS)}; another name for what is none",
                    cure=closest(name, EVENTS),
                )
        columns: Any = callback.columns
        if isinstance(columns, str):  # each letter would be one
            raise ArgumentError(
                f"{type(callback).__name__}.columns = {columns!r}",
                expected="a tuple of names",
                cure=f"columns = ({columns!r},)",
            )
    return given


def wants(callbacks: Sequence[Callback], event: str) -> list[Callback]:
    """The callbacks that override an event."""
    return [c for c in callbacks if getattr(type(c), event) is not getattr(Callback, event)]


def measured(callback: Callback, loop: Loop) -> dict[str, float]:
    """The values of a callback's columns at the end of an epoch."""
    values = callback.measure(loop)
    missing = [name for name in callback.columns if not isinstance(values, Mapping) or name not in values]
    if missing:
        name, given = type(callback).__name__, list(values) if isinstance(values, Mapping) else values
        raise ArgumentError(
            f"{name}.measure returned {given!r}, without {', '.join(map(repr, missing))}",
            expected=f"a dict with a number for each of columns = {callback.columns!r}",
            cure=f"return {{{', '.join(f'{column!r}: …' for column in callback.columns)}}}",
        )
    return {name: float(values[name]) for name in callback.columns}


def fresh(callback: C) -> C:
    """A copy for one run: containers and arrays are copied too, models and functions shared."""
    made = copy.copy(callback)
    vars(made).update({name: _copied(value) for name, value in vars(callback).items()})
    return made


def _copied(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.copy()
    if isinstance(value, list | tuple | set) and type(value) in (list, tuple, set):
        return type(value)(_copied(v) for v in value)
    if type(value) is dict:
        return {k: _copied(v) for k, v in value.items()}
    return fresh(value) if isinstance(value, Callback) else value


def state_of(callback: Callback, given: Callback) -> dict[str, Any]:
    """What a run has written to its copy of a callback: attributes that differ from those of the specification.

    Raises ArgumentError for what a file of numbers and texts cannot hold.
    """
    before, private = vars(given), tuple(f"_{cls.__name__.lstrip('_')}__" for cls in type(callback).__mro__)
    changed = {
        name: value
        for name, value in vars(callback).items()
        if not name.startswith(private) and (name not in before or not _same(value, before[name]))
    }
    for name, value in changed.items():
        if not _plain(value):
            raise ArgumentError(
                f"{type(callback).__name__}.{name} is a {type(value).__name__}, which no checkpoint can hold",
                expected="numbers, texts, None, arrays, and lists, tuples and dicts of them",
                cure=f"keep it under a name that begins with two underscores, and make it anew in before_fit: "
                f"self.__{name.lstrip('_')}",
            )
    return changed


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return type(a) is type(b) and a.dtype == b.dtype and np.array_equal(a, b)
    if type(a) is not type(b):
        return False
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(_same, a, b))
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(_same(a[k], b[k]) for k in a)
    return a is b or bool(a == b)


def _plain(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(map(_plain, value))
    if isinstance(value, dict):
        return all(isinstance(k, str) and _plain(v) for k, v in value.items())
    return value is None or isinstance(value, bool | int | float | str | np.ndarray | np.generic)
