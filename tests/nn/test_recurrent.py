"""Recurrent layers: padding is ignored exactly, as in PyTorch's packed sequences; one loop each way; lessons."""

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import weft as wf
from weft import nn
from weft.errors import ArgumentError, DTypeError, ShapeError

pytestmark = pytest.mark.filterwarnings("ignore:.* made .* programs:weft.RecompileWarning")
STEPS, BATCH, INPUTS, UNITS = 6, 3, 4, 5
KINDS = [
    ("RNN", {"nonlinearity": "relu"}),
    ("GRU", {"bidirectional": True}),
    ("LSTM", {"bidirectional": True, "num_layers": 2, "batch_first": True}),
    ("LSTM", {"proj_size": 3}),
]


def both(name, inputs=INPUTS, units=UNITS, **options):
    """The same layer in both libraries, with the same weights."""
    torch.manual_seed(0)
    theirs = getattr(torch.nn, name)(inputs, units, **options)
    ours = getattr(nn, name)(inputs, units, **options)
    ours.load_state_dict(theirs.state_dict())
    return ours, theirs


def states(last):
    return list(last) if isinstance(last, tuple) else [last]


def close(a, b):
    np.testing.assert_allclose(a.numpy(), b.detach().numpy(), rtol=1e-4, atol=1e-5)


def packed(theirs, x, lengths):
    """PyTorch's results for a padded batch, packed on the way."""
    first = theirs.batch_first
    given = torch.nn.utils.rnn.pack_padded_sequence(x, torch.tensor(lengths), first, enforce_sorted=False)
    y, last = theirs(given)
    return torch.nn.utils.rnn.pad_packed_sequence(y, first, total_length=STEPS)[0], last


@pytest.mark.parametrize(("name", "options"), KINDS)
def test_padding_is_ignored_exactly_as_in_packed_sequences(name, options):
    ours, theirs = both(name, **options)
    lengths = [4, 6, 1]
    x = torch.randn(STEPS, BATCH, INPUTS, generator=torch.Generator().manual_seed(1))
    padding = torch.arange(STEPS)[:, None] >= torch.tensor(lengths)
    x[padding] = float("nan")  # whatever stands there
    x = (x.swapaxes(0, 1) if theirs.batch_first else x).requires_grad_()
    expected, last = packed(theirs, x, lengths)
    inputs = wf.tensor(x.detach().numpy(), requires_grad=True)
    y, ends = ours(inputs, lengths=lengths)
    close(y, expected)
    for a, b in zip(states(ends), states(last), strict=True):
        close(a, b)
    total = sum((b * b).sum() for b in [expected, *states(last)])
    wanted = torch.autograd.grad(total, [x, *theirs.parameters()])
    mine = sum((a * a).sum() for a in [y, *states(ends)])
    found = wf.gradients(mine, [inputs, *(dict(ours.named_parameters())[n] for n, _ in theirs.named_parameters())])
    for a, b in zip(found, wanted, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-3, atol=1e-4)


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(lengths=st.lists(st.integers(1, STEPS), min_size=BATCH, max_size=BATCH))
def test_lengths_are_data_and_compile_nothing(lengths):
    ours, theirs = MADE.setdefault("pair", both("GRU", bidirectional=True))
    x = torch.randn(STEPS, BATCH, INPUTS, generator=torch.Generator().manual_seed(2))
    step = MADE.setdefault("step", wf.compile(lambda x, n: ours(x, lengths=n)))
    wf.realize(*step(wf.tensor(x.numpy()), wf.tensor([STEPS] * BATCH)))
    before = wf.explain().count
    y, h = step(wf.tensor(x.numpy()), wf.tensor(lengths))
    wf.realize(y, h)
    expected, last = packed(theirs, x, lengths)
    close(y, expected)
    close(h, last)
    assert wf.explain().count == before


MADE: dict = {}


def test_a_sequence_of_no_steps_keeps_its_state():
    layer = nn.GRU(INPUTS, UNITS)
    begun = wf.ones((1, 2, UNITS))
    y, h = layer(wf.ones((3, 2, INPUTS)), begun, lengths=[0, 3])
    np.testing.assert_array_equal(y[:, 0].numpy(), 0)
    np.testing.assert_array_equal(h[0, 0].numpy(), 1)


@pytest.mark.parametrize("cell", ["tanh", "lstm", "gru"])
def test_the_second_derivative_is_right(cell):
    ours, theirs = both({"tanh": "RNN", "lstm": "LSTM", "gru": "GRU"}[cell], 2, 2)
    theirs = theirs.double()
    x = torch.randn(3, 2, 2, dtype=torch.float64, requires_grad=True)
    weights = list(theirs.parameters())
    first = torch.autograd.grad((theirs(x)[0] ** 2).sum(), [x, *weights], create_graph=True)
    second = torch.autograd.grad(sum((g**2).sum() for g in first), [x, *weights])
    inputs = wf.tensor(x.detach().numpy(), requires_grad=True)
    for (_, p), q in zip(ours.named_parameters(), weights, strict=True):
        p._take(wf.tensor(q.detach().numpy()).node)
    mine = [inputs, *ours.parameters()]
    found = wf.gradients((ours(inputs)[0] ** 2).sum(), mine)
    again = wf.gradients(sum((g**2).sum() for g in found), mine)
    for a, b in zip(again, second, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-6)


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
