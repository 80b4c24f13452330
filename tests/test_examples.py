"""The examples: what they print and draw, on a small scale."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

import weft as wf

EXAMPLES = Path(__file__).parent.parent / "examples"


def example(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"weft_example_{name}", EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def lesson() -> ModuleType:
    return example("lesson_figure")


@pytest.fixture(scope="module")
def prevention() -> ModuleType:
    return example("prevention")


def test_five_points(lesson: ModuleType) -> None:
    points = lesson.five_points()
    training, validation, _ = lesson.errors(2, points)
    assert training == pytest.approx(5.3, abs=0.5)
    assert validation == pytest.approx(5.1, abs=0.5)
    training, validation, model = lesson.errors(7, points)
    assert training < 1e-9
    assert validation == pytest.approx(20, abs=1)
    assert np.allclose(model(points[0]), points[1])


def test_seven_parameters_overfit_whatever_the_seed(lesson: ModuleType) -> None:
    found = [[lesson.errors(k, lesson.five_points(seed))[:2] for k in (2, 7)] for seed in range(30)]
    few, many = np.median(found, axis=0)
    assert many[0] < 1e-9 < few[0]
    assert many[1] > few[1]


def test_three_degrees(lesson: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = {degree: lesson.fitted(degree) for degree in (1, 4, 15)}
    assert [run.diagnosis.verdict for run in runs.values()] == ["underfitting", "good fit", "overfitting"]
    monkeypatch.setattr(lesson, "fitted", runs.__getitem__)
    figure = lesson.figure()
    FigureCanvasAgg(figure).draw()
    titles = [axes.get_title("left") for part in figure.subfigs for axes in part.axes]
    assert titles[0].startswith("2 parameters: training 5.6, validation 5.3")
    assert titles[1].startswith("7 parameters: training 0.0, validation 19.7")
    assert [title.split("\n")[0] for title in titles[2:]] == [
        "degree 1: underfitting",
        "degree 4: good fit",
        "degree 15: overfitting",
    ]


def test_training_sets_share_no_row(prevention: ModuleType) -> None:
    rows = np.concatenate([np.concatenate(pair) for pair in prevention.ROWS])
    assert len(set(rows.tolist())) == len(rows) == 2 * prevention.N
    x, y = prevention.data
    assert (x[: prevention.N] == x[prevention.N :]).all()
    assert (y[: prevention.N] != y[prevention.N :]).mean() == pytest.approx(prevention.WRONG, abs=0.03)


def test_the_table_of_remedies(prevention: ModuleType) -> None:
    lines = list(prevention.rows_of("EMA", epochs=8))
    assert lines[0].count("|") == lines[1].count("|") == 10
    names = [line.split("|")[1].strip() for line in lines[2:]]
    assert names == ["nothing", "average of weights, EMA"]
    assert all(line.count("±") >= 4 for line in lines[2:])
    page = (EXAMPLES.parent / "docs" / "prevention.md").read_text()
    assert lines[0] in page
    for remedy in prevention.REMEDIES:
        assert f"\n| {remedy.name} |" in page


def test_pruning_keeps_the_largest_units(prevention: ModuleType) -> None:
    wf.random.seed(0)
    wide = prevention.model(16).build((1, 1, 8, 8))
    # Units 8 to 15 of both layers are silent, so that nothing is lost without them.
    for layer, after in ((1, 3), (3, 5)):
        for path, cut in (
            (f"{layer}.weight", np.s_[8:]),
            (f"{layer}.bias", np.s_[8:]),
            (f"{after}.weight", np.s_[:, 8:]),
        ):
            p = dict(wide.named_parameters())[path]
            value = p.numpy().copy()
            value[cut] = 0
            p.assign(value)
    narrow = prevention.pruned(wide, 8)
    x = wf.tensor(prevention.test_x[:5])
    assert np.allclose(narrow(x).numpy(), wide(x).numpy(), atol=1e-5)
