"""Models put together by calling layers with symbols."""

import copy
import json

import numpy as np
import pytest

import weft as wf
from weft import nn
from weft.errors import ArgumentError, FileError, ShapeError, ValueNeededError

X = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)


def branching():
    x = nn.Input((4,))
    h = nn.Linear(16)(x)
    return nn.Model(x, nn.Linear(3)(nn.concat([h, x])))


def test_a_model_computes_what_its_layers_do():
    model = branching()
    expected = model.linear2(wf.concat([model.linear1(X), wf.tensor(X)], axis=1))
    np.testing.assert_array_equal(model(X).numpy(), expected.numpy())
    assert [name for name, _ in model.named_parameters()] == [
        "linear1.weight",
        "linear1.bias",
        "linear2.weight",
        "linear2.bias",
    ]
    assert model.linear2.weight.shape == (3, 20)


def test_sizes_are_known_and_values_drawn_only_under_the_final_names():
    a, b = nn.Linear(4), nn.Linear(4)
    x = nn.Input(4)
    y = b(a(x))
    assert y.shape == (None, 4)
    assert not a.weight.settled
    model = nn.Model(x, y)
    assert not np.allclose(model.linear1.weight.numpy(), model.linear2.weight.numpy())


def test_a_shared_layer_is_one_layer():
    x, y = nn.Input((4,)), nn.Input((4,))
    shared = nn.Linear(3)
    model = nn.Model([x, y], shared(x) - shared(y))
    assert len(list(model.parameters())) == 2
    np.testing.assert_array_equal(model(X, X).numpy(), np.zeros((5, 3), np.float32))


class Block2(nn.Module):
    def __init__(self):
        self.fc = nn.Linear(4)

    def forward(self, x):
        return self.fc(x)


def test_layers_of_a_class_whose_name_ends_in_a_number_are_several():
    x = nn.Input((4,))
    model = nn.Model(x, Block2()(Block2()(x)))
    assert [name for name, _ in model.named_children()] == ["block2_1", "block2_2"]
    assert len(list(model.parameters())) == 4


def test_several_outputs_operators_methods_and_functions():
    x = nn.Input((4,))
    h = (2 * x - 1).relu()[:, 1:]
    low, high = nn.call(wf.minimum, h, 0.5), nn.call(nn.functional.softmax, h, axis=-1)
    both = nn.Model(x, {"low": low, "high": (high, -h.mean(axis=1))})
    made = nn.construct(json.loads(json.dumps(nn.describe(both))))(X)
    base = np.maximum(2 * X - 1, 0)[:, 1:]
    np.testing.assert_allclose(made["low"].numpy(), np.minimum(base, 0.5), rtol=1e-5)
    np.testing.assert_allclose(made["high"][1].numpy(), -base.mean(1), rtol=1e-5)
    np.testing.assert_allclose(made["high"][0].numpy().sum(1), np.ones(5), rtol=1e-5)


def test_a_model_is_saved_copied_trained_and_part_of_another(tmp_path):
    model = branching()
    labels = (X[:, 0] > 0).astype(np.int64)
    run = wf.fit(model, (X, labels), "cross_entropy", epochs=2, verbose=False)
    assert run.history.epochs == 2
    again = wf.load(wf.save(model, tmp_path / "model.weft"))
    np.testing.assert_array_equal(again(X).numpy(), model(X).numpy())
    other = copy.deepcopy(model)
    other.linear1.weight.assign_add(1.0)
    assert not np.allclose(other(X).numpy(), model(X).numpy())
    z = nn.Input((4,))
    outer = nn.Model(z, nn.Linear(2)(model(z)))
    assert outer(X).shape == (5, 2)
    table = nn.summary(outer, (5, 4))
    assert [row.path for row in table.rows][:3] == ["model", "model1", "model1.linear1"]


def test_modes_reach_the_layers_and_random_numbers_are_new():
    x = nn.Input((4,))
    model = nn.Model(x, nn.Dropout(0.5)(x))
    assert not np.array_equal(model(np.ones((9, 4))).numpy(), model(np.ones((9, 4))).numpy())
    assert (model.eval()(np.ones((9, 4))).numpy() == 1).all()


def test_axes_of_any_size():
    x = nn.Input((None, 4), wf.float32)
    model = nn.Model(x, nn.Linear(2)(x).sum(axis=1))
    assert model(np.ones((3, 6, 4))).shape == model(np.ones((3, 2, 4))).shape == (3, 2)


# ── errors ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_axes_of_any_size_may_shrink_and_decide_nothing():
    x = nn.Input((3, None, None))
    y = nn.MaxPool2d(2)(nn.MaxPool2d(2)(nn.MaxPool2d(2)(nn.Conv2d(4, 7)(x))))
    assert y.shape == (None, 4, None, None)
    up = nn.Upsample(scale_factor=2)(nn.MaxPool2d(2)(x))
    assert (up + x).shape == (None, 3, None, None)  # as in a U-Net
    layer = nn.Linear(8)
    with pytest.raises(ArgumentError, match="any size"):
        layer(nn.Input((None,)))
    assert layer(nn.Input((5,))).shape == (None, 8)


def test_a_parameter_among_symbols_is_refused():
    x = nn.Input((3,))
    with pytest.raises(ArgumentError, match="train or save"):
        x * nn.Parameter([1.0, 1.0, 1.0])


def test_what_does_not_fit_is_refused_on_its_line():
    x = nn.Input((4,))
    with pytest.raises(ShapeError, match=r"(?s)last axis has size 4.*test_model\.py"):
        nn.Linear(6, 2)(x)
    with pytest.raises(ShapeError, match=r"(?s)test_model\.py"):
        x + nn.Input((3,))


def test_an_input_that_is_missing_is_named():
    x, other = nn.Input((4,)), nn.Input((7,))
    y = nn.concat([nn.Linear(2)(x), other])
    with pytest.raises(ArgumentError, match=r"Input of shape \(7,\) that is not among the inputs"):
        nn.Model(x, y)
    with pytest.raises(ArgumentError, match=r"nn\.Input gives"):
        nn.Model(y, y)
    with pytest.raises(ArgumentError, match="outputs="):
        nn.Model(x, X)
    with pytest.raises(ArgumentError, match="several different"):
        nn.Model([x, x], x * 2)


def test_calls_with_the_wrong_inputs():
    model = branching()
    with pytest.raises(ArgumentError, match=r"(?s)1 inputs called with 2.*\(batch, 4\)"):
        model(X, X)
    with pytest.raises(ShapeError, match=r"(?s)input 0 of shape \(5, 3\).*\(batch, 4\)"):
        model(X[:, :3])


def test_a_symbol_has_no_value():
    h = nn.Linear(2)(nn.Input((4,)))
    for use in (bool, float, list, np.asarray, nn.functional.relu, lambda s: wf.concat([s, s])):
        with pytest.raises(ValueNeededError, match=r"nn\.call"):
            use(h)
    with pytest.raises(AttributeError):
        h.backward()
    assert "from Linear" in repr(h)


def test_descriptions_hold_what_is_known_and_no_cycle():
    x = nn.Input((4,))
    with pytest.raises(ArgumentError, match=r"@nn\.register"):
        nn.describe(nn.Model(x, nn.call(lambda t: t * 2, x)))
    described = nn.describe(nn.Model(x, x.relu().tanh()))
    late = json.loads(json.dumps(described))
    late["arguments"]["calls"][0][2][1] = ["result", 2, 0]
    with pytest.raises(FileError, match="without a cycle"):
        nn.construct(late)
    for evil in ("__class__", "numpy", "backward"):
        bad = json.loads(json.dumps(described))
        bad["arguments"]["calls"][0][1] = evil
        with pytest.raises(FileError, match="method"):
            nn.construct(bad)


def test_a_module_inside_itself_is_refused():
    model = nn.Sequential(nn.Sequential(nn.ReLU()))
    with pytest.raises(ArgumentError, match="inside itself"):
        model[0].append(model)
    with pytest.raises(ArgumentError, match="inside itself"):
        model.append(model)
