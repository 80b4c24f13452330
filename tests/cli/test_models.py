import pytest

from weft import nn
from weft.cli.models import ACTIVATIONS, Perceptron, usual_widths


@pytest.mark.parametrize("hidden", [(), (5,), (7, 3)])
@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_the_plan_counts_what_is_built(hidden, dropout):
    plan = Perceptron(4, hidden, 3, "tanh", dropout)
    model = plan.build()
    assert plan.parameters == sum(p.size for p in model.parameters())
    kinds = [type(layer) for layer in model]
    assert kinds.count(nn.Linear) == len(hidden) + 1
    assert kinds.count(nn.Tanh) == len(hidden)
    assert kinds.count(nn.Dropout) == (len(hidden) if dropout else 0)
    assert kinds[-1] is nn.Linear


def test_the_plan_in_words():
    assert str(Perceptron(4, (8,), 3, "relu", 0.2)) == "4 → 8 relu, dropout 0.2 → 3, 67 parameters"
    assert str(Perceptron(4, (), 3, "relu", 0.2)) == "4 → 3, 15 parameters"


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_activation_can_be_built(name):
    assert isinstance(Perceptron(2, (2,), 1, name, 0.0).build()[1], ACTIVATIONS[name])


def test_usual_widths_grow_with_the_data():
    found = [usual_widths(rows) for rows in (1, 30, 120, 1438, 5000, 10**6)]
    assert found == [(16,), (16,), (32,), (128,), (256, 256), (256, 256)]
