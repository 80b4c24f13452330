"""Exact resume: all that a fit changes, as arrays and plain data, and back again, bit for bit."""

from __future__ import annotations

import hashlib
import os
import re
import time
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np

from weft.errors import ArgumentError, FileError
from weft.storage.checkpoints import Checkpoints, Found
from weft.tensor import Tensor
from weft.train.beginning import arrays
from weft.train.callback import Callback, state_of
from weft.train.callbacks.live import LiveDiagnosis
from weft.train.options import whole
from weft.train.step import Part
from weft.train.supply import Streamed

if TYPE_CHECKING:
    from weft.train.loop import Loop
    from weft.train.trainer import Trainer

Array = np.ndarray[Any, Any]
SHARE = 20  # a checkpoint is written when the work since the last one took so many times as long as writing it


class Checkpoint(Callback):
    """How often a fit with a ``folder`` writes its state, and what it keeps there.

    ``every`` is the least number of seconds between two checkpoints; by default they take a twentieth of the time at
    most. ``keep_last`` of them are kept; each holds the best weights so far beside those of its moment.
    `Trainer.fit(…, resume=True)` goes on from the newest whole one.

    >>> Checkpoint(every=60)
    Checkpoint(every=60, keep_last=2)
    """

    def __init__(self, every: float | None = None, keep_last: int = 2) -> None:
        if every is not None and (isinstance(every, bool) or not (isinstance(every, int | float) and every >= 0)):
            raise ArgumentError(f"Checkpoint(every={every!r})", expected="seconds, 0 or more", cure="every=60")
        whole("keep_last", keep_last, 1, of="Checkpoint")
        self.every, self.keep_last = every, keep_last

    def before_fit(self, loop: Loop) -> None:
        if not any(isinstance(c, Keeper) for c in loop.callbacks):
            raise ArgumentError(
                f"{self!r} in a fit without a folder, which keeps nothing",
                expected="the folder of the checkpoints",
                cure='fit(…, folder="runs/mine")',
            )


class Keeper(Callback):
    """Writes the state of a fit into its folder while it runs, and brings it back."""

    def __init__(self, folder: str | os.PathLike[str], trainer: Trainer, loop: Loop, mark: dict[str, str]) -> None:
        given = [c for c in loop.callbacks if isinstance(c, Checkpoint)]
        if len(given) > 1:
            raise ArgumentError(
                f"{len(given)} callbacks that say when to write checkpoints: {', '.join(map(repr, given))}",
                expected="one of them",
                cure=f"callbacks=[{given[0]!r}]",
            )
        how = given[0] if given else Checkpoint()
        self.trainer, self.loop, self.every, self.mark = trainer, loop, how.every, mark
        self.checkpoints = Checkpoints(folder, how.keep_last)
        self.written, self.cost = time.monotonic(), 0.0
        self.given = trainer.callbacks  # the specifications
        self.kept = loop.callbacks[: len(self.given)]
        added = loop.callbacks[len(self.given) :]  # by ``verbose`` and ``on_epoch``, which may differ from call to call
        self.live = next((c for c in added if isinstance(c, LiveDiagnosis)), None)

    def __enter__(self) -> Keeper:
        self.checkpoints.__enter__()
        self.loop.callbacks.append(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.checkpoints.__exit__(kind, error, trace)

    # ── writing ─────────────────────────────────────────────────────────────────────────────────────────────

    def after_launch(self, loop: Loop) -> None:
        waited = time.monotonic() - self.written
        if waited >= (SHARE * self.cost if self.every is None else self.every):
            self.write()

    def write(self, stopped: str = "", *, final: bool = False) -> None:
        """Write everything now; ``stopped`` is why the fit has ended, ``final`` whether nothing follows."""
        started = time.monotonic()
        values, about = self.state()
        about |= {"stopped": stopped, "final": final}
        self.checkpoints.write(values, about, int(self.trainer.course.clock))
        self.written = time.monotonic()
        self.cost = self.written - started

    def state(self) -> tuple[dict[str, Array], dict[str, Any]]:
        """All that the fit changes: arrays, and what JSON holds."""
        standing, trainer = self.loop.standing, self.trainer
        course = standing.course
        values = {f"model/{path}": np.asarray(w.numpy()) for path, w in course.weights.items()}
        values |= {f"course/{name}": np.asarray(t.numpy()) for name, t in course.state().items()}
        for part in trainer.parts:
            found = part.optimizer.state_dict(moved(trainer, part), part.state)
            values |= {f"optimizer/{part.name}/{name}": value for name, value in found.items()}
        values["history"] = np.array(standing.history.rows, np.float64).reshape(-1, len(standing.history.columns))
        states = []
        for k, (callback, given) in enumerate(zip(self.kept, self.given, strict=True)):
            states.append(packed(state_of(callback, given), f"callback/{k}", values))
        about = {
            "done": standing.done,
            "position": standing.position,
            "begun": standing.begun,
            "initial": standing.initial,
            "notes": standing.notes,
            "columns": list(standing.history.columns),
            "callbacks": [[type(c).__name__, state] for c, state in zip(self.kept, states, strict=True)],
            "live": state_of(self.live, LiveDiagnosis()) if self.live is not None else {},
            "mark": self.mark,
        }
        return values, about

    # ── reading ─────────────────────────────────────────────────────────────────────────────────────────────

    def take_up(self, epochs: int) -> str:
        """Bring back the newest state, if there is one; why the fit had ended, if nothing is to follow."""
        found = self.checkpoints.newest()
        if found is None:
            return ""
        self.restore(found)
        for path, why in found.skipped:
            self.loop.standing.notes.append(f"the checkpoint {path.name} was passed over: {why}")
        if found.about["final"] or (self.loop.standing.done >= epochs and not self.loop.standing.position):
            return str(found.about["stopped"] or "epochs")
        return ""

    def restore(self, found: Found) -> None:
        """Put a state in place. Raises ArgumentError for that of another fit, FileError for one that is not whole."""
        differing(self.mark, found.about.get("mark", {}), found)
        standing, trainer, about = self.loop.standing, self.trainer, found.about
        course, history = standing.course, standing.history
        tensors = {f"model/{path}": w for path, w in course.weights.items()}
        tensors |= {f"course/{name}": t for name, t in course.state().items()}
        try:  # all is read before anything is changed
            values = {name: value_for(t, found.arrays[name], name) for name, t in tensors.items()}
            rows = [tuple(map(float, row)) for row in found.arrays["history"]]
            done, position, initial = int(about["done"]), int(about["position"]), about["initial"]
            begun = int(about.get("begun", 0))
            notes, live = list(map(str, about["notes"])), dict(about.get("live", {}))
            states = [unpacked(about["callbacks"][k][1], f"callback/{k}", found.arrays) for k in range(len(self.kept))]
            for part in trainer.parts:
                prefix = f"optimizer/{part.name}/"
                own = {k.removeprefix(prefix): v for k, v in found.arrays.items() if k.startswith(prefix)}
                part.optimizer.load_state_dict(own, moved(trainer, part), part.state)
        except (KeyError, IndexError, TypeError) as error:
            raise FileError(
                f"the checkpoint {found.path} lacks or garbles {error}", expected="one that this fit wrote"
            ) from error
        for name, t in tensors.items():
            t.assign(values[name])
        history.rows[:], standing.notes[:] = rows, notes
        standing.done, standing.position, standing.begun, standing.initial = done, position, begun, initial
        for callback, state in zip(self.kept, states, strict=True):
            vars(callback).update(state)
        if self.live is not None:
            vars(self.live).update(live)
        if history.rows:
            self.loop.row = history.row(history.epochs)


def moved(trainer: Trainer, part: Part) -> Any:
    """The module that a part moves."""
    return getattr(trainer.model, part.name) if part.name else trainer.model


def value_for(to: Tensor, value: Array, name: str) -> Array:
    """The saved value of a tensor."""
    if value.shape != to.shape:
        raise FileError(f"{name} has shape {value.shape} in the checkpoint", expected=f"{to.shape}")
    return value


def named(of: Any) -> str:
    """An object in words that another process says too: functions without their place in memory.

    >>> named(named) == named(named), "0x" in named([len, named])
    (True, False)
    """
    return re.sub(r" at 0x[0-9a-fA-F]+", "", repr(of))


# ── whether it is the same fit ──────────────────────────────────────────────────────────────────────────────


def marks(trainer: Trainer, prepared: Any, supply: Any) -> dict[str, str]:
    """What must be the same for a fit to go on exactly: data, model, and method, in words."""
    standing = trainer.standing
    assert standing is not None
    course = standing.course
    shapes = ", ".join(f"{path} {w.dtype.name}{list(w.shape)}" for path, w in course.weights.items())
    optimizers = ", ".join(
        f"{part.name}: {named(part.optimizer)}" if part.name else named(part.optimizer) for part in trainer.parts
    )
    return {
        "data": hashed_data(prepared),
        "model": hashlib.sha256(shapes.encode()).hexdigest()[:16],
        "loss": trainer.loss.name if trainer.loss is not None else "of the step",
        "optimizer": optimizers,
        "precision": trainer.precision.name,
        "batch_size": str(supply.batch_size),
        "seed": str(trainer.seed),
        "shuffle": in_order(supply),
        "augment": named(standing.method.augment),
        "pieces": str(standing.method.pieces),
        "callbacks": ", ".join(type(c).__name__ for c in trainer.callbacks),
        "columns": ", ".join(standing.history.columns),
    } | ({"block": str(supply.per_block)} if isinstance(supply, Streamed) else {})


def in_order(supply: Any) -> str:
    """Whether examples are shuffled; of an order of the user's own, that of the first epoch and its hash."""
    if callable(supply.shuffle):
        order = supply.order(0)
        return f"{order[:4].tolist()} …, {hashlib.sha256(order.tobytes()).hexdigest()[:16]}"
    return str(bool(supply.shuffle))


def hashed_data(prepared: Any) -> str:
    """A hash of the numbers of the data; of data that is read while training, of the sample and its size."""
    parts = [prepared.sample] + [p for p in (prepared.training, prepared.held_out) if hasattr(p, "x")]
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        for array in arrays(part):
            digest.update(f"{array.dtype}{array.shape}".encode())
            digest.update(np.ascontiguousarray(array).view(np.uint8).data if array.size else b"")
    return digest.hexdigest()


def differing(now: dict[str, str], then: dict[str, str], found: Found) -> None:
    """Refuse the state of a fit that differs."""
    names = [name for name in now if now[name] != then.get(name)]
    if names:
        lines = [f"{name}: {then.get(name)} then, {now[name]} now" for name in names]
        raise ArgumentError(
            f"the checkpoint {found.path} is of a fit that differs in {', '.join(names)}",
            expected="the same data, model and settings, so that training goes on exactly",
            where="\n".join(lines),
            cure="fit with what it was begun with, or folder= another one",
        )


# ── plain data with arrays in it ────────────────────────────────────────────────────────────────────────────


def packed(value: Any, path: str, into: dict[str, Array]) -> Any:
    """``value`` as JSON holds it, its arrays put into ``into`` by their path; tuples are told apart from lists."""
    if isinstance(value, np.ndarray):
        into[path] = value
        return {"array": path}
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, tuple):
        return {"tuple": [packed(v, f"{path}/{k}", into) for k, v in enumerate(value)]}
    if isinstance(value, list):
        return [packed(v, f"{path}/{k}", into) for k, v in enumerate(value)]
    if isinstance(value, dict):
        return {"dict": {k: packed(v, f"{path}/{k}", into) for k, v in value.items()}}
    return value


def unpacked(value: Any, path: str, arrays: dict[str, Array]) -> Any:
    """What `packed` was given."""
    if isinstance(value, list):
        return [unpacked(v, f"{path}/{k}", arrays) for k, v in enumerate(value)]
    if not isinstance(value, dict):
        return value
    if "array" in value:
        return arrays[path].copy()
    if "tuple" in value:
        return tuple(unpacked(v, f"{path}/{k}", arrays) for k, v in enumerate(value["tuple"]))
    return {k: unpacked(v, f"{path}/{k}", arrays) for k, v in value["dict"].items()}
