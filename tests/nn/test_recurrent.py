"""Recurrent layers: padding is ignored exactly, as in PyTorch's packed sequences; one loop each way; lessons."""

import numpy as np
import pytest

import weft as wf
from weft import nn
from weft.errors import ArgumentError, DTypeError, ShapeError

pytestmark = pytest.mark.filterwarnings("ignore:.* made .* programs:weft.RecompileWarning")
STEPS, BATCH, INPUTS, UNITS = 6, 3, 4, 5


def test_a_sequence_of_no_steps_keeps_its_state():
    layer = nn.GRU(INPUTS, UNITS)
    begun = wf.ones((1, 2, UNITS))
    y, h = layer(wf.ones((3, 2, INPUTS)), begun, lengths=[0, 3])
    np.testing.assert_array_equal(y[:, 0].numpy(), 0)
    np.testing.assert_array_equal(h[0, 0].numpy(), 1)


def test_a_loop_of_cells_is_the_layer():
    cell, layer = nn.LSTMCell(INPUTS, UNITS), nn.LSTM(INPUTS, UNITS)
    layer.load_state_dict({f"{name}_l0": value for name, value in cell.state_dict().items()})
    x = wf.tensor(np.random.default_rng(0).normal(size=(3, BATCH, INPUTS)).astype(np.float32))
    state = None
    for k in range(3):
        state = cell(x[k], state)
    _, last = layer(x)
    for a, b in zip(state, last, strict=True):
        np.testing.assert_allclose(a.numpy(), b[0].numpy(), rtol=1e-5, atol=1e-6)


def test_dropout_between_layers_drops_in_training_only():
    layer = nn.RNN(INPUTS, UNITS, 2, dropout=1.0)
    x = wf.ones((STEPS, BATCH, INPUTS))
    alone = nn.RNN(UNITS, UNITS)
    alone.load_state_dict({name[:-1] + "0": v for name, v in layer.state_dict().items() if name.endswith("_l1")})
    expected = alone(wf.zeros((STEPS, BATCH, UNITS)))[0]
    np.testing.assert_allclose(layer(x)[0].numpy(), expected.numpy(), rtol=1e-5)
    assert not np.allclose(layer.eval()(x)[0].numpy(), expected.numpy())


def test_first_values_have_the_bounds_of_pytorch():
    layer = nn.LSTM(300, 16)
    bound = 1 / 16**0.5
    for p in layer.parameters():
        assert bound * 0.8 < np.abs(p.numpy()).max() <= bound


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: nn.LSTM(4, 5)(wf.zeros((6, 3, 7))), ShapeError, r"\(6, 3, 7\).*input_size 4"),
        (lambda: nn.LSTM(4, 5)(wf.zeros((0, 3, 4))), ShapeError, "one step at least"),
        (lambda: nn.GRU(4, 5)(wf.zeros((6, 3, 4)), lengths=[6, 7, 2]), ArgumentError, "sequence 1 has the length 7"),
        (lambda: nn.GRU(4, 5)(wf.zeros((6, 3, 4)), lengths=[6, 2]), ShapeError, "3 sequences"),
        (lambda: nn.GRU(4, 5)(wf.zeros((6, 3, 4)), lengths=[1.0, 2.0, 3.0]), DTypeError, "whole numbers"),
        (lambda: nn.GRU(4, 5)(wf.zeros((6, 3, 4)), wf.zeros((2, 3, 5))), ShapeError, r"\(1, 3, 5\)"),
        (lambda: nn.LSTM(4, 5)(wf.zeros((6, 3, 4)), wf.zeros((1, 3, 5))), ShapeError, "a state of shapes"),
        (lambda: nn.LSTM(4, 5)(wf.zeros((6, 3, 4)), (None, None)), DTypeError, "NoneType"),
        (lambda: nn.LSTM(4, 5, proj_size=5), ArgumentError, "proj_size=5"),
        (lambda: nn.RNN(4, 5, nonlinearity="gelu"), ArgumentError, "nonlinearity='gelu'"),
        (lambda: nn.RNN(4, 5, num_layers=0), ArgumentError, "num_layers=0"),
        (lambda: nn.RNN(4, 5, dropout=1.5), ArgumentError, "dropout=1.5"),
        (lambda: nn.GRUCell(4, 5)(wf.zeros((3, 6))), ShapeError, "input_size 4"),
        (lambda: nn.LSTMCell(4, 5)(wf.zeros((3, 4)), wf.zeros((3, 5))), ShapeError, "a state of shapes"),
    ],
)
def test_what_cannot_be_is_a_lesson(call, error, says):
    with pytest.raises(error, match=f"(?s){says}"):
        call()
