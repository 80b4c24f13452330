"""The functions that networks are made of: what they compute where it is easy to see, and what they refuse."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import weft as wf
from weft import special
from weft.errors import (
    ArgumentError,
    AxisError,
    DataError,
    DTypeError,
    GradientError,
    ShapeError,
    WeftError,
)
from weft.nn import functional as F
from weft.ops import counting, quantiles, running, segments, selection, windows

from .samples.numbers import apart, normal

pytestmark = pytest.mark.filterwarnings(
    "ignore::weft.runtime.explanation.RecompileWarning"
)  # one line, many structures

ROW = wf.tensor([3.0, 1.0, 3.0, 2.0])
LINE, IMAGE, SOLID = wf.ones((1, 2, 4)), wf.ones((1, 2, 4, 4)), wf.ones((1, 2, 3, 3, 3))
KERNEL = wf.ones((3, 2, 2, 2))
WHOLE = wf.tensor([0, 2, 0])

# ── what cannot be ──────────────────────────────────────────────────────────────────────────────────────────

REFUSED: dict[str, Any] = {
    "a signal for pictures' convolution": lambda: F.conv2d(LINE[0], KERNEL),
    "a kernel of another rank": lambda: F.conv1d(LINE, KERNEL),
    "a kernel larger than the padded input": lambda: F.conv2d(IMAGE, wf.ones((1, 2, 7, 7)), padding=1),
    "stride 0": lambda: F.conv2d(IMAGE, KERNEL, stride=0),
    "negative padding": lambda: F.conv2d(IMAGE, KERNEL, padding=-1),
    "pairs of padding for another rank": lambda: F.conv2d(IMAGE, KERNEL, padding=((1, 2),)),
    "groups that do not divide": lambda: F.conv2d(IMAGE, KERNEL, groups=2),
    "no groups": lambda: F.conv2d(IMAGE, KERNEL, groups=0),
    "other channels": lambda: F.conv2d(IMAGE[:, :1], KERNEL),
    "a bias of another length": lambda: F.conv2d(IMAGE, KERNEL, wf.ones(1)),
    "same padding with a stride": lambda: F.conv2d(IMAGE, KERNEL, padding="same", stride=2),
    "transposed with same padding": lambda: F.conv_transpose2d(IMAGE, wf.ones((2, 1, 2, 2)), padding="same"),
    "output_padding of a stride": lambda: F.conv_transpose1d(LINE, wf.ones((2, 1, 3)), output_padding=1),
    "transposed to nothing": lambda: F.conv_transpose1d(LINE, wf.ones((2, 1, 1)), padding=2),
    "transposed of other channels": lambda: F.conv_transpose1d(LINE, wf.ones((3, 1, 2))),
    "a window larger than the input": lambda: F.max_pool2d(IMAGE, 5),
    "padding of more than half the window": lambda: F.max_pool2d(IMAGE, 3, padding=2),
    "pooling with stride 0": lambda: F.avg_pool1d(LINE, 2, stride=0),
    "pooling of too many axes": lambda: F.max_pool1d(SOLID, 2),
    "divisor 0": lambda: F.avg_pool2d(IMAGE, 2, divisor_override=0),
    "a power of 0": lambda: F.lp_pool2d(IMAGE, 0, 2),
    "adaptive to nothing": lambda: F.adaptive_avg_pool2d(IMAGE, 0),
    "adaptive to three sizes": lambda: F.adaptive_max_pool2d(IMAGE, (1, 2, 3)),
    "fractional without a size": lambda: F.fractional_max_pool2d(IMAGE, 2),
    "fractional windows that do not fit": lambda: F.fractional_max_pool2d(IMAGE, 2, size=4),
    "unpooling outside": lambda: F.max_unpool1d(wf.ones((1, 2)), wf.tensor([[0, 9]]), 2),
    "unpooling by numbers": lambda: F.max_unpool1d(wf.ones((1, 2)), wf.ones((1, 2)), 2),
    "unpooling to a far size": lambda: F.max_unpool1d(wf.ones((1, 2)), wf.tensor([[0, 2]]), 2, size=(9,)),
    "interpolation to two sizes": lambda: F.interpolate(IMAGE, 8, scale_factor=2),
    "interpolation to none": lambda: F.interpolate(IMAGE),
    "interpolation to nothing": lambda: F.interpolate(IMAGE, scale_factor=0.1),
    "interpolation of another rank": lambda: F.interpolate(IMAGE, 8, mode="linear"),
    "an unknown mode": lambda: F.interpolate(IMAGE, 8, mode="lanczos"),
    "nearest with aligned corners": lambda: F.interpolate(IMAGE, 8, align_corners=True),
    "nearest with antialias": lambda: F.interpolate(IMAGE, 8, antialias=True),
    "a grid of other axes": lambda: F.grid_sample(IMAGE, wf.zeros((1, 2, 2, 3))),
    "bicubic volumes": lambda: F.grid_sample(SOLID, wf.zeros((1, 1, 1, 1, 3)), mode="bicubic"),
    "a map of another size": lambda: F.affine_grid(wf.ones((1, 2, 2)), (1, 1, 2, 2)),
    "channels that are no square": lambda: F.pixel_shuffle(IMAGE, 2),
    "a picture that does not divide": lambda: F.pixel_unshuffle(IMAGE, 3),
    "channels that do not divide": lambda: F.channel_shuffle(IMAGE, 3),
    "patches of a signal": lambda: F.unfold(LINE[0], 2),
    "patches that do not fit": lambda: F.unfold(IMAGE, 5),
    "columns of another number": lambda: F.fold(wf.ones((1, 8, 3)), 3, 2),
    "windows that do not fit": lambda: windows.sliding_windows(ROW, 5),
    "windows without a step": lambda: windows.sliding_windows(ROW, 2, step=0),
    "k of more than there are": lambda: selection.topk(ROW, 5),
    "the 0th value": lambda: selection.kthvalue(ROW, 0),
    "the mode of nothing": lambda: selection.mode(wf.zeros((0, 2)), axis=0),
    "complex numbers in order": lambda: selection.topk(ROW * 1j, 1),
    "extremes of a scalar": lambda: selection.cummax(ROW[0]),
    "a share above 1": lambda: quantiles.quantile(ROW, 1.5),
    "a vector with a share below 0": lambda: quantiles.quantile(ROW, [0.5, -0.5]),
    "an unknown method": lambda: quantiles.median(ROW, method="hazen"),
    "the median of nothing": lambda: quantiles.median(wf.zeros((0,))),
    "a running sum without axis": lambda: running.cumulative_logsumexp(LINE),
    "segments of another length": lambda: segments.segment_sum(ROW, WHOLE, count=3),
    "a negative count": lambda: segments.segment_sum(ROW[:3], WHOLE, count=-1),
    "a segment out of range": lambda: segments.segment_max(ROW[:3], WHOLE, count=2),
    "segments that are not whole": lambda: segments.segment_mean(ROW, ROW, count=4),
    "bincount of negative numbers": lambda: counting.bincount(WHOLE - 1),
    "bincount of fractions": lambda: counting.bincount(ROW),
    "histogram without intervals": lambda: counting.histogram(ROW, 0),
    "histogram of an empty range": lambda: counting.histogram(ROW, 3, range=(2.0, 1.0)),
    "cdist of other widths": lambda: F.cdist(wf.ones((2, 3)), wf.ones((2, 4))),
    "a negative norm": lambda: F.cdist(wf.ones((2, 3)), wf.ones((2, 3)), p=-1),
    "pdist of a vector": lambda: F.pdist(ROW),
    "an odd number of gates": lambda: F.glu(ROW[:3]),
    "slopes for other channels": lambda: F.prelu(IMAGE, wf.ones(3)),
    "bounds in the wrong order": lambda: F.hardtanh(ROW, 1.0, -1.0),
    "a temperature of 0": lambda: F.gumbel_softmax(ROW, tau=0),
    "a negative order": lambda: special.polygamma(-1, ROW),
    "an eps of 1": lambda: special.logit(ROW, eps=1.0),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_is_a_lesson(name: str) -> None:
    with pytest.raises(WeftError) as caught:
        REFUSED[name]()
    assert isinstance(caught.value, ShapeError | ArgumentError | DTypeError | DataError | AxisError)
    assert caught.value.expected or caught.value.cure, str(caught.value)


@pytest.mark.parametrize("function", [special.gammainc, special.gammaincc, special.zeta])
def test_a_derivative_without_a_closed_form_is_refused_not_zero(function: Any) -> None:
    a, x = wf.tensor([2.0], requires_grad=True), wf.tensor([1.5], requires_grad=True)
    y = function(a, x)
    assert np.isfinite(wf.gradients(y.sum(), x).numpy()).all()
    with pytest.raises(GradientError, match="no closed form"):
        wf.gradients(y.sum(), a)


# ── pooling ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("pool", [lambda x: F.max_pool2d(x, 2), lambda x: F.adaptive_max_pool2d(x, (2, 2))])
def test_the_first_of_equal_maxima_has_the_gradient(pool: Any) -> None:
    x = wf.zeros((1, 1, 4, 4), requires_grad=True)
    g = wf.gradients(pool(x).sum(), x).numpy()[0, 0]
    assert np.flatnonzero(g).tolist() == [0, 2, 8, 10]


def test_indices_bring_maxima_back() -> None:
    x = wf.tensor(apart(2, 3, 4, 6))
    y, at = F.max_pool2d(x, 2, return_indices=True)
    flat = x.numpy().reshape(2, 3, 24)
    np.testing.assert_array_equal(np.take_along_axis(flat, at.numpy().reshape(2, 3, 6), -1), y.numpy().reshape(2, 3, 6))
    back = F.max_unpool2d(y, at, 2)
    np.testing.assert_array_equal(F.max_pool2d(back.abs(), 2).numpy(), np.abs(y.numpy()))


def test_whole_numbers_pool_without_rounding() -> None:
    x = wf.tensor([[1, 2**60 + 1, 3, 4]])
    assert F.max_pool1d(x, 2).tolist() == [[2**60 + 1, 4]]
    assert F.avg_pool1d(wf.tensor([[1, 2, 3, 4]]), 2).tolist() == [[1.5, 3.5]]


def test_not_a_number_is_the_maximum_of_its_window() -> None:
    y = F.max_pool1d(wf.tensor([[1.0, math.nan, 3.0, 4.0]]), 2).numpy()
    assert np.isnan(y[0, 0])
    assert y[0, 1] == 4


def test_random_windows_are_the_same_for_the_same_samples() -> None:
    x = wf.tensor(normal(1, 2, 8, 8))
    u = wf.tensor(np.full((1, 2, 2), 0.3))
    first, second = (F.fractional_max_pool2d(x, 2, size=4, samples=u).numpy() for _ in range(2))
    np.testing.assert_array_equal(first, second)
    drawn = F.fractional_max_pool2d(x, 3, ratio=0.5).numpy()
    assert np.isin(drawn, x.numpy()).all()


# ── windows ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_folding_what_was_unfolded_counts_the_windows_of_each_pixel() -> None:
    x = wf.tensor(normal(2, 3, 5, 6))
    window = {"kernel_size": (2, 3), "dilation": (2, 1), "padding": (1, 0), "stride": (1, 2)}
    columns = F.unfold(x, **window)
    counts = F.fold(F.unfold(wf.ones((2, 3, 5, 6)), **window), (5, 6), **window)
    np.testing.assert_allclose(F.fold(columns, (5, 6), **window).numpy(), (x * counts).numpy(), rtol=1e-6)


def test_convolution_is_a_product_with_patches() -> None:
    x, w = wf.tensor(normal(2, 3, 5, 6)), wf.tensor(normal(4, 3, 2, 3))
    y = F.conv2d(x, w, stride=2, padding=((1, 0), (0, 2)))
    padded = wf.pad(x, ((0, 0), (0, 0), (1, 0), (0, 2)))
    product = w.reshape(4, -1) @ F.unfold(padded, (2, 3), stride=2)
    np.testing.assert_allclose(y.numpy().reshape(2, 4, -1), product.numpy(), rtol=1e-9, atol=1e-12)


def test_complex_numbers_convolve() -> None:
    x, w = normal(1, 2, 5) + 1j * normal(1, 2, 5), normal(3, 2, 2) + 1j * normal(3, 2, 2)
    y = F.conv1d(wf.tensor(x), wf.tensor(w)).numpy()
    parts = [F.conv1d(wf.tensor(a), wf.tensor(b)).numpy() for a in (x.real, x.imag) for b in (w.real, w.imag)]
    np.testing.assert_allclose(y, parts[0] - parts[3] + 1j * (parts[1] + parts[2]), rtol=1e-9, atol=1e-12)


# ── selection ───────────────────────────────────────────────────────────────────────────────────────────────


def test_not_a_number_is_larger_than_every_number() -> None:
    x = wf.tensor([1.0, math.nan, math.inf, -2.0])
    assert selection.topk(x, 2).indices.tolist() == [1, 2]
    assert selection.topk(x, 4, largest=False).indices.tolist() == [3, 0, 2, 1]
    assert selection.kthvalue(x, 3).values.item() == math.inf
    assert selection.cummax(x).indices.tolist() == [0, 1, 1, 1]
    assert math.isnan(quantiles.median(x).item())
    assert quantiles.nanmedian(x).item() == 1
    assert math.isnan(quantiles.nanmedian(x[1:2]).item())


def test_numpys_quantiles() -> None:
    x = normal(3, 4, 5)
    for axis in (None, 1, (0, 2)):
        for keepdims in (False, True):
            found = quantiles.quantile(wf.tensor(x), wf.tensor([0.2, 0.9], "float64"), axis=axis, keepdims=keepdims)
            np.testing.assert_allclose(found.numpy(), np.quantile(x, [0.2, 0.9], axis=axis, keepdims=keepdims))
            middle = quantiles.median(wf.tensor(x), axis=axis, keepdims=keepdims)
            np.testing.assert_allclose(middle.numpy(), np.median(x, axis=axis, keepdims=keepdims))


def test_a_new_share_or_factor_compiles_nothing() -> None:
    x = wf.tensor(np.arange(8.0).reshape(1, 1, 8))
    calls = [
        lambda k: quantiles.quantile(x, 0.1 + k / 10),
        lambda k: F.interpolate(x, scale_factor=1.8 + k / 100, mode="linear"),
        lambda k: F.leaky_relu(x, 0.1 + k),
        lambda k: F.softshrink(x, 0.1 + k),
    ]
    for call in calls:
        call(0).numpy()
        before = wf.explain().count
        for k in (1, 2, 3):
            call(k).numpy()
        assert wf.explain().count == before


# ── segments and counts ─────────────────────────────────────────────────────────────────────────────────────

ROWS, NUMBERS = apart(6, 2), np.array([2, 0, 2, 4, 0, 2])
EACH = [ROWS[k == NUMBERS] for k in range(5)]
EMPTY = {"sum": 0.0, "mean": math.nan, "max": -math.inf, "min": math.inf, "prod": 1.0}


@pytest.mark.parametrize("name", EMPTY)
def test_segments_are_reduced_each_for_itself(name: str) -> None:
    found = getattr(segments, f"segment_{name}")(wf.tensor(ROWS), wf.tensor(NUMBERS), count=5).numpy()
    reduce = getattr(np, name)
    expected = [reduce(part, axis=0) if len(part) else np.full(2, EMPTY[name]) for part in EACH]
    np.testing.assert_allclose(found, expected)


@pytest.mark.parametrize("name", EMPTY)
def test_gradients_of_segments_to_second_order(name: str) -> None:
    rows = ROWS.copy()
    rows[2, 0] = rows[4, 1] = 0.0  # products with a zero keep their slopes
    f = getattr(segments, f"segment_{name}")
    weights = wf.tensor(normal(6, 2))

    def value(x: Any) -> Any:
        y = f(x, wf.tensor(NUMBERS), count=5)[np.array([0, 2, 4])]
        return (y * y * wf.tensor([[0.3, 1.0], [0.7, -0.4], [1.1, 0.2]], "float64")).sum()

    x = wf.tensor(rows, requires_grad=True)
    g = wf.gradients(value(x), x)
    h = wf.gradients((g * weights).sum(), x)
    step = 1e-5 * weights.numpy()
    slopes = [
        wf.gradients(value(t), t).numpy() for t in (wf.tensor(rows + s, requires_grad=True) for s in (step, -step))
    ]
    sums = [value(wf.tensor(rows + s)).item() for s in (step, -step)]
    np.testing.assert_allclose((g.numpy() * weights.numpy()).sum(), (sums[0] - sums[1]) / 2e-5, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(h.numpy(), (slopes[0] - slopes[1]) / 2e-5, rtol=1e-6, atol=1e-6)


def test_numpys_counts() -> None:
    x = np.array([0.5, 1.0, 1.5, 2.0, 4.0, 9.0, -1.0])
    for bins, options in ((4, {}), (3, {"range": (0.0, 2.0)}), ([0.0, 1.0, 1.5, 4.0], {}), (5, {"density": True})):
        found = counting.histogram(
            wf.tensor(x), bins if isinstance(bins, int) else wf.tensor(bins, "float64"), **options
        )
        expected = np.histogram(x, bins, **options)
        np.testing.assert_allclose(found.counts.numpy(), expected[0])
        np.testing.assert_allclose(found.edges.numpy(), expected[1], atol=1e-15)
    weights = np.arange(7.0)
    found = counting.histogram(wf.tensor(x), 4, weights=wf.tensor(weights))
    np.testing.assert_allclose(found.counts.numpy(), np.histogram(x, 4, weights=weights)[0])
    n = np.array([3, 1, 1, 0])
    np.testing.assert_array_equal(counting.bincount(wf.tensor(n), minlength=6).numpy(), np.bincount(n, minlength=6))
    np.testing.assert_allclose(
        counting.bincount(wf.tensor(n), weights=wf.tensor([1.0, 2.0, 3.0, 4.0])).numpy(), np.bincount(n, [1, 2, 3, 4.0])
    )
