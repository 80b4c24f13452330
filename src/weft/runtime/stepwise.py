"""A recorded function run entry by entry, to see which one made a number that is not finite."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from weft.graph.closure import Closure, close_over
from weft.graph.function import fetch
from weft.graph.lowering import lowering
from weft.graph.source import Source
from weft.runtime.devices import default_device
from weft.runtime.engine import jax, wide_types
from weft.runtime.log import run

Array = np.ndarray[Any, Any]


class Culprit(NamedTuple):
    """The entry at which a number ceases to be finite: its op, its place, and the result.

    ``given`` says that the entry did not make it but has it as an operand from outside: data, a parameter, a constant.
    """

    op: str
    source: Source
    value: Array
    number: int  # of the entry
    given: bool = False


def first_nonfinite(body: Callable[[], Any]) -> Culprit | None:
    """Record ``body``, which may assign tensors outside of it, and run it without any effect; None if all is finite.

    From the first of its results that is not finite the way leads back to what made it: infinities and NaN that reach
    no result, such as those of a mask, are no one's fault.
    """
    return Calculation(close_over(body, [], lambda _: [], "a step that is looked at")).culprit()


class Calculation:
    """Every value of a recorded function, each with the number of the entry that made it."""

    def __init__(self, closure: Closure) -> None:
        self.graph = closure.graph
        self.makers: list[int] = []
        self.values: list[Any] = []
        with keys_kept(closure.keys):
            keys = {id(source) for source in closure.keys}
            given = [h.generator.next_words() if id(h) in keys else run(h.node) for h in closure.captured]  # type: ignore[attr-defined]
        with _engine():
            self.arguments = [jax().device_put(a) for a in given]
            for number, (op, _, params, _) in enumerate(self.graph.entries):
                made = op.lower(*self.operands(number), **dict(params))
                results = made if type(made) is tuple else (made,)
                self.values.extend(results)
                self.makers.extend([number] * len(results))

    def operands(self, number: int) -> list[Any]:
        """The operands of an entry."""
        return [fetch(r, self.values, self.arguments) for r in self.graph.entries[number][1]]

    def culprit(self) -> Culprit | None:
        """What made the first result that is not finite."""
        for result in self.graph.outputs:
            if type(result) is int and result >= 0 and not np.isfinite(numbers(self.values[result])).all():
                return self.made(result)
        return None

    def made(self, value: int) -> Culprit:
        """The entry from which a value that is not finite stems.

        NaN comes from an operand that holds NaN, or else from one that is infinite, if a calculation has made that so
        out of finite numbers; infinity comes from an operand that is infinite.
        """
        of_infinities: Culprit | None = None  # what made NaN out of infinite operands
        while True:
            found, sources = self.looked_at(value)
            if np.isnan(found.value).any() and not found.given and sources:
                of_infinities = found
            calculated = [r for r in sources if type(r) is int and r >= 0]
            if not calculated:
                return of_infinities if of_infinities is not None and found.given else found
            value = calculated[0]

    def looked_at(self, value: int) -> tuple[Culprit, list[Any]]:
        """What made a value, and which of its operands let it become not finite."""
        number = self.makers[value]
        op, refs, _, _ = self.graph.entries[number]
        result, operands = numbers(self.values[value]), [numbers(a) for a in self.operands(number)]
        nan, infinite = (
            [r for r, a in zip(refs, operands, strict=True) if test(a).any()] for test in (np.isnan, np.isinf)
        )
        is_nan = bool(np.isnan(result).any())
        given = bool(nan if is_nan else infinite)
        return Culprit(op.name, Source(*self.graph.notes[number]), result, number, given), nan or infinite


@contextmanager
def keys_kept(keys: Sequence[Any]) -> Iterator[None]:
    """The generators of these keys draw the same again afterwards."""
    counters = [(key.generator, key.generator.counter) for key in keys]
    try:
        yield
    finally:
        for generator, counter in counters:
            generator.counter = counter


@contextmanager
def _engine() -> Iterator[None]:
    device = default_device()
    with wide_types(), jax().default_device(device.engine), lowering.on(device.kind):
        yield


def numbers(value: Any) -> Array:
    """An array of a type of NumPy's own: bfloat16 is none."""
    array = np.asarray(value)
    return array if array.dtype.kind in "biufc" else array.astype(np.float32)


def rows_of(values: Any, batch: int) -> Array:
    """Which examples of a batch hold numbers that are not finite; none where the value has no axis of examples."""
    array = numbers(values)
    if array.ndim == 0 or array.shape[0] != batch:
        return np.zeros(0, np.int64)
    return np.flatnonzero(~np.isfinite(array.reshape(batch, -1)).all(axis=1))
