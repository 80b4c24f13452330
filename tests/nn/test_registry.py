"""Descriptions of models are data, and only registered classes come back from them."""

import functools
import json

import numpy as np
import pytest

import weft as wf
from weft import nn
from weft.errors import ArgumentError, FileError


def through_json(model):
    return nn.construct(json.loads(json.dumps(nn.describe(model))))


def test_an_own_class_joins_and_keeps_its_arguments():
    @nn.register
    class Gate(nn.Module):
        def __init__(self, size, *, body, sharpness=1.0):
            self.size, self.body, self.sharpness = size, body, sharpness

        def forward(self, x):
            return x * wf.sigmoid(self.sharpness * self.body(x))

    again = through_json(Gate(4, body=nn.Linear(4, 4, bias=False), sharpness=2.0))
    assert (again.size, again.sharpness) == (4, 2.0)
    assert again.body.bias is None


def test_what_was_replaced_later_cannot_be_saved_and_types_are_kept(tmp_path):
    @nn.register
    class Tagger(nn.Module):
        def __init__(self, classes=4):
            self.classes = classes
            self.body, self.fc = nn.LSTM(3, 2), nn.Linear(2, classes)

    model = Tagger().double()
    again = wf.load(wf.save(model, tmp_path / "model.weft"))
    np.testing.assert_array_equal(again.body.weight_ih_l0.numpy(), model.body.weight_ih_l0.numpy())
    model.fc = nn.Linear(2, 5)
    with pytest.raises(ArgumentError, match=r"fc\.weight, fc\.bias would differ"):
        wf.save(model, tmp_path / "model.weft")
    model.fc = nn.LoRA(nn.Linear(2, 4))
    with pytest.raises(ArgumentError, match="lora_A"):
        wf.save(model, tmp_path / "model.weft")


def test_functions_of_initialisation_are_named():
    init = functools.partial(nn.init.normal, std=0.02)
    model = through_json(nn.Linear(4, 4, weight_init=init, bias_init=nn.init.zeros, dtype=wf.float64))
    assert abs(model.weight.numpy()).max() < 0.2
    assert float(abs(model.bias).max()) == 0.0
    assert model.weight.dtype is wf.float64


def test_a_model_that_has_not_seen_its_input_stays_so():
    model = through_json(nn.Sequential(nn.Linear(3)))
    assert model[0].in_features is None
    assert through_json(nn.Sequential(nn.Linear(3)).build((1, 7)))[0].weight.shape == (3, 7)


def test_unknown_names_are_refused_on_both_sides():
    class Mine(nn.Module):
        pass

    with pytest.raises(ArgumentError, match=r"@nn\.register above class Mine"):
        nn.describe(nn.Sequential(Mine()))
    for bad in ({"class": "os.system", "arguments": {}}, {"class": None}, {}):
        with pytest.raises(FileError):
            nn.construct(bad)
    with pytest.raises(FileError, match="no argument 'evil'"):
        nn.construct({"class": "ReLU", "arguments": {"evil": 1}})
    with pytest.raises(FileError, match="no argument 'evil'"):
        nn.construct({"class": "Linear", "arguments": {"features": [3], "evil": 1}})
    with pytest.raises(FileError):
        nn.construct({"class": "Sequential", "arguments": {"layers": [{"same_as": 9}]}})


def test_a_class_that_forgets_an_argument_is_told():
    @nn.register
    class Forgetful(nn.Module):
        def __init__(self, size):
            self.fc = nn.Linear(size, size)

    with pytest.raises(ArgumentError, match=r"self\.size = size"):
        nn.describe(Forgetful(3))


def test_tensors_do_not_hide_in_arguments():
    @nn.register
    class Fixed(nn.Module):
        def __init__(self, table):
            self.table = table

    with pytest.raises(ArgumentError, match=r"nn\.Buffer"):
        nn.describe(Fixed(wf.tensor(np.ones(3, np.float32))))


def test_a_name_is_taken_once():
    with pytest.raises(ArgumentError, match="already"):

        @nn.register
        class Linear(nn.Module):
            pass
