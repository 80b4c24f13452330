"""First values have the distributions that they promise."""

import math

import numpy as np
import pytest
import torch

from weft import nn
from weft.errors import ArgumentError, WeftError
from weft.nn import init

SHAPE, IN, OUT = (200, 300), 300, 200

EXPECTED = {  # standard deviation, bound
    "uniform": (1 / math.sqrt(12), 1.0),
    "normal": (1.0, None),
    "truncated_normal": (0.8796, 2.0),
    "constant": (0.0, 0.0),
    "zeros": (0.0, 0.0),
    "ones": (0.0, 1.0),
    "xavier_uniform": (math.sqrt(2 / (IN + OUT)), math.sqrt(6 / (IN + OUT))),
    "xavier_normal": (math.sqrt(2 / (IN + OUT)), None),
    "kaiming_uniform": (math.sqrt(2 / IN), math.sqrt(6 / IN)),
    "kaiming_normal": (math.sqrt(2 / IN), None),
    "eye": (math.sqrt(1 / 300 - 1 / 300**2), 1.0),
    "orthogonal": (math.sqrt(1 / 300), None),
    "sparse": (0.01 * math.sqrt(0.1), None),
    "lecun_uniform": (math.sqrt(1 / IN), math.sqrt(3 / IN)),
    "lecun_normal": (math.sqrt(1 / IN), None),
    "fan_uniform": (1 / math.sqrt(3 * IN), 1 / math.sqrt(IN)),
}


@pytest.mark.parametrize("name", sorted(set(init.INITIALIZERS) - {"dirac"}))
def test_spread_and_bound(name):
    std, bound = EXPECTED[name]
    drawn = init.INITIALIZERS[name](SHAPE, (1, 2), fan_in=IN, fan_out=OUT).numpy()
    assert drawn.dtype == np.float32
    assert drawn.std() == pytest.approx(std, rel=0.02, abs=1e-9)
    if bound is not None:
        assert np.abs(drawn).max() <= bound * (1 + 1e-6)
    again = init.INITIALIZERS[name](SHAPE, (1, 2), fan_in=IN, fan_out=OUT).numpy()
    np.testing.assert_array_equal(drawn, again)


def test_kaiming_with_the_slope_of_five_is_the_start_of_pytorchs_layers():
    a = init.kaiming_uniform(SHAPE, (1, 2), fan_in=IN, fan_out=OUT, a=math.sqrt(5)).numpy()
    b = init.fan_uniform(SHAPE, (1, 2), fan_in=IN, fan_out=OUT).numpy()
    np.testing.assert_allclose(a, b, rtol=1e-6)


def test_layers_start_as_pytorchs_do():
    layer = nn.Conv2d(8, 64, 5)
    bound = 1 / math.sqrt(8 * 25)
    for p in (layer.weight, layer.bias):
        assert 0.9 * bound < np.abs(p.numpy()).max() <= bound
    assert nn.Embedding(100, 50).weight.numpy().std() == pytest.approx(1.0, rel=0.05)


def test_an_own_function_starts_a_layer():
    import weft as wf

    layer = nn.Linear(3, 3, weight_init=lambda shape, key, *, fan_in, fan_out: wf.eye(*shape) * fan_in)
    assert layer.weight.tolist() == [[3.0, 0, 0], [0, 3.0, 0], [0, 0, 3.0]]
    bad = nn.Linear(3, 2, weight_init=lambda shape, key, **fans: wf.eye(3))
    with pytest.raises(wf.errors.ShapeError, match="first value of"):
        bad.weight.numpy()


# ── PyTorch's definitions ───────────────────────────────────────────────────────────────────────────────────

KEY = (3, 4)
FANS = {"fan_in": IN, "fan_out": OUT}


@pytest.mark.parametrize(
    "name", ["linear", "conv1d", "conv2d", "conv3d", "conv_transpose2d", "sigmoid", "tanh", "relu", "selu"]
)
def test_gains(name):
    assert init.gain(name) == init.calculate_gain(name) == torch.nn.init.calculate_gain(name)


def test_gain_of_a_leaky_relu():
    assert init.gain("leaky_relu", 0.3) == torch.nn.init.calculate_gain("leaky_relu", 0.3)
    with pytest.raises(ArgumentError, match="there is no gain"):
        init.gain("leeky_relu_")


@pytest.mark.parametrize(
    ("name", "options", "theirs"),
    [
        ("xavier_uniform", {"gain": 2.0}, {"gain": 2.0}),
        ("xavier_normal", {"gain": 0.5}, {"gain": 0.5}),
        ("kaiming_uniform", {"mode": "fan_out", "nonlinearity": "relu"}, {"mode": "fan_out", "nonlinearity": "relu"}),
        ("kaiming_normal", {"mode": "fan_out", "a": 0.3}, {"mode": "fan_out", "a": 0.3}),
        ("kaiming_normal", {"nonlinearity": "tanh"}, {"nonlinearity": "tanh"}),
        ("orthogonal", {"gain": 3.0}, {"gain": 3.0}),
        ("sparse", {"sparsity": 0.33, "std": 2.0}, {"sparsity": 0.33, "std": 2.0}),
        ("truncated_normal", {"mean": 1.0, "std": 0.5}, {"mean": 1.0, "std": 0.5, "a": 0.0, "b": 2.0}),
        ("normal", {"mean": 2.0, "std": 0.1}, {"mean": 2.0, "std": 0.1}),
        ("uniform", {"low": -3.0, "high": 1.0}, {"a": -3.0, "b": 1.0}),
    ],
)
def test_moments_and_ends_are_pytorchs(name, options, theirs):
    ours = init.INITIALIZERS[name](SHAPE, KEY, **FANS, **options).numpy()
    torch.manual_seed(0)
    named = {"truncated_normal": "trunc_normal"}.get(name, name)
    wanted = getattr(torch.nn.init, named + "_")(torch.empty(SHAPE), **theirs).numpy()
    scale = float(wanted.std())
    assert ours.std() == pytest.approx(scale, rel=0.02)
    assert ours.mean() == pytest.approx(wanted.mean(), abs=0.02 * scale)
    assert ours.max() == pytest.approx(wanted.max(), rel=0.25)
    assert (ours == 0).mean() == pytest.approx((wanted == 0).mean(), abs=0.002)


def test_forms_are_pytorchs():
    for shape, groups in (((4, 4, 3), 2), ((6, 2, 3, 3), 3), ((2, 3, 2, 3, 4), 1)):
        wanted = torch.nn.init.dirac_(torch.empty(shape), groups).numpy()
        np.testing.assert_array_equal(init.dirac(shape, KEY, groups=groups).numpy(), wanted)
    np.testing.assert_array_equal(init.eye((3, 5), KEY).numpy(), torch.nn.init.eye_(torch.empty(3, 5)).numpy())
    for shape in ((3, 7), (7, 3), (4, 2, 3)):
        w = init.orthogonal(shape, KEY, gain=2.0).numpy().reshape(shape[0], -1)
        square = w @ w.T if w.shape[0] <= w.shape[1] else w.T @ w
        np.testing.assert_allclose(square, 4 * np.eye(len(square)), atol=1e-5)


@pytest.mark.parametrize(
    "draw",
    [
        lambda: init.eye((3,), KEY),
        lambda: init.dirac((3, 3), KEY),
        lambda: init.orthogonal((3,), KEY),
        lambda: init.sparse((3, 3, 3), KEY),
        lambda: init.sparse((3, 3), KEY, sparsity=2.0),
        lambda: init.dirac((3, 3, 3), KEY, groups=2),
        lambda: init.truncated_normal((3,), KEY, limit=0.0),
        lambda: init.kaiming_normal((3, 3), KEY, fan_in=3, fan_out=3, mode="fan_all"),
    ],
)
def test_shapes_and_numbers_that_make_no_sense_are_refused(draw):
    with pytest.raises(WeftError) as caught:
        draw()
    assert caught.value.expected
