"""How a fit begins: where training stands with this data and method, and where its batches come from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from weft.augment import as_augmentation
from weft.data.dataset import Dataset
from weft.errors import ArgumentError
from weft.graph.closure import close_over
from weft.tensor import Tensor
from weft.train.callback import Callback
from weft.train.course import Course
from weft.train.history import History
from weft.train.loop import Standing
from weft.train.options import Method
from weft.train.precision import LossScale
from weft.train.preparation import Prepared, classes_of, output_shape, own_names
from weft.train.sources import ready
from weft.train.step import Step
from weft.train.supply import Resident, Streamed, Supply

if TYPE_CHECKING:
    from weft.train.trainer import Trainer

Array = np.ndarray[Any, Any]


@contextmanager
def undone_on_error(trainer: Trainer) -> Iterator[None]:
    """What the block changes in a trainer is as it was if it raises."""
    before = dict(vars(trainer))
    try:
        yield
    except BaseException:
        vars(trainer).update(before)
        raise


def stand(trainer: Trainer, prepared: Prepared, method: Method, callbacks: Sequence[Callback]) -> Standing:
    """Where training is if data, method and parameters are those of the last fit, else its beginning."""
    known, before = trainer.standing, trainer.prepared
    trainer.prepared = prepared
    if known is None or before is None:
        return begin(trainer, prepared, method, callbacks)
    other = {
        "method": known.method != method,
        "parameters to train": not trains(known.course, trainer),
        "data": not same_data(prepared, before),
    }
    if not any(other.values()):
        return known
    made = begin(trainer, prepared, method, callbacks)
    changed = " and ".join(what for what, differs in other.items() if differs)
    made.notes.append(f"{changed} differ from those of the last fit: the history and the best epoch begin anew")
    return made


def begin(trainer: Trainer, prepared: Prepared, method: Method, callbacks: Sequence[Callback]) -> Standing:
    """The beginning: programs, counters at zero, and a history whose columns are known."""
    sample, classifies = prepared.sample, trainer.loss is not None and trainer.loss.kind == "classification"
    labelled = sample.y is not None
    names = own_names(trainer.model, trainer.own, trainer.parts, sample.x, sample.y) if trainer.own else ()
    outputs = classes_of(output_shape(trainer.model, sample.x)) if trainer.loss is not None else 0
    trainer.judge(trainer.measured_by(names, labelled=labelled))
    step = Step(
        trainer.model,
        trainer.loss,
        trainer.metrics,
        trainer.parts,
        trainer.precision,
        LossScale(trainer.precision.scales),
        own=trainer.own,
        names=names,
        pieces=method.pieces,
        augment=augmentation(method.augment, outputs if classifies else None, sample),
        guarded=method.nonfinite != "ignore" or trainer.precision.scales,
        labelled=labelled,
        mesh=trainer.mesh,
    )
    course = Course(
        step,
        trainer.measure,
        arrays(prepared.training) if isinstance(prepared.training, Dataset) else None,
        evaluated(prepared),
        prepared.n_val,
        prepared.n_val + len(sample),
        trainer.seed,
        method.nonfinite,
        method.most_skipped if method.nonfinite == "skip" else 0,
    )
    course.outputs = outputs
    watched = [f"val_{name}" for name in trainer.watched if prepared.held_out is not None]
    added = [name for callback in callbacks for name in callback.columns]
    columns = course.columns
    check_columns([*columns, *watched, *added])
    trainer.standing = Standing(course, columns, History([*columns, *watched, *added]), method)
    return trainer.standing


def check_columns(names: Sequence[str]) -> None:
    """Refuse a history in which two columns have one name."""
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise ArgumentError(
            f"{', '.join(map(repr, twice))} is measured twice",
            expected="another name for each column of the history",
            cure='metrics=[wf.metrics.Metric("mine", function)], other names of logs, or one callback less',
        )


def trains(course: Course, trainer: Trainer) -> bool:
    """Whether a course is of the parameters that the model has now."""
    trained = [id(p) for part in course.step.parts for p in part.parameters]
    if not all(course.weights.get(path) is p for path, p in trainer.model.named_parameters()):
        return False
    course.step.choose()
    return trained == [id(p) for part in course.step.parts for p in part.parameters]


def same_data(a: Prepared, b: Prepared) -> bool:
    """Whether two fits see the very same numbers; of data that is read while training, the same source."""
    for one, other in ((a.training, b.training), (a.held_out, b.held_out)):
        if isinstance(one, Dataset) and isinstance(other, Dataset):
            if not all(equal(x, y) for x, y in zip(arrays(one), arrays(other), strict=True)):
                return False
        elif one is not other:
            return False
    return True


def equal(a: Array, b: Array) -> bool:
    """Whether two arrays hold the same numbers of the same type."""
    return a is b or (a.dtype == b.dtype and np.array_equal(a, b))


def arrays(data: Dataset) -> tuple[Array, Array]:
    """Inputs and targets; where there are no targets, columns that hold nothing."""
    return data.x, np.zeros((len(data), 0), np.float32) if data.y is None else np.asarray(data.y)


def evaluated(prepared: Prepared) -> list[tuple[Array, Array]] | None:
    """What is measured after each epoch: validation rows, then the sample of training rows; None if it is too much."""
    parts = [] if prepared.held_out is None else [prepared.held_out]
    if not all(isinstance(part, Dataset) for part in parts):
        return None
    return [arrays(part) for part in (*parts, prepared.sample)]


def supply_of(trainer: Trainer, prepared: Prepared, course: Course, batch_size: int, shuffle: Any) -> Supply:
    """Where the batches come from."""
    if course.resident is not None:
        size = min(batch_size, course.index.shape[0])
        return Resident(course.resident, course.index, size, trainer.seed, shuffle)
    if callable(shuffle):
        raise ArgumentError(
            "an order of one's own for data that is read while training",
            expected="shuffle=True or False",
            cure="source.load() if it fits into memory",
        )
    row = prepared.sample.x[:1].nbytes
    return Streamed(prepared.training, batch_size, row, trainer.seed, bool(shuffle), ready(trainer))


def augmentation(given: Any, classes: int | None, sample: Dataset) -> Any:
    """What to do to each batch: one specification from several, with the number of classes where labels are mixed.

    It is recorded once, so that what it cannot take is refused before anything has begun.
    """
    if given is None:
        return None
    made = as_augmentation(given)
    made.check(sample.x)
    made = made.with_classes(classes) if classes is not None else made
    x, y = (Tensor(a[:2]) for a in arrays(sample))
    keys = Tensor(np.zeros((x.shape[0], 2), np.uint32))
    close_over(lambda: made(x, y, keys), [], lambda _: [], "an augmentation that is looked at")
    return made
