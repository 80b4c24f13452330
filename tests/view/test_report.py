import math
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from weft.errors import FileError
from weft.view import plot_curves, plot_weights, write_report
from weft.view.page import cell, cut, thinned
from weft.view.style import look, new_figure


@dataclass(frozen=True)
class Verdict:
    verdict: str = "overfitting"
    epoch: int = 17
    best_epoch: int = 14
    confidence: str = "high"
    numbers: dict[str, float] = field(
        default_factory=lambda: {"generalization_loss_percent": 38.1068, "rise_in_standard_errors": math.inf}
    )
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
    assert "<script" not in text
    assert len(text.encode()) < 2_000_000
    for tag, attributes in Tags(text).seen:
        assert tag not in ("script", "link", "iframe", "object")
        assert not any(name.startswith("on") or name == "href" for name in attributes)
        assert (attributes.get("src") or "data:").startswith("data:")
    assert "prefers-color-scheme: dark" in text
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
    epochs = [int(e) for e in re.findall(r"<tr(?: class=\"best\")?><td>(\d+)</td>", text)]
    assert len(epochs) <= 60
    assert {1, 14, EPOCHS} <= set(epochs)
    assert '<tr class="best"><td>14</td>' in text
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
    with pytest.raises(OSError, match="disk full"):
        report(tmp_path, title="new")
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == old
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]


def test_a_missing_folder_is_an_error_with_a_cure(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="cannot write"):
        report(tmp_path / "nowhere")
