"""What a table of samples does not reach: special values, ties, refusals, and the two lowerings of convolution."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

import weft as wf
from weft.errors import ArgumentError, DTypeError, ShapeError, WeftError
from weft.graph.lowering import lowering
from weft.ops import arithmetic, convolution, exponential, patches
from weft.ops.convolution import conv
from weft.ops.pooling import average_pool, max_pool
from weft.ops.reduction import max_op, prod_op
from weft.ops.subscript import setitem as replaced

from .contract import check_values, engine, one
from .samples.convolution import _conv
from .samples.numbers import apart, normal

PLAIN: dict[str, Any] = {"stride": (1, 1), "padding": ((0, 0), (0, 0)), "dilation": (1, 1), "groups": 1}


def test_rounding_rounds_half_precision_and_keeps_integers() -> None:
    x = wf.tensor([-1.5, 0.25, 2.75], wf.bfloat16)
    assert arithmetic.floor(x).tolist() == [-2.0, 0.0, 2.0]
    assert arithmetic.ceil(x).tolist() == [-1.0, 1.0, 3.0]
    assert arithmetic.trunc(wf.tensor([-7, 7])).tolist() == [-7, 7]


@pytest.mark.parametrize(
    "refused",
    [
        lambda t: -t,
        lambda t: t - t,
        lambda t: t**2,
        lambda t: arithmetic.sign(t),
        lambda t: t // True,
    ],
)
def test_arithmetic_on_truth_values_is_refused_where_it_is_written(refused: Any) -> None:
    with pytest.raises(DTypeError, match="does not take bool") as caught:
        refused(wf.tensor([True, False]))
    assert "test_edges.py" in str(caught.value)


def test_the_imaginary_part_is_not_dropped_silently() -> None:
    with pytest.raises(DTypeError, match="imaginary"):
        wf.tensor([1 + 2j]).astype("float32")


@pytest.mark.parametrize("dtype", [np.int32, np.float16, np.float32, np.float64])
def test_the_angle_of_real_numbers_has_all_digits_of_their_type(dtype: Any) -> None:
    x = np.array([-2, 0, 3], dtype)
    made = wf.angle(wf.tensor(x)).numpy()
    assert made.dtype == (np.float32 if dtype is np.int32 else dtype)
    assert made.tolist() == [made.dtype.type(np.pi), 0, 0]
    assert np.isnan(wf.angle(wf.tensor(np.nan)).item())


def test_whole_numbers_have_no_negative_power() -> None:
    with pytest.raises(DTypeError, match="power of -1"):
        exponential.integer_pow(wf.tensor([2]), exponent=-1)


def test_pow_at_zero_has_finite_gradients_to_second_order() -> None:
    x, p = wf.tensor([0.0, 0.0, 2.0], requires_grad=True), wf.tensor([2.0, 1.0, 0.0], requires_grad=True)
    dx, dp = wf.gradients(exponential.pow(x, p).sum(), [x, p])
    assert dx.tolist() == [0.0, 1.0, 0.0]
    np.testing.assert_allclose(dp.numpy(), [0, 0, np.log(2)], rtol=1e-6)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_rare_events_keep_their_probability(dtype: Any) -> None:
    x = np.array([-10.0, -14.0] if dtype is np.float16 else [-17.5, -80.0], dtype)
    y = wf.sigmoid(wf.tensor(x)).numpy().astype(np.float64)
    expected = 1 / (1 + np.exp(-x.astype(np.float64)))
    np.testing.assert_allclose(y, expected, rtol=1e-2 if dtype is np.float16 else 1e-6)
    slope = wf.gradients(wf.softplus(t := wf.tensor(x, requires_grad=True)).sum(), t).numpy().astype(np.float64)
    np.testing.assert_allclose(slope, expected, rtol=1e-2 if dtype is np.float16 else 1e-6)


def test_ties_share_in_reductions_and_the_first_wins_in_pooling() -> None:
    x = wf.tensor([[2.0, 2.0, 1.0, 0.0]], requires_grad=True)
    assert wf.gradients(max_op(x, axis=(1,), keepdims=False).sum(), x).tolist() == [[0.5, 0.5, 0, 0]]
    assert wf.gradients(max_pool(x, window=(4,)).sum(), x).tolist() == [[1, 0, 0, 0]]


@pytest.mark.parametrize("zeros", [0, 1, 2])
def test_the_product_with_zeros_is_differentiable_to_second_order(zeros: int) -> None:
    x = np.array([[0.0] * zeros + [1.5, -2.0, 0.5, 3.0]])
    check_values(one(prod_op, x, like=lambda x: x.prod(1), axis=(1,), keepdims=False))


def test_assigned_elements_may_be_anything() -> None:
    x = wf.tensor([1.0, np.nan, 3.0, 4.0])
    assert np.array_equal(replaced(x, 0, float("nan")).numpy(), [np.nan, np.nan, 3, 4], equal_nan=True)
    assert replaced(x, slice(1, 3), 0.5).tolist() == [1.0, 0.5, 0.5, 4.0]
    assert replaced(wf.tensor([True, True]), 1, False).tolist() == [True, False]
    assert replaced(x, np.array([True, True, False, False]), [7.0, 8.0]).tolist() == [7.0, 8.0, 3.0, 4.0]


# ── convolution and pooling ─────────────────────────────────────────────────────────────────────────────────

WINDOWS: list[tuple[Any, Any, dict[str, Any]]] = [
    ((5, 4, 9, 8), (6, 4, 3, 2), {"stride": (1, 1), "padding": ((1, 1), (0, 0)), "dilation": (1, 1), "groups": 1}),
    ((5, 4, 9, 8), (6, 2, 3, 2), {"stride": (2, 1), "padding": ((1, 0), (1, 2)), "dilation": (1, 2), "groups": 2}),
    ((3, 4, 9), (8, 1, 3), {"stride": (2,), "padding": ((2, 2),), "dilation": (2,), "groups": 4}),
    ((2, 3, 10, 10), (5, 3, 1, 1), {"stride": (3, 3), "padding": ((0, 0), (0, 0)), "dilation": (1, 1), "groups": 1}),
    ((2, 3, 11, 10), (5, 3, 4, 3), {"stride": (2, 3), "padding": ((1, 0), (0, 2)), "dilation": (1, 1), "groups": 1}),
    ((2, 3, 9), (4, 3, 2), {"stride": (2,), "padding": ((5, 4),), "dilation": (1,), "groups": 1}),
]
VOLUMES: list[tuple[Any, Any, dict[str, Any]]] = [
    (
        (2, 3, 5, 4, 6),
        (4, 3, 3, 2, 1),
        {"stride": (1,) * 3, "padding": ((1, 3), (0, 1), (2, 0)), "dilation": (1,) * 3, "groups": 1},
    ),
    (
        (2, 3, 5, 4, 6),
        (4, 3, 3, 2, 2),
        {"stride": (2, 1, 2), "padding": ((1, 1), (0, 1), (1, 0)), "dilation": (1,) * 3, "groups": 1},
    ),
]


@pytest.mark.parametrize("cache", [1 << 22, 3000, 100])
@pytest.mark.parametrize(("x_shape", "w_shape", "window"), WINDOWS)
def test_patches_in_pieces_are_the_engines_convolution(
    x_shape: Any, w_shape: Any, window: Any, cache: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patches, "_CACHE", cache)
    _agree(x_shape, w_shape, window)


@pytest.mark.parametrize(("x_shape", "w_shape", "window"), VOLUMES)
def test_volumes_as_pictures_are_the_engines_convolution(x_shape: Any, w_shape: Any, window: Any) -> None:
    _agree(x_shape, w_shape, window)


def _agree(x_shape: Any, w_shape: Any, window: Any) -> None:
    x, w = normal(*x_shape), normal(*w_shape)
    g = normal(*_conv(x, w, **window).shape)
    found = {}
    for name, platform, loop in (("engine", "gpu", False), ("loop", "cpu", True), ("cpu", "cpu", False)):
        with engine(), lowering.on(platform), lowering.loop() if loop else nullcontext():
            a, b, c = map(jnp.asarray, (x, w, g))
            found[name] = (
                conv.lower(a, b, **window),
                convolution.conv_input_gradient.lower(c, b, spatial=x_shape[2:], **window),
                convolution.conv_kernel_gradient.lower(a, c, kernel=w_shape[2:], **window),
            )
    np.testing.assert_allclose(found["engine"][0], _conv(x, w, **window), atol=1e-10)
    for other in ("loop", "cpu"):
        for one_, two in zip(found["engine"], found[other], strict=True):
            np.testing.assert_allclose(one_, two, atol=1e-10)


@pytest.mark.parametrize(
    ("x", "w", "changed", "says"),
    [
        ((3, 28, 28), (8, 3, 3, 3), {}, "N, C"),
        ((2, 28, 28, 3), (8, 3, 3, 3), {}, "moveaxis"),
        ((2, 3, 28, 28), (8, 4, 3, 3), {}, "4"),
        ((2, 3, 2, 2), (8, 3, 3, 3), {}, "does not fit"),
        ((2, 3, 8, 8), (8, 3, 3, 3), {"groups": 2}, "divides both"),
        ((2, 3, 8, 8), (8, 3, 3, 3), {"stride": (0, 1)}, "at least 1"),
        ((2, 3, 8, 8), (8, 3, 3, 3), {"stride": (1,)}, "2 entries each"),
    ],
)
def test_convolutions_that_cannot_be_are_lessons(x: Any, w: Any, changed: Any, says: str) -> None:
    with pytest.raises(WeftError) as caught:
        conv(wf.zeros(x), wf.zeros(w), **{**PLAIN, **changed})
    assert says in str(caught.value)


def _pooled(x: np.ndarray, window: Any, stride: Any, padding: Any, fill: float, f: Any) -> np.ndarray:
    x = np.pad(x, ((0, 0), *padding), constant_values=fill)
    views = np.lib.stride_tricks.sliding_window_view(x, window, (1, 2))[:, :: stride[0], :: stride[1]]
    return np.asarray(f(views, axis=(-2, -1)))


@pytest.mark.parametrize(
    ("window", "stride", "padding"),
    [((2, 2), (2, 2), ((0, 0), (0, 0))), ((3, 2), (1, 2), ((1, 1), (1, 0))), ((2, 2), (3, 3), ((0, 1), (0, 0)))],
)
def test_pooling_over_two_axes(window: Any, stride: Any, padding: Any) -> None:
    x = apart(2, 7, 6)
    t, given = wf.tensor(x), {"window": window, "stride": stride, "padding": padding}
    most, mean = max_pool(t, **given), average_pool(t, **given)
    real = average_pool(t, count_include_pad=False, **given)
    np.testing.assert_allclose(most.numpy(), _pooled(x, window, stride, padding, -np.inf, np.max))
    np.testing.assert_allclose(mean.numpy(), _pooled(x, window, stride, padding, 0, np.mean), atol=1e-12)
    np.testing.assert_allclose(real.numpy(), _pooled(x, window, stride, padding, np.nan, np.nanmean), atol=1e-12)


def test_pooling_refuses_windows_of_padding_alone() -> None:
    with pytest.raises(ArgumentError, match="smaller than the window"):
        max_pool(wf.zeros((1, 8)), window=(2,), padding=((2, 0),))
    with pytest.raises(ShapeError, match="does not fit"):
        max_pool(wf.zeros((1, 3)), window=(4,))
