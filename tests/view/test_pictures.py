from typing import Any

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from sklearn.metrics import confusion_matrix
from sklearn.preprocessing import StandardScaler

import weft as wf
from weft.errors import ArgumentError, DataError
from weft.view import confusion, plot_boundary, plot_confusion, plot_weights
from weft.view.picture import embed
from weft.view.style import PALETTE, light, look, new_figure


def drawn(figure: Any) -> Any:
    FigureCanvasAgg(figure).draw()
    return figure


def inside(figure: Any) -> None:
    """No text is cut off at the edge of the picture."""
    drawn(figure)
    box, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
    assert min(box.x0, box.y0) >= -0.02
    assert box.x1 <= width + 0.02
    assert box.y1 <= height + 0.02


def test_confusion_is_scikit_learns() -> None:
    rng = np.random.default_rng(0)
    truth, found = rng.integers(0, 5, 200), rng.integers(0, 5, 200)
    assert (confusion(truth, found, 5) == confusion_matrix(truth, found, labels=range(5))).all()


def test_confusion_picture() -> None:
    figure = plot_confusion([0, 0, 1, 1, 1], [0, 1, 1, 1, 0], ["cat", "a $dog$ with a long name"])
    axes = drawn(figure).axes[0]
    assert figure.get_suptitle() == "Confusion matrix: 3 of 5 right (60.0 %)"
    assert [text.get_text() for text in axes.texts] == ["1", "1", "1", "2"]
    assert np.asarray(axes.images[0].get_array()) == pytest.approx(np.array([[1 / 2, 1 / 2], [1 / 3, 2 / 3]]))
    inside(figure)


def test_many_classes_are_drawn_without_numbers() -> None:
    figure = plot_confusion(np.arange(60), np.arange(60), [f"class {i}" for i in range(60)])
    assert not figure.axes[0].texts
    inside(figure)


@pytest.mark.parametrize(
    ("truth", "found", "lesson"),
    [
        ([0, 1], [0], "2 true labels and 1 predictions"),
        ([0, 2], [0, 1], "labels from 0 to 2"),
        ([0.0, 1.0], [0, 1], "type float64"),
        ([[0, 1]], [0, 1], r"shape \(1, 2\)"),
    ],
)
def test_confusion_refuses(truth: Any, found: Any, lesson: str) -> None:
    with pytest.raises(DataError, match=lesson):
        plot_confusion(truth, found, ["a", "b"])


POINTS = np.array([[1000.0, 0.1], [2000.0, 0.2], [3000.0, 0.3], [4000.0, 0.4]])


@pytest.mark.parametrize(
    "predict",
    [
        lambda x: (x[:, 0] > 0).astype(int),
        lambda x: x[:, 0] > 0,
        lambda x: (x[:, 0] > 0).astype(float),
        lambda x: 1 / (1 + np.exp(-x[:, :1])),
        lambda x: np.stack([-x[:, 0], x[:, 0]], axis=1),
    ],
)
def test_boundary_scales_what_the_model_sees(predict: Any) -> None:
    figure = plot_boundary(predict, POINTS, [0, 0, 1, 1], scaler=StandardScaler().fit(POINTS))
    axes = figure.axes[0]
    assert axes.get_title("left") == "Decision regions: 4 of 4 points right"
    # In the units of the data: the boundary runs through the mean.
    assert axes.get_xlim()[0] < 1000 < 4000 < axes.get_xlim()[1]
    colours = np.asarray(axes.images[0].get_array())[0]
    assert 1 + int(np.abs(np.diff(colours, axis=0)).sum(1).argmax()) == len(colours) // 2
    inside(figure)


def test_a_boundary_with_wefts_own_scaler() -> None:
    scaler = wf.data.Scaler.fit(POINTS)

    class Scaling:
        def __init__(self) -> None:
            self.scaler = scaler

        def predict(self, x: Any) -> Any:
            return (self.scaler.apply(x)[:, 0] > 0).astype(int)

    model = Scaling()
    figures = (
        plot_boundary(lambda x: (x[:, 0] > 0).astype(int), POINTS, [False, False, True, True], scaler=scaler),
        plot_boundary(model.predict, POINTS, [0, 0, 1, 1]),
    )
    pictures = [np.asarray(figure.axes[0].images[0].get_array()) for figure in figures]
    np.testing.assert_array_equal(*pictures)
    with pytest.raises(ArgumentError, match="scaled twice"):
        plot_boundary(model.predict, POINTS, [0, 0, 1, 1], scaler=scaler)
    with pytest.raises(ArgumentError, match="a scaler of type str"):
        plot_boundary(lambda x: x[:, 0] > 0, POINTS, [0, 0, 1, 1], scaler="standard")  # type: ignore[arg-type]


def test_boundary_of_several_classes_and_of_one_point() -> None:
    scores = np.array([[1.0, 0.0, -1.0], [0.0, 1.0, 0.5]])
    inside(plot_boundary(lambda x: x @ scores, np.random.default_rng(0).normal(size=(30, 2)), np.arange(30) % 3))
    inside(plot_boundary(lambda x: np.zeros(len(x), int), [[0.0, 0.0]], [0]))


@pytest.mark.parametrize(
    ("predict", "x", "y", "lesson"),
    [
        (lambda x: x[:, 0], POINTS, [0, 0, 1, 1], "single numbers from"),
        (lambda x: np.zeros(3), POINTS, [0, 0, 1, 1], "predict gave shape"),
        (lambda x: x[:, 0] > 0, POINTS[:, :1], [0, 0, 1, 1], "two columns"),
        (lambda x: x[:, 0] > 0, POINTS, [0, 1], "4 points and 2 labels"),
        (lambda x: x[:, 0] > 0, POINTS, [[0], [0], [1], [1]], "class numbers"),
        (lambda x: x[:, 0] > 0, POINTS * np.nan, [0, 0, 1, 1], "not finite"),
        (lambda x: np.stack([x[:, 0] * np.nan] * 2, axis=1), POINTS, [0, 0, 1, 1], "predict gave values that are not"),
        (lambda x: x[:, 0] > 0, POINTS, list("abab"), "y holds <U1"),
        (lambda x: x[:, 0] > 0, POINTS, [1, -1, 1, -1], "y holds -1 at row 1"),
        (lambda x: x[:, 0] > 0, POINTS, [0.0, 1.0, 0.5, 1.0], "y holds 0.5 at row 2"),
        (lambda x: x[:, 0] > 0, POINTS, [0.0, 1.0, 0.0, np.nan], "y holds nan at row 3"),
    ],
)
def test_boundary_refuses(predict: Any, x: Any, y: Any, lesson: str) -> None:
    with pytest.raises(DataError, match=lesson):
        plot_boundary(predict, x, y)


def test_weights() -> None:
    rng = np.random.default_rng(0)
    figure = plot_weights(
        {"w": rng.normal(size=(20, 30)), "zero": np.zeros(4), "bad": [1.0, np.nan, np.inf], "none": []}
    )
    texts = [[text.get_text() for text in axes.texts] for axes in figure.axes]
    assert "largest |W|" in texts[0][0]
    assert texts[2][1] == "2 not finite"
    assert texts[3][0] == "no finite values"
    assert sum(bar.get_height() for bar in figure.axes[0].patches) == 600
    inside(figure)


def test_more_arrays_than_panels_is_said() -> None:
    figure = plot_weights({f"w{i}": [float(i)] for i in range(30)})
    assert len(figure.axes) == 24
    assert figure.get_suptitle() == "Weights (6 more arrays not drawn)"
    with pytest.raises(DataError, match="no weights"):
        plot_weights({})


def test_a_busy_picture_becomes_a_bitmap_within_its_budget() -> None:
    with look():
        figure = new_figure()
        figure.subplots().scatter(*np.random.default_rng(0).normal(size=(2, 20_000)))
    assert embed("many <points>", figure, 10**6).startswith('<img alt="many &lt;points&gt;" src="data:image/png')
    assert len(embed("points", figure, 60_000)) < 60_100


def test_the_same_picture_is_the_same_file() -> None:
    def once() -> str:
        return embed("w", plot_weights({"w": np.arange(10.0)}), 10**6)

    assert once() == once()
    assert "image/svg+xml" in once()


def test_colours_differ_in_grey_too() -> None:
    grey = [float(np.dot(light(c, 1.0), (0.299, 0.587, 0.114))) for c in PALETTE[:2]]
    assert len(set(PALETTE)) == 8
    assert abs(grey[0] - grey[1]) > 0.05
