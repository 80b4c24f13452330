"""What was compiled, how long it took, and which value on which line made a program new."""

from __future__ import annotations

import threading
import warnings
from collections import Counter, deque
from dataclasses import dataclass
from typing import Any

from weft.graph.recording import Graph
from weft.graph.source import Source


class RecompileWarning(UserWarning):
    """The same lines keep making new programs."""


@dataclass(frozen=True)
class Compilation:
    """One new program: where it begins in the user's code, its length, its cost, and why it was new.

    ``loaded`` says that it was not compiled but found on disk, where an earlier process had left it.
    """

    source: Source | None
    entries: int
    seconds: float
    reason: str
    loaded: bool = False

    def __str__(self) -> str:
        where = str(self.source) if self.source else "the library"
        how = "  (loaded from disk)" if self.loaded else ""
        return f"{self.seconds * 1e3:7.0f} ms  {self.entries:5d} ops  {where}\n             {self.reason}{how}"


class Explanation:
    """The new programs of this process so far: print it, or read ``compilations``, ``count`` and ``seconds``.

    ``loaded`` of the ``count`` programs were found on disk; ``compiled`` were not.
    """

    def __init__(self, compilations: tuple[Compilation, ...], count: int, seconds: float, loaded: int) -> None:
        self.compilations, self.count, self.seconds, self.loaded = compilations, count, seconds, loaded

    @property
    def compiled(self) -> int:
        """How many programs XLA had to compile."""
        return self.count - self.loaded

    def __str__(self) -> str:
        head = (
            f"{self.count} programs in {self.seconds:.2f} s: {self.compiled} compiled, {self.loaded} loaded from disk"
        )
        return "\n".join([head, *map(str, self.compilations), *self.advice])

    @property
    def advice(self) -> list[str]:
        """For each line that made many programs, what to do about it."""
        made = Counter(c.source for c in self.compilations if c.source is not None)
        return [_advice(str(source), times) for source, times in made.items() if times >= _PATIENCE]

    __repr__ = __str__


_recent: deque[Compilation] = deque(maxlen=256)
_last_at: dict[Any, tuple[Graph, int]] = {}
_totals = {"count": 0, "seconds": 0.0, "loaded": 0}
_lock = threading.Lock()
_PATIENCE = 8  # new programs from the same line before a warning


def explain() -> Explanation:
    """What has been compiled so far and why: the newest 256 programs, and the totals.

    >>> import weft as wf
    >>> before = wf.explain().count
    >>> [float((wf.ones(3) * k).sum()) for k in (1.0, 2.0, 3.0)]  # one program: the number is an argument
    [3.0, 6.0, 9.0]
    >>> wf.explain().count - before <= 1
    True
    """
    with _lock:
        return Explanation(tuple(_recent), int(_totals["count"]), _totals["seconds"], int(_totals["loaded"]))


def seconds_compiling() -> float:
    """How long new programs have taken in this process so far."""
    return _totals["seconds"]


def compiled(graph: Graph, seconds: float, *, loaded: bool = False) -> None:
    """Note a new program; warn when the same place compiles again and again."""
    source = graph.notes[0][:2] if graph.notes else None
    place = (source[0].co_filename, source[1], len(graph.entries)) if source else None
    with _lock:
        previous, times = _last_at.get(place, (None, 0))
        reason = _difference(previous, graph) if previous is not None else "first time"
        if len(_last_at) > 4096:
            _last_at.clear()
        _last_at[place] = (graph, times + 1)
        found = Compilation(Source(*source) if source else None, len(graph.entries), seconds, reason, loaded)
        _recent.append(found)
        _totals["count"] += 1
        _totals["seconds"] += seconds
        _totals["loaded"] += loaded
    if found.source is not None and times + 1 == _PATIENCE:
        line = found.source
        warnings.warn_explicit(  # at the line that makes the programs: nothing on the stack says which that is
            f"{_advice(line.text or 'this line', times + 1)}\n"
            f"The last one was new because {reason}; wf.explain() lists them all.",
            RecompileWarning,
            line.code.co_filename,
            line.line,
        )


def _advice(what: str, times: int) -> str:
    return (
        f"{what} made {times} programs. Shapes and static arguments are part of a program, numbers and data are not: "
        "keep the shapes the same, or bring them to a few sizes (wf.pad, batches of one size, a mask for the rest)."
    )


def _difference(old: Graph, new: Graph) -> str:
    for slot, (a, b) in enumerate(zip(old.inputs, new.inputs, strict=False)):
        if a is not b:
            return f"input {slot} changed from {a!r} to {b!r}"
    for number, ((op, refs, params, _), (other, others, settings, _)) in enumerate(
        zip(old.entries, new.entries, strict=False)
    ):
        place = f"at {Source(*new.notes[number][:2])}"
        if op is not other:
            return f"op {number} changed from {op.name} to {other.name} {place}"
        if params != settings:
            changed = [f"{k}={y!r} (was {x!r})" for (k, x), (_, y) in zip(params, settings, strict=False) if x != y]
            return f"op {number}, {op.name}: {', '.join(changed)} {place}"
        if refs != others:
            return f"op {number}, {op.name}, takes other operands {place}"
    if old == new:
        return "its tensors lie on other devices, or are divided among them otherwise"
    if old.outputs != new.outputs:
        return "other results of it are kept: a tensor is held that was not before, or the other way round"
    return f"it has {len(new.entries)} ops, not {len(old.entries)}"
