"""First values and gains compared with PyTorch's."""

import numpy as np
import pytest
import torch

from tests.nn.test_init import IN, KEY, OUT, SHAPE
from weft.errors import ArgumentError
from weft.nn import init

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
