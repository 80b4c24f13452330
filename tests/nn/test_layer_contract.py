"""What every layer must do, over the table of samples; what can be computed together is one program."""

import copy
import json

import numpy as np
import pytest

import weft as wf
from weft import nn
from weft.graph.spec import Spec
from weft.graph.structure import flatten
from weft.nn.building import trace
from weft.nn.registry import _classes
from weft.nn.state import take_types

from .samples import SAMPLES

# One line of this file calls every layer, which is what the warning is for.
pytestmark = pytest.mark.filterwarnings("ignore:.* made .* programs:weft.RecompileWarning")
FROM_ZERO = {"lora_A", "weight_hh"}  # what is multiplied by a zero that is there at the start has no gradient yet
NOT_CALLED = {"ModuleList", "ModuleDict"}
ALL = pytest.mark.parametrize("name", sorted(SAMPLES))
WITH_PARAMETERS = [name for name, s in SAMPLES.items() if any(p.requires_grad for p in s.make().parameters())]


def results(value) -> list[wf.Tensor]:
    """All tensors of a layer's result."""
    return flatten(value)[0]


def test_every_registered_layer_of_the_package_has_a_sample():
    ours = {name for name, cls in _classes.items() if cls.__module__.startswith("weft.")}
    assert ours - NOT_CALLED == set(SAMPLES)


# ── in evaluation mode ──────────────────────────────────────────────────────────────────────────────────────


@ALL
def test_a_layer_comes_back_from_its_description_in_every_type_and_maps_over_batches(name):
    sample = SAMPLES[name]
    layer, inputs = sample.make().eval().build(*sample.inputs()), sample.inputs()
    again = nn.construct(json.loads(json.dumps(nn.describe(layer)))).eval()
    again.load_state_dict(layer.state_dict())
    assert nn.describe(again) == nn.describe(layer)
    assert repr(again) == repr(layer)
    y = results(layer(*inputs))
    wf.realize(*y)
    for a, b in zip(results(again(*inputs)), y, strict=True):  # the same program with other parameters
        np.testing.assert_array_equal(a.numpy(), b.numpy())
    for dtype in (wf.bfloat16, wf.float64):
        in_type(layer, [spec_of(x, dtype) for x in inputs], dtype)
    half = copy.deepcopy(layer).to(wf.float16)
    for a, b in zip(in_half(half, sample), y, strict=True):
        close(a, b, 2e-2 * sample.rounding, "float16" + ", mapped" * sample.mapped)


def spec_of(x, dtype):
    return Spec(x.shape, dtype if x.dtype.is_floating else x.dtype)


def in_type(layer, inputs, dtype):
    """A copy of the layer in another data type, sketched: its result and its state must have that type."""
    other = copy.deepcopy(layer).to(dtype)
    y = results(trace(other, inputs))
    assert {t.dtype for t in y if t.dtype.is_floating} <= {dtype}
    assert {t.dtype for t in (*other.parameters(), *other.buffers()) if t.dtype.is_floating} <= {dtype}
    again, values = nn.construct(nn.describe(other)), other.state_dict()
    take_types(again, values)
    again.load_state_dict(values)
    for path, value in again.state_dict().items():
        assert value.dtype == values[path].dtype, path
        np.testing.assert_array_equal(value, values[path])


def in_half(layer, sample):
    """What a layer in float16 makes of the inputs, as the second of two batches over which it is mapped."""
    batches = [[x.astype(wf.float16) if x.dtype.is_floating else x for x in sample.inputs(k)] for k in (1, 0)]
    if not sample.mapped:
        return results(layer(*batches[1]))
    return [t[1] for t in results(wf.vmap(layer)(*(wf.stack(pair) for pair in zip(*batches, strict=True))))]


def close(a, b, far, what):
    a, b = (np.asarray(t.numpy(), np.float64) for t in (a, b))
    scale = max(1.0, float(np.abs(b).max(initial=0)))
    np.testing.assert_allclose(a, b, rtol=far, atol=far * scale, err_msg=what)


# ── in training mode ────────────────────────────────────────────────────────────────────────────────────────


@ALL
def test_a_second_call_compiles_nothing_and_a_copy_shares_nothing(name):
    wf.realize()  # what an earlier test has left recorded would be part of the first program
    sample = SAMPLES[name]
    layer = sample.make()
    other = copy.deepcopy(layer)
    wf.random.seed(0)
    first = results(layer(*sample.inputs()))
    wf.realize(*first)
    before = wf.explain().count
    second = results(layer(*sample.inputs(1)))
    wf.realize(*second)
    assert wf.explain().count == before
    assert [t.shape for t in first] == [t.shape for t in second]
    # Names and seed decide the first values, so the copy that was made before any is drawn has the same ones.
    wf.random.seed(0)
    for a, b in zip(results(other(*sample.inputs())), first, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())
    assert not {id(t) for t in other.parameters()} & {id(t) for t in layer.parameters()}


@ALL
def test_build_finds_the_shape_of_the_result_without_computing(name):
    sample = SAMPLES[name]
    layer = sample.make()
    before = wf.explain().count
    table = nn.summary(layer, *sample.inputs())
    assert wf.explain().count == before
    assert not any(p.settled for p in layer.parameters() if p.start is not None)
    assert all(p.known_shape is not None for p in layer.parameters())
    assert table.rows[0].output == results(layer(*sample.inputs()))[-1].shape
    assert layer.training


@pytest.mark.parametrize("name", sorted(WITH_PARAMETERS))
def test_the_gradient_reaches_every_parameter(name):
    sample = SAMPLES[name]
    layer = sample.make()
    loss = sum(
        (y * wf.tensor(np.linspace(-1, 2, y.size, dtype=np.float32).reshape(y.shape))).sum()
        for y in results(layer(*sample.inputs()))
        if y.dtype.is_floating
    )
    trained = {path: p for path, p in layer.named_parameters() if p.requires_grad}
    grads = wf.gradients(loss, list(trained.values()))
    wf.realize(*grads)
    for (path, p), g in zip(trained.items(), grads, strict=True):
        assert g.shape == p.shape
        assert np.abs(g.numpy()).max() > 0 or path.split(".")[-1] in FROM_ZERO, path


@ALL
def test_training_and_evaluation_modes_are_told_apart_where_they_should_be(name):
    sample = SAMPLES[name]
    layer, inputs = sample.make(), sample.inputs()
    modes = [results(layer.train()(*inputs)), results(layer.eval()(*inputs))]
    same = all(np.allclose(a.numpy(), b.numpy(), atol=1e-5) for a, b in zip(*modes, strict=True))
    assert same == (not (sample.random or sample.modes))
