"""Drawings of computations: what is shown, that boxes stand apart, and that the file is plain SVG."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

import weft as wf
from weft import nn
from weft.errors import FileError
from weft.view.graph.layering import nest, place
from weft.view.graph.svg import Canvas
from weft.view.graph.vertices import collect

SVG = "{http://www.w3.org/2000/svg}"


def network() -> tuple[Any, Any, list[Any]]:
    model = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, 3))
    x, y = wf.ones((8, 4)), wf.tensor([0, 1, 2, 0, 1, 2, 0, 1])
    loss = nn.functional.cross_entropy(model(x), y)
    return model, loss, list(model.parameters())


def texts(drawing: Any) -> list[str]:
    return [t.text or "" for t in ElementTree.fromstring(drawing.svg).iter(f"{SVG}text")]  # our own text


def test_a_network_shows_layers_parameters_operations_and_specs():
    _, loss, _ = network()
    shown = texts(wf.draw(loss))
    for expected in (
        "model",
        "0",
        "3",
        "weight",
        "bias",
        "linear",
        "relu",
        "dropout 0.2",
        "cross_entropy",
        "random key",
    ):
        assert expected in shown, expected
    assert "float32 16×4" in shown
    assert "float32 scalar" in shown
    assert shown.count("linear") == 2


def test_gradients_have_their_own_colour_and_stand_beside():
    _, loss, parameters = network()
    plain = wf.draw(loss).svg
    drawing = wf.draw(loss, *wf.gradients(loss, parameters))
    assert "∇linear" in texts(drawing)
    assert drawing.svg.count("#FDF3E0") == texts(drawing).count("∇linear") + 4  # two more, cross_entropy and the legend
    assert "#FDF3E0" not in plain


def test_drawing_runs_nothing_and_works_after_the_run():
    _, loss, _ = network()
    before = wf.draw(loss)
    assert loss.node.data is None
    float(loss)
    after = wf.draw(loss)
    assert set(texts(before)) - set(texts(after)) <= {"full 1", "full", "data", "float32 8×4"}
    assert {"linear", "relu", "cross_entropy"} <= set(texts(after))


def test_depth_folds_layers():
    _, loss, _ = network()
    folded = texts(wf.draw(loss, depth=1))
    assert any(t.startswith("model: ") and t.endswith("operations") for t in folded)
    assert "relu" not in folded


def test_boxes_stand_apart():
    _, loss, parameters = network()
    vertices = collect([loss, *wf.gradients(loss, parameters)])
    canvas = Canvas()
    canvas.lay([v for v in vertices if v.kind != "gradient"], None, upwards=False)
    canvas.lay([v for v in vertices if v.kind == "gradient"], None, upwards=True)
    spots = [spot for _, spot in canvas.cells]
    for (ax, ay, aw, ah), (bx, by, bw, bh) in combinations(spots, 2):
        assert ax + aw <= bx or bx + bw <= ax or ay + ah <= by or by + bh <= ay
    for x, y, width, height in [spot for _, spot in canvas.layers]:
        inside = [
            s for s in spots if x <= s[0] and s[0] + s[2] <= x + width and y <= s[1] and s[1] + s[3] <= y + height
        ]
        assert inside


def test_rows_follow_the_data():
    w = wf.tensor([1.0, 2.0], requires_grad=True)
    vertices = collect([((w - 3) ** 2).sum()])
    boxes = nest(vertices)
    place(boxes)
    assert [v.label for v in vertices] == ["parameter", "subtract", "square", "sum"]
    assert [b.y for b in boxes] == sorted(b.y for b in boxes)
    assert vertices[1].numbers == ["3"]


def test_a_long_chain_is_no_trouble_and_too_long_a_one_is_refused():
    y = w = wf.tensor(1.0, requires_grad=True)
    for _ in range(1500):
        y = y * 1.0
    assert wf.draw(y).vertices == 1501
    for _ in range(2000):
        y = y * 1.0
    with pytest.raises(ValueError, match="at most 3000"):
        wf.draw(y)
    assert w is not y


def test_the_file(tmp_path: Path):
    drawing = wf.draw(wf.ones(2) + 1)
    assert drawing.save(tmp_path / "g.svg").read_text(encoding="utf-8") == drawing.svg
    assert drawing._repr_svg_() == drawing.svg
    assert drawing.save(tmp_path / "new" / "g.SVG").exists()
    with pytest.raises(FileError, match="cannot be written"):
        drawing.save(tmp_path / "g.svg" / "h.svg")
    with pytest.raises(ValueError, match=r"ends in \.svg"):
        drawing.save(tmp_path / "g.png")
    with pytest.raises(ValueError, match="no tensor"):
        wf.draw(3)
    with pytest.raises(ValueError, match="depth=0"):
        wf.draw(wf.ones(2), depth=0)


def test_printing_a_tensor_says_all_there_is():
    w = wf.tensor([1.0, 2.0], requires_grad=True)
    assert repr(w) == "Tensor([1., 2.], shape=(2,), dtype=float32, device=cpu:0, requires_grad=True)"
    assert repr(w * 2) == "Tensor([2., 4.], shape=(2,), dtype=float32, device=cpu:0, from multiply)"
    assert repr(wf.tensor(True)) == "Tensor(True, shape=(), dtype=bool, device=cpu:0)"
    assert "..." in repr(wf.zeros(1000))
    assert repr(wf.tensor([[1 + 2j]])) == "Tensor([[1.+2.j]], shape=(1, 1), dtype=complex64, device=cpu:0)"
