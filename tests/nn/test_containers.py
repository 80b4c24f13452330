"""Containers have the methods of Python's lists and dicts, and names that follow the order."""

import copy
import json

import numpy as np
import pytest

import weft as wf
from weft import nn
from weft.errors import ArgumentError, ShapeError

X = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)


def kinds(container):
    return [type(m).__name__ for m in container]


def test_sequences_change_as_lists_do_and_keep_their_names_in_order():
    model = nn.Sequential(nn.ReLU(), nn.Tanh())
    model.insert(1, nn.Linear(4, 4)).insert(0, nn.Sigmoid())
    assert kinds(model) == ["Sigmoid", "ReLU", "Linear", "Tanh"]
    assert [name for name, _ in model.named_children()] == ["0", "1", "2", "3"]
    assert model[2].path == "model.2"
    del model[0]
    assert model.pop().__class__ is nn.Tanh
    assert kinds(model + nn.Sequential(nn.ELU())) == ["ReLU", "Linear", "ELU"]
    model += [nn.ELU()]
    model.reverse()
    assert kinds(model) == kinds(reversed(list(model)))[::-1] == ["ELU", "Linear", "ReLU"]
    assert model[1].weight.path == "model.1.weight"
    assert model.index(model[2]) == 2
    model.remove(model[0])
    assert kinds(model[::-1]) == ["ReLU", "Linear"]
    model[0] = nn.Linear(4, 2)
    assert [name for name, _ in model.named_parameters()] == ["0.weight", "0.bias"]
    assert nn.ReLU not in model
    assert len(model.clear()) == 0
    with pytest.raises(ArgumentError, match="place 3 of 0"):
        model[3]


def test_parameters_are_described_by_shape_and_type():
    held = nn.ParameterDict({"a": nn.Parameter(np.ones((0, 3), np.float64)), "b": 2.0})
    again = nn.construct(json.loads(json.dumps(nn.describe(held))))
    assert {n: (p.shape, p.dtype) for n, p in again.items()} == {"a": ((0, 3), wf.float64), "b": ((), wf.float32)}
    assert len(json.dumps(nn.describe(nn.ParameterList([np.zeros((1000, 100), np.float32)])))) < 200


def test_a_member_that_is_taken_away_computes_no_longer():
    seq = nn.Sequential({"a": nn.Linear(2, 2), "head": nn.Tanh()})
    head = seq.head
    seq.head = None
    assert len(seq) == 1
    heads = nn.ModuleDict({"new": head})
    assert heads["new"].path == "model.new"
    shared = nn.ReLU()
    both = nn.Sequential(shared, nn.Tanh(), shared)
    both[0] = nn.Tanh()
    assert shared.path == "model.2"


def test_a_sequence_in_itself_is_refused_and_changes_nothing():
    seq = nn.Sequential(nn.ReLU(), nn.Tanh())
    with pytest.raises(ArgumentError, match="inside itself"):
        seq.insert(0, seq)
    assert [type(m).__name__ for m in seq] == ["ReLU", "Tanh"]


def test_named_layers_keep_their_names_when_others_move():
    model = nn.Sequential({"fc": nn.Linear(4, 4), "act": nn.ReLU()})
    model.insert(0, nn.Tanh())
    assert [name for name, _ in model.named_children()] == ["0", "fc", "act"]
    assert model["fc"] is model[1]


def test_a_name_that_is_a_number_is_not_taken_twice():
    model = nn.Sequential({"1": nn.ReLU()}).append(nn.Tanh())
    assert kinds(model) == ["ReLU", "Tanh"]


@pytest.mark.parametrize("make", [nn.ModuleList, nn.ParameterList])
def test_lists(make):
    members = (
        [nn.Linear(2, 2), nn.Linear(2, 3)] if make is nn.ModuleList else [nn.Parameter([1.0]), nn.Parameter([2.0])]
    )
    made = make(members)
    made.insert(0, made.pop(1))
    assert list(made) == members[::-1]
    assert members[1] in made
    assert len(made[:1]) == 1
    other = copy.deepcopy(made)
    assert [n for n, _ in other.named_parameters()] == [n for n, _ in made.named_parameters()]
    assert not {id(p) for p in other.parameters()} & {id(p) for p in made.parameters()}


@pytest.mark.parametrize("make", [nn.ModuleDict, nn.ParameterDict])
def test_dicts(make):
    a, b = (nn.ReLU(), nn.Tanh()) if make is nn.ModuleDict else (nn.Parameter([1.0]), nn.Parameter([2.0]))
    made = make({"a": a})
    made.update({"b": b})
    assert (list(made.keys()), list(made.values()), dict(made.items())) == (["a", "b"], [a, b], {"a": a, "b": b})
    assert made.get("c") is None
    assert made.pop("a") is a
    assert "a" not in made
    with pytest.raises(ArgumentError, match=r"there is no 'a'.*\n.*'b'"):
        made["a"]
    assert len(made.clear()) == 0


def test_parallel_branches_and_their_concatenation():
    branches = nn.Linear(4, 3), nn.Linear(4, 2)
    first, second = nn.Parallel(*branches)(X)
    joined = nn.Concat(*branches)(X)
    np.testing.assert_array_equal(joined.numpy(), np.concatenate([first.numpy(), second.numpy()], axis=1))
    rows = nn.Concat(nn.Identity(), nn.Identity(), axis=0)
    assert rows(X).shape == (10, 4)
    assert len(rows[:1]) == 1
    assert rows[:1].axis == (rows + nn.Sequential(nn.ReLU())).axis == 0
    with pytest.raises(ShapeError, match="equal but for axis 0"):
        nn.Concat(*branches, axis=0)(X)


def test_parameters_in_plain_lists_are_refused_with_the_list_that_is_seen():
    class Bad(nn.Module):
        def __init__(self):
            self.scales = [nn.Parameter([1.0])]

    with pytest.raises(ArgumentError, match=r"nn\.ParameterList"):
        Bad()


def test_moving_a_layer_that_has_no_value_yet_gives_it_that_of_its_new_name():
    wf.random.seed(0)
    model = nn.Sequential(nn.Linear(4, 4))
    model.insert(0, nn.Linear(4, 4))
    plain = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
    for a, b in zip(model.parameters(), plain.parameters(), strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


def test_places_and_names_that_are_none():
    layers = nn.Sequential(nn.ReLU())
    for broken, says in (
        (lambda: layers["head"], "there is no 'head'"),
        (lambda: layers[0.0], "place 0.0 of 1"),
        (lambda: layers.__setitem__(slice(0, 1), nn.ReLU()), r"place slice\(0, 1, None\) of 1"),
        (lambda: nn.ModuleDict({1: nn.ReLU()}), "the name 1"),
    ):
        with pytest.raises(ArgumentError, match=says):
            broken()


def test_a_dict_of_pairs():
    assert list(nn.ModuleDict([("a", nn.ReLU()), ("b", nn.Tanh())])) == ["a", "b"]
    assert list(nn.ParameterDict(nn.ParameterDict({"scale": [2.0]}))) == ["scale"]
