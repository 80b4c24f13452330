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


def test_pytorchs_bfloat16_loads():
    torch = pytest.importorskip("torch")
    layer, theirs = nn.Linear(2, 2), torch.nn.Linear(2, 2).bfloat16()
    layer.load_state_dict(theirs.state_dict())
    np.testing.assert_array_equal(layer.weight.numpy(), theirs.weight.detach().float().numpy())


def test_loading_into_a_model_without_sizes_says_how_to_give_them():
    with pytest.raises(ArgumentError, match=r"model\.build"):
        nn.Sequential(nn.Linear(3)).load_state_dict({"0.weight": np.zeros((3, 4)), "0.bias": np.zeros(3)})


# ── states of PyTorch ───────────────────────────────────────────────────────────────────────────────────────


def test_one_name_of_a_shared_tensor_is_enough_and_both_are_saved(tmp_path):
    from safetensors.numpy import save_file

    def tied():
        first = nn.Linear(4, 4)
        return nn.Sequential(first, nn.ReLU(), first)

    source, target = tied(), tied()
    state = source.state_dict()
    assert list(state) == ["0.weight", "0.bias", "2.weight", "2.bias"]
    save_file({name: state[name] for name in ("2.weight", "2.bias")}, tmp_path / "tied.safetensors")
    target[0].weight.assign_add(1.0)
    target.load_state_dict(tmp_path / "tied.safetensors")
    np.testing.assert_array_equal(target[0].weight.numpy(), state["0.weight"])
    assert nn.summary(target, (1, 4)).parameters == 20
    with pytest.raises(wf.errors.WeftError, match=r"0\.weight and 2\.weight: one tensor in the model"):
        target.load_state_dict({**state, "2.weight": state["0.weight"] + 1})


def test_what_is_no_state_is_refused(tmp_path):
    (tmp_path / "bad.safetensors").write_bytes(b"not a file of tensors")
    with pytest.raises(wf.errors.FileError, match="safetensors"):
        model().load_state_dict(tmp_path / "bad.safetensors")
    with pytest.raises(wf.errors.FileError):
        model().load_state_dict(tmp_path / "missing.safetensors")
    with pytest.raises(ArgumentError, match="mapping of arrays"):
        model().load_state_dict([1, 2])


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("weight", np.array([1 + 2j]), "the model has float32, the state complex128"),
        ("bias", np.array([None]), "the model has float32, the state object"),
        ("num_batches_tracked", np.array(1.5), "the model has int64, the state float64"),
    ],
)
def test_numbers_that_would_become_others_are_refused_and_nothing_is_changed(name, value, says):
    layer = nn.BatchNorm1d(1)
    state = {**layer.state_dict(), "running_mean": np.array([7])}
    with pytest.raises(wf.errors.WeftError, match=f"{name}: {says}"):
        layer.load_state_dict({**state, name: value})
    assert layer.running_mean.tolist() == [0]
    layer.load_state_dict({**state, "num_batches_tracked": np.array(2.0)})  # which is whole
    assert (layer.running_mean.tolist(), layer.num_batches_tracked.tolist()) == ([7], 2)
