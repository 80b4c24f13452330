"""A film of training: how the decision boundary, or the fitted curve, moves from epoch to epoch."""

from __future__ import annotations

import copy
import os
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from weft.errors import ArgumentError, DataError
from weft.overfit.check import whole
from weft.storage.files import make_folder, reported, write_atomically
from weft.view.boundary import Floats, as_classes, draw_points, grid_over, tints
from weft.view.style import BLUE, INK, VERMILLION, look, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

GRID = 120
"""Points of the grid in each direction; of a curve there are three times as many."""
DPI = 90
PAUSE = 1.5
"""Seconds for which the last picture stands."""

_SNAPSHOTS = "wf.Trainer(model, loss, optimizer, callbacks=[wf.callbacks.Snapshots()]).fit(…).animate({path!r})"


def animate(run: Any, path: str | os.PathLike[str], *, frames_per_second: int = 10) -> Path:
    """A film of the fit as .gif, or as .mp4 where the program ffmpeg is installed; returns its path.

    Of a classifier of two columns it shows the decision regions, of a regression on one column the fitted curve, in
    the units of the data and with the same axes in all pictures; the title gives the epoch, the training loss and the
    validation loss. Training rows are filled, validation rows hollow. There is a picture for each copy of the weights
    that the callback ``Snapshots`` has kept during the fit.

    Raises ArgumentError for a fit without snapshots, for other endings, and for .mp4 without ffmpeg; DataError for
    other numbers of columns; FileError if it cannot be written there. A folder that does not exist is made.
    """
    target = Path(path)
    snapshots, origin = _snapshots(run, target), _origin(run)
    frames_per_second = whole(
        frames_per_second, "frames_per_second", "a whole number, 1 to 50", most=50, cure="frames_per_second=10"
    )
    writer = _writer(target, frames_per_second)
    with look():
        figure = new_figure(6.4, 4.8)
        scene = _scene(figure, run, origin)
        film = _film(scene, run, origin, snapshots, round(PAUSE * frames_per_second))
        _write(target, figure, writer, film)
    return target


def _snapshots(run: Any, path: Path) -> Any:
    for callback in run.callbacks:
        if getattr(callback, "epochs", None) and hasattr(callback, "weights"):
            return callback
    raise ArgumentError(
        "a film of a fit that has kept no copies of its weights",
        expected="the callback Snapshots among those of the trainer",
        cure=_SNAPSHOTS.format(path=path.name),
    )


def _origin(run: Any) -> Any:
    origin = run.origin
    if origin is None or not hasattr(origin.prepared.training, "x"):
        raise ArgumentError(
            "a film of a run whose data is not in memory", expected="the run of a fit on arrays, in this process"
        )
    return origin


def _writer(path: Path, frames_per_second: int) -> Any:
    from matplotlib.animation import FFMpegWriter, PillowWriter

    kind = path.suffix.lower()
    if kind == ".gif":
        return PillowWriter(fps=frames_per_second)
    if kind != ".mp4":
        raise ArgumentError(
            f"a film in a file {path.name!r}", expected="the ending .gif or .mp4", cure='run.animate("film.gif")'
        )
    if not FFMpegWriter.isAvailable():
        raise ArgumentError(
            f"{path.name}: the program ffmpeg, which writes .mp4, is not installed",
            expected="ffmpeg among the programs of this computer, or the ending .gif",
            cure=f'run.animate("{path.stem}.gif")',
        )
    # yuv420p, which every player knows, wants even numbers of pixels: pad by one where needed.
    return FFMpegWriter(
        fps=frames_per_second, extra_args=["-pix_fmt", "yuv420p", "-vf", "pad=ceil(iw/2)*2:ceil(ih/2)*2"]
    )


# ── what is drawn ───────────────────────────────────────────────────────────────────────────────────────────


class Regions:
    """The decision regions of a classifier of two columns."""

    def __init__(self, axes: Any, sides: list[tuple[Floats, Floats]]) -> None:
        self.axes = axes
        x = np.concatenate([points for points, _ in sides])
        self.across, self.up, self.inputs = grid_over(x, GRID)
        self.n_classes = 1 + int(max(y.max() for _, y in sides))
        extent = (self.across[0], self.across[-1], self.up[0], self.up[-1])
        blank = np.ones((GRID, GRID, 3))
        self.image = axes.imshow(blank, origin="lower", aspect="auto", interpolation="nearest", extent=extent)
        self.borders: list[Any] = []
        for (points, y), hollow in zip(sides, (False, True), strict=False):
            draw_points(axes, points, y.astype(np.int64), hollow=hollow)
        axes.set(xlabel="first column", ylabel="second column")

    def show(self, output: NDArray[Any]) -> None:
        regions = as_classes(output, len(self.inputs)).reshape(GRID, GRID)
        colours = tints(max(self.n_classes, int(regions.max()) + 1))
        self.image.set_data(colours[np.maximum(regions, 0)])
        for border in self.borders:
            border.remove()
        levels = np.unique(regions)[1:]
        self.borders = [
            self.axes.contour(
                self.across, self.up, (regions >= c).astype(float), levels=[0.5], colors=[INK], linewidths=1.0
            )
            for c in levels
        ]


class Curve:
    """The fitted curve of a regression on one column."""

    def __init__(self, axes: Any, sides: list[tuple[Floats, Floats]]) -> None:
        self.axes = axes
        x = np.concatenate([points for points, _ in sides])
        y = np.concatenate([targets for _, targets in sides])
        low, high = float(x.min()), float(x.max())
        margin = 0.04 * (high - low) if high > low else 1.0
        self.inputs = np.linspace(low - margin, high + margin, 3 * GRID)[:, None]
        for (points, targets), name, marker, face in zip(
            sides, ("training", "validation"), ("o", "s"), (BLUE, "white"), strict=False
        ):
            axes.plot(
                points[:, 0], targets, marker, color=BLUE, markerfacecolor=face, markersize=4.5, alpha=0.8,
                label=f"{name} rows",
            )  # fmt: skip
        (self.line,) = axes.plot(self.inputs[:, 0], np.zeros(len(self.inputs)), color=VERMILLION, label="model")
        # Of the data alone: a curve that shoots out of the picture is part of the story.
        height = 0.15 * float(np.ptp(y)) or 1.0
        axes.set(xlim=(self.inputs[0, 0], self.inputs[-1, 0]), ylim=(y.min() - height, y.max() + height))
        axes.locator_params(axis="x", nbins=6)  # a film is narrow: more numbers would touch
        axes.set(xlabel="input", ylabel="target")
        axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False)

    def show(self, output: NDArray[Any]) -> None:
        self.line.set_ydata(output.reshape(-1))


def _scene(figure: Figure, run: Any, origin: Any) -> Regions | Curve:
    """The picture without the model: axes and points, in the units of the data."""
    trainer, prepared = origin.trainer, origin.prepared
    kind = trainer.loss.kind if trainer.loss is not None else "custom"
    held = [prepared.held_out] if prepared.held_out is not None and hasattr(prepared.held_out, "x") else []
    given = [_in_units(side, trainer) for side in (prepared.training, *held)]
    columns = given[0][0].shape[1:]
    if kind in ("classification", "binary") and columns == (2,):
        flat = [(x, y.reshape(len(y), -1)) for x, y in given]
        if all(y.shape[1] == 1 for _, y in flat):
            # Two classes may be told apart as 0 and 1, or as -1 and 1.
            numbered = [(x, (y[:, 0] > 0.5).astype(np.float64) if kind == "binary" else y[:, 0]) for x, y in flat]
            return Regions(figure.subplots(), numbered)
    if kind in ("regression", "custom") and columns in ((1,), ()) and all(y.size == len(x) for x, y in given):
        return Curve(figure.subplots(), [(x.reshape(-1, 1), y.reshape(-1)) for x, y in given])
    name = trainer.loss.name if trainer.loss is not None else "a step of one's own"
    raise DataError(
        f"a film of {name!r} on inputs of shape {('n', *columns)}".replace("'n'", "n"),
        expected="a classifier of two columns, with a class for each row, or a regression on one column",
        cure="run.plot() for the curves of any run",
    )


def _in_units(side: Any, trainer: Any) -> tuple[Floats, Floats]:
    x, y = np.asarray(side.x), np.asarray(side.y)
    x = trainer.scaler.invert(x) if trainer.scaler is not None else x
    y = trainer.target_scaler.invert(y) if trainer.target_scaler is not None else y
    return np.asarray(x, np.float64), np.asarray(y, np.float64)


# ── frames ──────────────────────────────────────────────────────────────────────────────────────────────────


def _film(scene: Regions | Curve, run: Any, origin: Any, snapshots: Any, pause: int) -> Iterator[Callable[[], Any]]:
    """What changes the picture into the next one, for each copy of the weights; the last one stands for a while."""
    own = origin.trainer
    model = copy.deepcopy(run.model)  # the run's own stays as it is
    other = type(own)(model, own.loss, step=own.own, precision=own.precision)
    other.scaler, other.target_scaler = own.scaler, own.target_scaler
    weights = {**dict(other.model.named_parameters()), **dict(other.model.named_buffers())}
    inputs = scene.inputs.astype(np.asarray(origin.prepared.training.x).dtype)
    if np.asarray(origin.prepared.training.x).ndim == 1:
        inputs = inputs.reshape(-1)

    def show(epoch: int, values: dict[str, Any]) -> None:
        for name, value in values.items():
            weights[name].assign(value)
        # Class numbers for regions, so that thresholds are the trainer's own; for a curve the target's units.
        scene.show(other.predict(inputs))
        _entitle(scene, run, epoch)

    for epoch, values in zip(snapshots.epochs, snapshots.weights, strict=True):
        yield partial(show, epoch, values)
    for _ in range(pause):
        yield lambda: None


def _entitle(scene: Any, run: Any, epoch: int) -> None:
    words = [f"epoch {epoch:>{len(str(run.history.epochs))}}"]
    if epoch:
        row = run.history.row(epoch)
        words += [f"{name} loss {row[key]:.4g}" for name, key in LOSSES if key in row]
    elif run.evidence is not None and run.evidence.initial_train_loss is not None:
        words.append(f"training loss {run.evidence.initial_train_loss:.4g}")
    scene.axes.set_title(", ".join(words))


LOSSES = (("training", "train_loss"), ("validation", "val_loss"))


def _write(path: Path, figure: Figure, writer: Any, film: Iterator[Callable[[], Any]]) -> None:
    """Draw all pictures into a file elsewhere, and put it in its place when it is whole."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    with reported(path), tempfile.TemporaryDirectory() as elsewhere:
        make_folder(path.parent)  # what cannot be written to is refused before the work
        made = Path(elsewhere, path.name)
        canvas = FigureCanvasAgg(figure)
        next(film)()  # the first picture is laid out, and all others take its places
        canvas.draw()
        figure.set_layout_engine("none")
        with writer.saving(figure, str(made), DPI):
            writer.grab_frame()
            for change in film:
                change()
                writer.grab_frame()
        write_atomically(path, made.read_bytes())
