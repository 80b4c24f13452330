"""What every layer must do, over the table of samples."""

import copy
import json

import numpy as np
import pytest

import weft as wf
from weft import nn
from weft.nn.registry import _classes

from .samples import SAMPLES

# One line of this file calls every layer, which is what the warning is for.
pytestmark = pytest.mark.filterwarnings("ignore:.* made .* programs:weft.RecompileWarning")
NOT_CALLED = {"ModuleList", "ModuleDict"}
RANDOM = {"Dropout"}
ALL = pytest.mark.parametrize("name", sorted(SAMPLES))
WITH_PARAMETERS = [name for name, s in SAMPLES.items() if list(s.make().parameters())]


def test_every_registered_layer_of_the_package_has_a_sample():
    ours = {name for name, cls in _classes.items() if cls.__module__.startswith("weft.")}
    assert ours - NOT_CALLED == set(SAMPLES)


@ALL
def test_a_second_layer_built_from_the_description_and_the_state_computes_the_same(name):
    sample = SAMPLES[name]
    layer, x = sample.make().eval(), sample.input()
    y = layer(x).numpy()
    again = nn.construct(json.loads(json.dumps(nn.describe(layer)))).eval()
    again.load_state_dict(layer.state_dict())
    assert nn.describe(again) == nn.describe(layer)
    assert repr(again) == repr(layer)
    np.testing.assert_array_equal(again(x).numpy(), y)


@ALL
def test_a_second_call_compiles_nothing_and_a_copy_shares_nothing(name):
    sample = SAMPLES[name]
    layer = sample.make()
    other = copy.deepcopy(layer)
    wf.random.seed(0)
    x = sample.input()
    first = layer(x).numpy()
    before = wf.explain().count
    second = layer(sample.input(1)).numpy()
    assert wf.explain().count == before
    assert first.shape == second.shape
    # Names and seed decide the first values, so the copy that was made before any is drawn has the same ones.
    wf.random.seed(0)
    np.testing.assert_array_equal(other(x).numpy(), first)
    assert not {id(t) for t in other.parameters()} & {id(t) for t in layer.parameters()}


@ALL
def test_build_finds_the_shape_of_the_result_without_computing(name):
    sample = SAMPLES[name]
    layer = sample.make()
    before = wf.explain().count
    table = nn.summary(layer, sample.input())
    assert wf.explain().count == before
    assert all(p.shape for p in layer.parameters())
    assert table.rows[0].output == layer(sample.input()).shape
    assert layer.training


@pytest.mark.parametrize("name", sorted(WITH_PARAMETERS))
def test_the_gradient_reaches_every_parameter(name):
    sample = SAMPLES[name]
    layer = sample.make()
    y = layer(sample.input())
    (y * wf.tensor(np.linspace(-1, 2, y.size, dtype=np.float32).reshape(y.shape))).sum().backward()
    for path, p in layer.named_parameters():
        assert p.grad is not None, path
        assert p.grad.shape == p.shape
        assert np.abs(p.grad.numpy()).max() > 0, path
    layer.zero_grad()
    assert all(p.grad is None for p in layer.parameters())


@ALL
def test_training_and_evaluation_modes_are_told_apart_where_they_should_be(name):
    sample = SAMPLES[name]
    layer, x = sample.make(), sample.input()
    modes = [layer.train()(x).numpy(), layer.eval()(x).numpy()]
    assert np.allclose(*modes) == (name not in {"Dropout", "BatchNorm1d", "BatchNorm2d"})
