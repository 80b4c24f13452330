import copy
import html
import itertools
import math
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import weft as wf
from weft import nn, optim
from weft.errors import FileError
from weft.train.reporting import on_validation_rows, write_run_report
from weft.view import plot_curves, plot_weights, write_report
from weft.view.page import cell, cut, thinned
from weft.view.report import Study
from weft.view.style import look, new_figure

pytestmark = pytest.mark.filterwarnings("ignore:.* made .* programs:weft.RecompileWarning")  # one line trains for all


@dataclass(frozen=True)
class Verdict:
    verdict: str = "overfitting"
    epoch: int = 17
    best_epoch: int = 14
    confidence: str = "high"
    numbers: dict[str, float] = field(
        default_factory=lambda: {"generalization_loss_percent": 38.1068, "rise_in_standard_errors": math.inf}
    )
    second_descent: bool = False
    explanation: str = "overfitting: validation loss has risen 38 % (0.412 → 0.569) since epoch 14"
    remedies: tuple[str, ...] = ("nn.Dropout(0.2)", "optim.AdamW(1e-3, weight_decay=1e-2) & <more>")


EPOCHS = 500
HISTORY = {
    "train_loss": list(np.exp(-np.arange(EPOCHS) / 50)),
    "val_loss": list(0.4 + 0.001 * np.abs(np.arange(EPOCHS) - 13)),
    "val_<accuracy>": [0.5] * 100,
}


def report(folder: Path, **change: Any) -> str:
    parts: dict[str, Any] = {
        "title": "iris <script>alert(1)</script>",
        "summary_rows": [("test accuracy", "0.93 & more")],
        "history": HISTORY,
        "diagnosis": Verdict(),
        "model_summary": "Linear  (4 → 16)  <80>",
        "figures": {"Loss <b>": plot_curves(HISTORY, Verdict()), "Weights": plot_weights({"w": np.arange(9.0)})},
        "settings": {"optimizer": 'Adam("1e-3")', "note": "<img src=x onerror=alert(1)>"},
    }
    path = folder / "report.html"
    assert write_report(path, **(parts | change)) == path
    return path.read_text(encoding="utf-8")


class Tags(HTMLParser):
    """Checks that elements nest, and collects them with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_one_file_without_scripts_or_network(tmp_path: Path) -> None:
    text = report(tmp_path)
    assert "http" not in text
    assert "url(" not in text
    assert "@import" not in text
    assert "<script" not in text
    assert len(text.encode()) < 2_000_000
    for tag, attributes in Tags(text).seen:
        assert tag not in ("script", "link", "iframe", "object")
        assert not any(name.startswith("on") or name == "href" for name in attributes)
        assert (attributes.get("src") or "data:").startswith("data:")
    assert "prefers-color-scheme" not in text  # dark on white, on every screen
    assert "--paper: #ffffff" in text
    assert "@media print" in text
    assert 'name="viewport"' in text


def test_everything_is_in_it_in_order(tmp_path: Path) -> None:
    text = report(tmp_path)
    parts = (
        "Overfitting",
        "validation loss has risen 38 % (0.412 → 0.569)",
        "confidence: high",
        "best epoch: 14",
        "nn.Dropout(0.2)",
        "generalization loss percent",
        "38.107",
        "inf",
        "test accuracy",
        "data:image/svg+xml",
        "Linear  (4 → 16)",
        "optimizer",
        "History",
    )
    at = [text.index(part) for part in parts]
    assert at == sorted(at)


def test_everything_is_escaped(tmp_path: Path) -> None:
    text = report(tmp_path)
    for part in (
        "&lt;script&gt;",
        "0.93 &amp; more",
        "&lt;80&gt;",
        "Loss &lt;b&gt;",
        "&lt;img src=x",
        "&amp; &lt;more&gt;",
    ):
        assert part in text
    assert "val_&lt;accuracy&gt;" in text


def test_a_long_history_is_thinned_but_keeps_the_best(tmp_path: Path) -> None:
    text = report(tmp_path)
    epochs = [int(e) for e in re.findall(r"<tr(?: class=\"best\")?><th scope=\"row\">(\d+)</th>", text)]
    assert len(epochs) <= 60
    assert {1, 14, EPOCHS} <= set(epochs)
    assert '<tr class="best"><th scope="row">14</th>' in text
    assert "60 of 500 epochs" in text


@pytest.mark.parametrize("length", [1, 59, 60, 61, 1000])
@pytest.mark.parametrize("best", [0, 1, 37, 2000])
def test_thinning(length: int, best: int) -> None:
    epochs = thinned(length, best)
    assert epochs == sorted(set(epochs))
    assert len(epochs) <= 60
    assert epochs[0] == 1
    assert epochs[-1] == length
    assert best in epochs or not 1 <= best <= length


def test_without_a_diagnosis_or_anything_else(tmp_path: Path) -> None:
    text = report(tmp_path, diagnosis=None, history={}, figures={}, summary_rows=[], settings={}, model_summary="")
    Tags(text)
    assert "No diagnosis" in text
    assert "No epoch was recorded" in text
    assert "no epoch with a finite loss" in report(tmp_path, diagnosis=Verdict("diverged", 1, 0))


def test_notes_descriptions_largest_losses_and_studies(tmp_path: Path) -> None:
    text = report(
        tmp_path,
        notes=["split <at> random"],
        descriptions={"Weights": "9 weights & no bias"},
        hardest=[("row", "loss"), ("17", "2.5 <b>")],
        studies=[Study("Fan", plot_weights({"w": np.arange(3.0)}), "0.5 ± 0.1"), Study("Words", None, "a < b")],
    )
    at = [text.index(part) for part in ("Notes", "split &lt;at&gt; random", "Pictures", "Largest losses", "Studies")]
    assert at == sorted(at)
    assert '<tr><th scope="row">17</th><td>2.5 &lt;b&gt;</td></tr>' in text
    assert "a &lt; b" in text
    pictures = [attributes["alt"] for tag, attributes in Tags(text).seen if tag == "img"]
    assert pictures == ["Loss <b>", "9 weights & no bias", "Fan: what it shows is said below the picture"]


def test_headings_are_in_order_and_tables_have_heads(tmp_path: Path) -> None:
    seen = Tags(report(tmp_path, studies=[Study("Words", None, "a")])).seen
    levels = [int(tag[1]) for tag, _ in seen if tag in ("h1", "h2", "h3")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b - a <= 1 for a, b in itertools.pairwise(levels))
    assert all("scope" in attributes for tag, attributes in seen if tag == "th")
    assert ("html", {"lang": "en"}) in seen
    assert [tag for tag, _ in seen].count("main") == 1


# ── the report of a run ─────────────────────────────────────────────────────────────────────────────────────


def trained(data: Any, outputs: int, loss: str, **how: Any) -> wf.Run:
    wf.random.seed(0)
    model = nn.Sequential(nn.Linear(8), nn.ReLU(), nn.Linear(outputs))
    trainer = wf.Trainer(model, loss, optim.Adam(0.02), ["accuracy"] if outputs > 1 else [])
    return trainer.fit(data, 0.3, epochs=12, scale="standard", verbose=False, **how)


@pytest.fixture(scope="module")
def classified() -> wf.Run:
    return trained(wf.data.iris(), 3, "cross_entropy")


def test_a_classifier_reports_what_it_takes_for_what(classified: wf.Run, tmp_path: Path) -> None:
    text = classified.report(tmp_path / "report.html").read_text(encoding="utf-8")
    assert len(text.encode()) < 2_000_000
    assert "http" not in text
    headings = re.findall(r"<h3>(.*?)</h3>", text)[2:]
    assert headings == ["Training and validation curves", "Confusion matrix", "Reliability"]
    alts = [attributes["alt"] for tag, attributes in Tags(text).seen if tag == "img"]
    assert "validation rows are classified rightly" in str(alts[1])
    assert "calibration error" in str(alts[2])
    for part in (classified.notes[0], "whole epochs, evaluation included", "MB at most", "multiply-adds"):
        assert html.escape(part) in text


def test_the_largest_losses_are_rows_of_the_data(classified: wf.Run) -> None:
    found = on_validation_rows(classified)
    iris = wf.data.iris()
    assert classified.origin is not None
    assert classified.split is not None
    own = {int(k) for k in classified.split.validation}
    losses = []
    for row, loss, truth, _ in found.hardest[1:]:
        assert int(row) in own
        assert truth == iris.classes[int(np.asarray(iris.y)[int(row)])]
        alone = classified.origin.trainer.evaluate((iris.x[[int(row)]], np.asarray(iris.y)[[int(row)]]))
        assert float(loss) == pytest.approx(alone["loss"], rel=1e-3)
        losses.append(float(loss))
    assert losses == sorted(losses, reverse=True)
    assert not found.notes


def test_a_model_that_has_moved_on_is_said(classified: wf.Run) -> None:
    assert classified.origin is not None
    moved = copy.copy(classified)
    moved.held_epoch = 1
    (note,) = on_validation_rows(moved).notes
    assert "other weights than those of epoch 1" in note


def test_a_regression_reports_numbers_in_their_unit(tmp_path: Path) -> None:
    x = np.linspace(0, 1, 100, dtype=np.float32)[:, None]
    run = trained((x, 1000 * x + 500), 1, "mse", scale_target=True)
    assert on_validation_rows(run).figures == {}
    targets = [float(row[2]) for row in on_validation_rows(run).hardest[1:]]
    assert all(500 <= value <= 1500 for value in targets)


def test_yes_or_no() -> None:
    x = np.linspace(-1, 1, 100, dtype=np.float32)[:, None]
    found = on_validation_rows(trained((x, (x[:, 0] > 0).astype(np.float32)), 1, "binary_cross_entropy_with_logits"))
    assert list(found.figures) == ["Confusion matrix", "Reliability"]
    margins = on_validation_rows(trained((x, (x[:, 0] > 0).astype(np.float32)), 1, "hinge"))
    assert list(margins.figures) == ["Confusion matrix"]  # no probabilities, so none to be trusted


def test_without_validation_data_there_are_no_validation_rows(tmp_path: Path) -> None:
    wf.random.seed(0)
    run = wf.Trainer(nn.Linear(3), "cross_entropy").fit(wf.data.iris(), epochs=1, verbose=False)
    text = run.report(tmp_path / "report.html").read_text(encoding="utf-8")
    assert "No diagnosis" in text
    assert "Largest losses" not in text


def test_studies_beside_the_run(classified: wf.Run, tmp_path: Path) -> None:
    population = wf.Population(lambda: nn.Linear(3), "cross_entropy")
    together = population.fit(wf.data.iris(), members=2, epochs=2, verbose=False)
    path = write_run_report(classified, tmp_path / "report.html", [together, wf.overfit.estimate([0.8, 0.9, 0.85])])
    text = path.read_text(encoding="utf-8")
    assert "<h3>Population run</h3>" in text
    assert "<h3>Estimate</h3>" in text
    assert "2 members, 2 epochs" in text


def test_what_is_too_long_is_cut_and_says_so(tmp_path: Path) -> None:
    text = report(tmp_path, model_summary="x" * 10**6, settings={"k": "y" * 10**5})
    assert len(text) < 2_000_000
    assert "(970000 more characters)" in text
    assert cut("short", 9) == "short"


def test_cells() -> None:
    assert [cell(v) for v in (None, math.nan, math.inf, 0.1234567)] == ["", "NaN", "inf", "0.12346"]


def test_many_large_pictures_stay_below_two_megabytes(tmp_path: Path) -> None:
    busy = {}
    for i in range(8):
        with look():
            busy[f"noise {i}"] = new_figure()
            busy[f"noise {i}"].subplots().imshow(np.random.default_rng(i).random((600, 600)), interpolation="nearest")
    assert len(report(tmp_path, figures=busy)) < 2_000_000


def test_a_failed_write_leaves_the_old_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = report(tmp_path)

    def broken(*_: Any) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("os.fsync", broken)
    with pytest.raises(FileError, match="disk full"):
        report(tmp_path, title="new")
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == old
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]


def test_a_missing_folder_is_made_and_a_place_that_is_none_refused(tmp_path: Path) -> None:
    report(tmp_path / "new" / "folder")
    (tmp_path / "taken" / "report.html").mkdir(parents=True)
    with pytest.raises(FileError, match="cannot be written"):
        report(tmp_path / "taken")
    assert [p.name for p in (tmp_path / "taken").iterdir()] == ["report.html"]


@pytest.mark.parametrize(("verdict", "kind"), [("good fit", "good"), ("cannot tell", "open"), ("overfitting", "bad")])
def test_the_colour_of_a_verdict(tmp_path: Path, verdict: str, kind: str) -> None:
    assert f'class="verdict {kind}"' in report(tmp_path, diagnosis=Verdict(verdict=verdict))
