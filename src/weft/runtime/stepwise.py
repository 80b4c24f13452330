"""A recorded function run entry by entry, to see which one makes the first number that is not finite."""

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


class Culprit(NamedTuple):
    """The entry whose result is not finite although its operands are: its op, its place, and the result."""

    op: str
    source: Source
    value: np.ndarray[Any, Any]
    number: int  # of the entry


def first_nonfinite(body: Callable[[], Any]) -> Culprit | None:
    """Record ``body``, which may assign tensors outside of it, and run it without any effect; None if all is finite."""
    closure = close_over(lambda: body(), [], lambda _: [], "a step that is looked at")
    for culprit in _nonfinite(closure):
        return culprit
    return None


def _nonfinite(closure: Closure) -> Iterator[Culprit]:
    graph = closure.graph
    keys = {id(source) for source in closure.keys}
    arguments = [h.generator.next_words() if id(h) in keys else run(h.node) for h in closure.captured]  # type: ignore[attr-defined]
    values: list[Any] = []
    with _engine():
        arrays = [jax().device_put(a) for a in arguments]
        for number, (op, refs, params, _) in enumerate(graph.entries):
            operands = [fetch(r, values, arrays) for r in refs]
            made = op.lower(*operands, **dict(params))
            results = made if type(made) is tuple else (made,)
            values.extend(results)
            bad = next((np.asarray(r) for r in results if not _finite(r)), None)
            if bad is not None and all(map(_finite, operands)):
                yield Culprit(op.name, Source(*graph.notes[number]), bad, number)


@contextmanager
def _engine() -> Iterator[None]:
    device = default_device()
    with wide_types(), jax().default_device(device.engine), lowering.on(device.kind):
        yield


def _finite(value: Any) -> bool:
    array = np.asarray(value)
    if array.dtype.kind in "biu":
        return True
    if array.dtype.kind not in "fc":
        array = array.astype(np.float32)  # bfloat16 is no type of NumPy's own
    return bool(np.isfinite(array).all())


def rows_of(values: Sequence[Any] | np.ndarray[Any, Any], batch: int) -> np.ndarray[Any, Any]:
    """Which examples of a batch hold numbers that are not finite; none where the value has no axis of examples."""
    array = np.asarray(values)
    array = array if array.dtype.kind in "fc" else array.astype(np.float32)
    if array.ndim == 0 or array.shape[0] != batch:
        return np.zeros(0, np.int64)
    return np.flatnonzero(~np.isfinite(array.reshape(batch, -1)).all(axis=1))
