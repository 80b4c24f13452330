"""Recurrent layers compared with PyTorch: padding as in packed sequences, second derivatives."""

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import weft as wf
from tests.nn.test_recurrent import BATCH, INPUTS, STEPS, UNITS
from weft import nn

pytestmark = pytest.mark.filterwarnings("ignore:.* made .* programs:weft.RecompileWarning")


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
