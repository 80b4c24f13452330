"""State by name: what does not fit changes nothing."""

import numpy as np
import pytest

import weft as wf
from weft import nn
from weft.errors import ArgumentError, ShapeError


def model():
    return nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))


def test_everything_that_does_not_fit_is_one_error_and_nothing_is_changed():
    target = model()
    before = target.state_dict()
    state = model().initialize(9).state_dict()
    del state["0.bias"]
    state["3.weight"] = np.zeros(2, np.float32)
    state["2.weight"] = np.zeros((2, 5), np.float32)
    with pytest.raises(ArgumentError) as caught:
        target.load_state_dict(state)
    text = str(caught.value)
    assert "missing: 0.bias" in text
    assert "unexpected: 3.weight" in text
    assert "2.weight: the model has (2, 3), the state (2, 5)" in text
    for path, value in target.state_dict().items():
        np.testing.assert_array_equal(value, before[path])


def test_without_strict_only_shapes_are_refused():
    target = model()
    target.load_state_dict({"0.bias": np.arange(3.0), "other": np.zeros(1)}, strict=False)
    assert target[0].bias.tolist() == [0.0, 1.0, 2.0]
    with pytest.raises(ShapeError, match=r"0\.bias"):
        target.load_state_dict({"0.bias": np.arange(4.0)}, strict=False)


def test_state_is_a_copy_that_training_does_not_change():
    source = model()
    state = source.state_dict()
    kept = state["0.weight"].copy()
    source[0].weight.assign_add(1.0)
    np.testing.assert_array_equal(state["0.weight"], kept)


def test_loading_takes_the_type_of_the_model_and_draws_nothing_first():
    target = model()
    target.load_state_dict({k: v.astype(np.float64) for k, v in model().state_dict().items()})
    assert target[0].weight.dtype is wf.float32
    assert target[0].weight.settled


def test_loading_into_a_model_without_sizes_says_how_to_give_them():
    with pytest.raises(ArgumentError, match=r"model\.build"):
        nn.Sequential(nn.Linear(3)).load_state_dict({"0.weight": np.zeros((3, 4)), "0.bias": np.zeros(3)})
