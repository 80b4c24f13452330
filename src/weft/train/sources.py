"""Data that is read while it trains: split, scaled and checked block by block."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Any

import numpy as np

from weft.data.check import check_scaled
from weft.data.dataset import Dataset, as_dataset
from weft.data.lazy import LazyDataset
from weft.data.naming import plural
from weft.data.scale import Scaler
from weft.data.split import check_unsplit, fitting
from weft.data.stream import Stream
from weft.errors import ArgumentError, DataError
from weft.train.preparation import SAMPLE, Prepared, output_shape, prepare, sample_of, scaled, targets, with_targets

if TYPE_CHECKING:
    from weft.train.trainer import Trainer

Array = np.ndarray[Any, Any]
HELD_BYTES = 1 << 29  # of validation data that is held in memory
PASS = 4096  # rows of a block of a pass over the data


def prepare_any(data: Any, validation: Any, trainer: Trainer, scale: Any, scale_target: bool, how: Any) -> Prepared:
    """Data in memory or data that is read while training, ready for a fit."""
    check_unsplit(validation, **how)
    source = as_source(data)
    if source is None:
        held_out = as_source(validation)
        given = held_out.load() if held_out is not None else validation
        wide = trainer.precision.wide
        return prepare(
            data, given, trainer.model, trainer.loss, trainer.seed, scale, scale_target, wide=wide, **how
        )  # fmt: skip
    return prepare_read(source, validation, trainer, scale, scale_target, how)


def as_source(data: Any) -> Any:
    """Data that is read while training: as it is, or a loader of batches made a stream; None for data in memory."""
    if isinstance(data, LazyDataset | Stream):
        return data
    is_loader = all(hasattr(data, name) for name in ("dataset", "batch_sampler", "sampler"))
    return Stream(data) if is_loader or callable(data) else None


def prepare_read(source: Any, validation: Any, trainer: Trainer, scale: Any, scale_target: bool, how: Any) -> Prepared:
    """Split a source, hold what is measured after each epoch in memory, and find the scaling in one pass."""
    training, held, notes = divided(source, validation, trainer.seed, how)
    if isinstance(source, Stream) and not source.is_ordered:
        notes.append(
            "the loader shuffles by itself: its order is not that of the seed, and a fit that is resumed sees another; "
            "Stream(DataLoader(…, shuffle=False)).shuffle(10_000) has the one of the seed"
        )
    if held is not None:
        notes.append("copies of training rows among those for validation are not looked for outside of memory")
    if scale_target:
        raise ArgumentError(
            "scale_target=True with data that is read while training",
            expected="targets in memory",
            cure="source.load() if it fits, or .map(lambda x, y: (x, (y - mean) / deviation))",
        )
    first = sampled(training, SAMPLE, trainer.seed)
    if first.y is None and trainer.loss is not None:
        raise DataError("data without targets y", expected="pairs (x, y)", cure="a source of (x, y)")
    scaler = scale
    if scale is not None and not isinstance(scale, Scaler):
        scaler = Scaler.fit_blocks((b.x for b in training.blocks(PASS, seed=0, epoch=0, shuffle=False)), scale)
    held_out = fitting(loaded(held), first) if held is not None else None
    sample = sampled(training, len(held_out), trainer.seed) if held_out is not None else first
    if scaler is None and (advice := check_scaled(sample.x, sample.features)):
        notes.append(advice)
    sample = scaled(sample, scaler)
    held_out = scaled(held_out, scaler) if isinstance(held_out, Dataset) else held_out
    if trainer.loss is not None:
        output = output_shape(trainer.model, sample.x)
        sample = with_targets(sample, trainer.loss, output, notes)
        if isinstance(held_out, Dataset):
            held_out = with_targets(held_out, trainer.loss, output, [])
    return Prepared(training, held_out, sample, None, tuple(notes), scaler)


def divided(source: Any, validation: Any, seed: int, how: Any) -> tuple[Any, Any, list[str]]:
    """Training and validation part, and a note that says how they were chosen."""
    if validation is None:
        return source, None, []
    if not isinstance(validation, int | float | np.number) or isinstance(validation, bool):
        other = as_source(validation)
        return (
            source,
            other if other is not None else as_dataset(validation, name="validation"),
            ["validation: a set of its own"],
        )
    if isinstance(source, LazyDataset):
        training, held = source.split(float(validation), seed=seed, **how)
        sizes = f"{plural(len(training), 'row')} for training, {len(held)} for validation"
        return training, held, [f"{sizes}: {how['policy']} (seed {seed})"]
    if how["policy"] != "random" or how["groups"] is not None or how["stratify"]:
        raise ArgumentError(
            f"a stream split by policy={how['policy']!r}, stratify={how['stratify']}",
            expected='policy="random": by a hash of the number of each example',
            cure="validation=a stream of its own",
        )
    training, held = source.split(float(validation), seed)
    return training, held, [f"{validation:.0%} for validation, by a hash of each example's number (seed {seed})"]


def loaded(held: Any) -> Any:
    """Validation data in memory, unless it is too large for that and can be read row by row."""
    if isinstance(held, Dataset):
        return held
    if isinstance(held, LazyDataset):
        size = len(held) * int(np.prod(held.shape)) * held.dtype.itemsize
        return held.load() if size <= HELD_BYTES else held
    parts, size = [], 0
    for block in held.blocks(PASS, seed=0, epoch=0, shuffle=False):
        parts.append(block)
        size += block.x.nbytes
        if size > HELD_BYTES:
            raise DataError(
                f"more than {HELD_BYTES >> 20} MiB of validation data in a stream",
                expected="as much as can be held in memory",
                cure="validation=stream.take(10_000), or a smaller fraction",
            )
    y = None if parts[0].y is None else np.concatenate([b.y for b in parts])
    return Dataset(
        np.concatenate([b.x for b in parts]), y, held.name, held.features, None, held.classes, held.task, held.table
    )


def sampled(training: Any, size: int, seed: int) -> Dataset:
    """Training rows in memory: chosen at random where any row can be read, else the first ones."""
    if isinstance(training, Stream):
        with closing(training.blocks(size, seed=0, epoch=0, shuffle=False)) as blocks:  # type: ignore[type-var]
            first = next(blocks)
        return dataset_of(first, training)
    rng_rows = sample_of(Dataset(np.arange(len(training))[:, None]), size, seed).x[:, 0]
    return training.take(rng_rows).load()


def ready(trainer: Trainer) -> Callable[[Array, Any], tuple[Array, Array]]:
    """What is done to a block before it is trained on: scaling, targets as the loss takes them, labels checked."""
    scaler, loss, model = trainer.scaler, trainer.loss, trainer.model
    shape: list[tuple[int, ...]] = []

    def made(x: Array, y: Array | None) -> tuple[Array, Array]:
        x = x if scaler is None else scaler.apply(x, keep_float64=True)
        if loss is None:
            return x, np.zeros((len(x), 0), np.float32) if y is None else np.asarray(y)
        if not shape:
            shape.append(output_shape(model, x))
        return x, targets(np.asarray(y), loss, shape[0], [])

    return made


def measured_outside(trainer: Trainer, prepared: Prepared) -> Array:
    """The loss and metrics of each example of validation data that is read for it, then of the sample; (1 + M, n)."""
    prepare_block = ready(trainer)
    parts = [trainer.examples_of(*prepare_block(x, y)) for x, y in blocks_of(prepared.held_out)]
    parts.append(trainer.examples_of(prepared.sample.x, np.asarray(prepared.sample.y)))
    return np.concatenate(parts, axis=1)


def blocks_of(data: Any) -> Iterator[tuple[Array, Any]]:
    """Inputs and targets of a data set in pieces."""
    if isinstance(data, Dataset):
        yield data.x, data.y
        return
    for block in data.blocks(PASS, seed=0, epoch=0, shuffle=False):
        yield block.x, block.y


def pieces_of(source: Any) -> Iterator[Dataset]:
    """A source as data sets that fit into memory, in its own order."""
    for block in source.blocks(PASS, seed=0, epoch=0, shuffle=False):
        yield dataset_of(block, source)


def dataset_of(block: Any, source: Any) -> Dataset:
    """A block with the names of its source."""
    return Dataset(block.x, block.y, source.name, source.features, None, source.classes, source.task)
