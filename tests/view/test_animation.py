"""Films: what is shown, in which units, what is refused, and that the model stays as it is."""

from __future__ import annotations

import shutil
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import weft as wf
from weft import nn, optim
from weft.errors import ArgumentError, DataError, FileError
from weft.train.callbacks.snapshots import Snapshots
from weft.view.animation import animate

pytestmark = pytest.mark.filterwarnings("ignore:.* made .* programs:weft.RecompileWarning")  # one line trains for all


def moons(n: int = 60) -> tuple[Any, Any]:
    random = np.random.default_rng(0)
    angle, y = random.uniform(0, np.pi, n), np.arange(n) % 2
    x = np.stack([np.where(y, 1 - np.cos(angle), np.cos(angle)), np.where(y, 0.5 - np.sin(angle), np.sin(angle))], 1)
    return (1000 * x + random.normal(size=(n, 2))).astype(np.float32), y


def fitted(data: Any, outputs: int, loss: str, callbacks: Any = (), epochs: int = 12, **how: Any) -> wf.Run:
    wf.random.seed(0)
    model = nn.Sequential(nn.Linear(8), nn.Tanh(), nn.Linear(outputs))
    trainer = wf.Trainer(model, loss, optim.Adam(0.05), callbacks=callbacks)
    return trainer.fit(data, 0.25, epochs=epochs, scale="standard", verbose=False, **how)


@pytest.fixture(scope="module")
def classifier() -> wf.Run:
    return fitted(moons(), 2, "cross_entropy", [Snapshots(every=4)])


def frames(path: Path) -> list[np.ndarray[Any, Any]]:
    with Image.open(path) as image:
        found = []
        for k in range(image.n_frames):  # type: ignore[attr-defined]
            image.seek(k)
            found.append(np.asarray(image.convert("RGB")))
    return found


def test_a_film_of_a_boundary(classifier: wf.Run, tmp_path: Path) -> None:
    before = {path: p.numpy().copy() for path, p in classifier.model.named_parameters()}
    path = animate(classifier, tmp_path / "boundary.gif")
    shown = frames(path)
    assert len(shown) == 4  # epochs 0, 4, 8 and 12; the pause is one long picture
    assert len({frame.shape for frame in shown}) == 1
    assert path.stat().st_size < 2_000_000
    assert not np.array_equal(shown[0], shown[-1])
    # The axes stay: what lies left of the regions is the same in every picture, but for the palette of each.
    assert all(np.abs(frame[60:, :40].astype(int) - shown[0][60:, :40]).mean() < 1 for frame in shown)
    assert all(np.array_equal(p.numpy(), before[path]) for path, p in classifier.model.named_parameters())
    assert [p.name for p in tmp_path.iterdir()] == ["boundary.gif"]


def test_the_last_picture_stands_for_a_while(classifier: wf.Run, tmp_path: Path) -> None:
    with Image.open(animate(classifier, tmp_path / "b.gif", frames_per_second=5)) as image:
        durations = []
        for k in range(image.n_frames):  # type: ignore[attr-defined]
            image.seek(k)
            durations.append(image.info["duration"])
    assert durations[:-1] == [200] * 3
    assert durations[-1] >= 1500


def test_the_title_tells_epoch_and_losses(classifier: wf.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from matplotlib.animation import PillowWriter

    titles, limits = [], []
    grab = PillowWriter.grab_frame

    def listening(self: Any, **options: Any) -> None:
        axes = self.fig.axes[0]
        titles.append(axes.get_title("left"))
        limits.append((axes.get_xlim(), axes.get_ylim()))
        grab(self, **options)

    monkeypatch.setattr(PillowWriter, "grab_frame", listening)
    animate(classifier, tmp_path / "b.gif")
    row = classifier.history.row(8)
    assert titles[2] == f"epoch  8, training loss {row['train_loss']:.4g}, validation loss {row['val_loss']:.4g}"
    assert titles[0].startswith("epoch  0, training loss ")
    assert len(set(limits)) == 1
    assert limits[0][0][1] > 1500  # the units of the data, not those of the scaled columns


def test_a_film_of_a_curve_in_the_targets_units(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    x = np.linspace(0, 1, 60, dtype=np.float32)[:, None]
    run = fitted((x, 500 * x + 100), 1, "mse", [Snapshots(3)], scale_target=True, epochs=40)
    from weft.view import animation

    curves, heights = [], []
    show = animation.Curve.show

    def listening(self: Any, output: Any) -> None:
        show(self, output)
        curves.append(self.line.get_ydata())
        heights.append(self.axes.get_ylim())

    monkeypatch.setattr(animation.Curve, "show", listening)
    assert len(frames(animate(run, tmp_path / "curve.gif"))) == len(run.callbacks[0].epochs)
    assert np.abs(curves[-1][20:-20] - 500 * np.linspace(-0.04, 1.04, 360)[20:-20] - 100).max() < 60
    assert len(set(heights)) == 1


def test_the_numbers_below_a_film_do_not_touch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from weft.view import animation

    x = np.linspace(-1, 1, 40, dtype=np.float32)[:, None]
    run = fitted((x, x**2), 1, "mse", [Snapshots(2)], epochs=2)
    axes, entitle = [], animation._entitle
    monkeypatch.setattr(animation, "_entitle", lambda scene, *rest: axes.append(scene.axes) or entitle(scene, *rest))
    animate(run, tmp_path / "curve.gif")
    numbers = [label for label in axes[-1].get_xticklabels() if label.get_text()]
    places = [label.get_window_extent() for label in numbers]
    assert 2 < len(numbers) <= 8  # with a longer legend beside them eleven would touch
    assert all(left.x1 < right.x0 for left, right in pairwise(places))


def test_a_binary_classifier(tmp_path: Path) -> None:
    x, y = moons()
    run = fitted((x, y.astype(np.float32)), 1, "binary_cross_entropy_with_logits", [Snapshots(2)], epochs=3)
    assert frames(animate(run, tmp_path / "b.gif"))


def test_classes_of_margins_are_drawn_as_the_regions_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from weft.view import animation

    x, y = moons()
    drawn = []
    monkeypatch.setattr(animation, "draw_points", lambda axes, points, labels, **how: drawn.extend(labels.tolist()))
    run = fitted((x, 2.0 * y - 1), 1, "hinge", [Snapshots(2)], epochs=2)
    assert frames(animate(run, tmp_path / "new" / "b.gif"))
    assert set(drawn) == {0, 1}


def test_a_step_of_ones_own_is_filmed(tmp_path: Path) -> None:
    def step(model: Any, batch: Any) -> Any:
        return ((model(batch.x) - batch.y) ** 2).mean(), {}

    class MySnapshots(Snapshots):
        pass

    x = np.linspace(0, 1, 60, dtype=np.float32)[:, None]
    trainer = wf.Trainer(nn.Linear(1, 1), optimizer=optim.Adam(0.05), step=step, callbacks=[MySnapshots(2)])
    run = trainer.fit((x, 2 * x), 0.25, epochs=2, verbose=False)
    assert frames(animate(run, tmp_path / "b.gif"))


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs the program ffmpeg")
def test_mp4(classifier: wf.Run, tmp_path: Path) -> None:
    content = animate(classifier, tmp_path / "b.mp4").read_bytes()
    assert content[4:8] == b"ftyp"


def test_mp4_without_ffmpeg_is_a_lesson(classifier: wf.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from matplotlib.animation import FFMpegWriter

    monkeypatch.setattr(FFMpegWriter, "isAvailable", classmethod(lambda cls: False))
    with pytest.raises(ArgumentError, match=r"ffmpeg(.|\n)*b\.gif"):
        animate(classifier, tmp_path / "b.mp4")
    assert not list(tmp_path.iterdir())


def test_what_cannot_be_filmed(classifier: wf.Run, tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match=r"no copies of its weights(.|\n)*callbacks=\[wf\.callbacks\.Snapshots"):
        animate(fitted(moons(), 2, "cross_entropy", epochs=1), tmp_path / "b.gif")
    with pytest.raises(ArgumentError, match=r"\.gif or \.mp4"):
        animate(classifier, tmp_path / "b.avi")
    with pytest.raises(ArgumentError, match=r"frames_per_second is 0[\s\S]*try: +frames_per_second=10"):
        animate(classifier, tmp_path / "b.gif", frames_per_second=0)
    (tmp_path / "file").write_text("")
    with pytest.raises(FileError, match="cannot be written"):
        animate(classifier, tmp_path / "file" / "b.gif")
    iris = fitted(wf.data.iris(), 3, "cross_entropy", [Snapshots()], epochs=1)
    with pytest.raises(DataError, match="two columns"):
        animate(iris, tmp_path / "b.gif")


# ── snapshots ───────────────────────────────────────────────────────────────────────────────────────────────


def test_snapshots_are_bounded_and_even() -> None:
    run = fitted(moons(), 2, "cross_entropy", [Snapshots(8)], epochs=50)
    found = run.callbacks[0]
    assert found.epochs == [0, 8, 16, 24, 32, 40, 48, 50]
    assert len(found.weights) == 8
    assert not np.array_equal(found.weights[0]["0.weight"], found.weights[1]["0.weight"])


def test_snapshots_hold_the_weights_of_their_epochs() -> None:
    run = fitted(moons(), 2, "cross_entropy", [Snapshots(every=3)], epochs=6, keep="last")
    assert run.callbacks[0].epochs == [0, 3, 6]
    for path, p in run.model.named_parameters():
        assert np.array_equal(run.callbacks[0].weights[-1][path], p.numpy())


def test_snapshots_of_a_large_model_are_few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("weft.train.callbacks.snapshots.MOST_BYTES", 1000)  # 42 numbers of 4 bytes: five copies
    run = fitted(moons(), 2, "cross_entropy", [Snapshots(every=1)], epochs=20)
    assert len(run.callbacks[0].epochs) <= 5
    assert run.callbacks[0].epochs[0] == 0
    assert run.callbacks[0].epochs[-1] == 20


def test_snapshots_go_on_after_a_resume(tmp_path: Path) -> None:
    how = {"folder": tmp_path / "run", "resume": True}
    fitted(moons(), 2, "cross_entropy", [Snapshots(every=2)], epochs=4, **how)
    run = fitted(moons(), 2, "cross_entropy", [Snapshots(every=2)], epochs=8, **how)
    assert run.callbacks[0].epochs == [0, 2, 4, 6, 8]


@pytest.mark.parametrize("options", [{"count": 1}, {"count": 2.5}, {"every": 0}, {"every": True}])
def test_snapshots_refuse(options: Any) -> None:
    with pytest.raises(ArgumentError, match="a whole number"):
        Snapshots(**options)
