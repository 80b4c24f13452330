"""First values have the distributions that they promise."""

import math

import numpy as np
import pytest

import weft as wf
from weft import nn
from weft.errors import ArgumentError, ShapeError, WeftError
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


def test_an_initialization_that_cannot_be_is_refused_at_once_and_changes_nothing():
    layer = nn.Linear(2, 2)
    for drawn in (False, True):
        with pytest.raises(ShapeError, match="orthogonal"):
            layer.bias.initialize("orthogonal")
        with pytest.raises(ArgumentError, match=r"sigma(.|\n)*std"):
            layer.weight.initialize("normal", sigma=1)
        before = layer.bias.numpy().copy() if drawn else layer.bias.numpy()
    layer.initialize(layer.bias.start.seed)
    np.testing.assert_array_equal(layer.bias.numpy(), before)


def test_an_own_function_starts_a_layer():
    import weft as wf

    layer = nn.Linear(3, 3, weight_init=lambda shape, key, *, fan_in, fan_out: wf.eye(*shape) * fan_in)
    assert layer.weight.tolist() == [[3.0, 0, 0], [0, 3.0, 0], [0, 0, 3.0]]
    bad = nn.Linear(3, 2, weight_init=lambda shape, key, **fans: wf.eye(3))
    with pytest.raises(wf.errors.ShapeError, match="first value of"):
        bad.weight.numpy()


# ── PyTorch's definitions ───────────────────────────────────────────────────────────────────────────────────

KEY = (3, 4)


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
        lambda: init.truncated_normal((3,), KEY, limit=math.nan),
        lambda: init.truncated_normal((3,), KEY, std=-1.0),
        lambda: init.normal((3,), KEY, std=-0.1),
        lambda: init.normal((3,), KEY, mean=math.inf),
        lambda: init.uniform((3,), KEY, low=1.0, high=0.0),
        lambda: init.constant((3,), KEY, value="one"),
        lambda: init.orthogonal((3, 3), KEY, gain=math.nan),
        lambda: init.kaiming_normal((3, 3), KEY, fan_in=3, fan_out=3, a="x"),
        lambda: nn.Linear(3, 3).initialize("seven"),
        lambda: init.kaiming_normal((3, 3), KEY, fan_in=3, fan_out=3, mode="fan_all"),
    ],
)
def test_shapes_and_numbers_that_make_no_sense_are_refused(draw):
    with pytest.raises(WeftError) as caught:
        draw()
    assert caught.value.expected


@pytest.mark.parametrize("limit", [1e-9, 0.3, 0.99, 1.01, 4.0])
def test_a_truncated_normal_of_any_limit(limit):
    drawn = init.truncated_normal((20000,), (1, 2), limit=limit).numpy().astype(float) / limit
    # The variance is 1 − 2·limit·φ(limit) / (Φ(limit) − Φ(−limit)).
    density, inside = math.exp(-limit * limit / 2) / math.sqrt(2 * math.pi), math.erf(limit / math.sqrt(2))
    variance = 1 / 3 if limit < 1e-3 else (1 - 2 * limit * density / inside) / limit**2
    assert np.abs(drawn).max() <= 1
    assert drawn.var() == pytest.approx(variance, rel=0.03)
    assert abs(drawn.mean()) < 0.02


def test_pytorchs_names_of_initialisations_are_answered_by_ours():
    with pytest.raises(AttributeError, match=r"p\.initialize\('kaiming_uniform'\)"):
        _ = init.kaiming_uniform_
    with pytest.raises(AttributeError, match=r"no attribute 'nothing_'$"):
        _ = init.nothing_


# A first value is found in the midst of recording the operation that asks for it.


@pytest.mark.parametrize("to", [wf.float16, wf.bfloat16, wf.float64])
def test_a_first_value_in_another_type_leaves_the_other_operands_alone(to):
    layer = nn.Linear(3, 2).to(to)
    waiting = wf.ones((4, 3), dtype=to) * 2  # not computed yet
    y = layer(waiting)
    expected = 2 * layer.weight.numpy().astype(float).sum(axis=1) + layer.bias.numpy().astype(float)
    np.testing.assert_allclose(y.numpy().astype(float), np.tile(expected, (4, 1)), rtol=2e-2, atol=2e-2)


def test_a_first_value_may_be_computed_from_what_is_not_computed_yet():
    waiting = wf.arange(6.0).reshape(2, 3)

    def init(shape, key, **fans):
        return (waiting * 2).reshape(shape)

    layer = nn.Linear(3, 2, bias=False, weight_init=init)
    x = wf.ones((1, 3)) + waiting.sum()
    assert (layer(x) + waiting.max()).tolist() == [[6 * 16.0 + 5, 24 * 16.0 + 5]]
    assert waiting.tolist() == [[0, 1, 2], [3, 4, 5]]


def test_a_buffer_that_follows_from_a_waiting_weight_leaves_the_other_operands_alone():
    layer = nn.SpectralNorm(nn.Linear(3, 3, bias=False)).eval()
    layer.original.assign(wf.eye(3) * 4)
    x = wf.ones((1, 3)) * 2
    np.testing.assert_allclose(layer(x).numpy(), [[2.0, 2.0, 2.0]], rtol=1e-5)
