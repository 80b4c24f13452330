"""Which of the engine's kernels a program is compiled with on a CPU, and how its results are laid out."""

import numpy as np
import pytest

import weft as wf
from weft import nn
from weft.graph.lowering import lowering
from weft.runtime import programs


@pytest.fixture
def compiled(monkeypatch):
    """The programs that are compiled from now on."""
    made = []
    compile_it = programs.Program._compile
    monkeypatch.setattr(
        programs.Program, "_compile", lambda self, *how: made.append(compile_it(self, *how)) or made[-1]
    )
    monkeypatch.setattr(programs, "_programs", type(programs._programs)())
    return made


def states(h, w):
    return wf.scan(lambda h, x: (wf.tanh(h @ w + x), None), h, wf.ones((3, 2, 4)))[0]


def steps(w, x):
    return wf.scan(lambda w, x: (w - 0.1 * (x.T @ (x @ w)), None), w, x)[0]


@pytest.mark.parametrize(
    ("run", "older"),
    [
        (lambda: states(wf.ones((2, 4)), wf.ones((4, 4))), True),  # what is carried, times what is not
        (lambda: steps(wf.ones((4, 4)), wf.ones((3, 2, 4))), False),  # a training loop carries the weight
        (lambda: nn.LSTM(4, 4)(wf.ones((3, 2, 4)))[0], True),
        (lambda: nn.Conv1d(4, 4, 3)(wf.ones((2, 4, 5))), True),
        (lambda: nn.Linear(4, 4)(wf.ones((3, 2, 4))), False),
    ],
)
def test_recurrences_and_convolutions_take_the_older_kernels(run, older, compiled):
    y = run()
    wf.realize(y)
    assert compiled
    assert lowering.older_kernels == older
    assert np.isfinite(y.numpy()).all()


def test_results_of_a_convolution_are_not_copied_into_their_layout(compiled):
    layer = nn.Conv2d(3, 8, 3)
    step = wf.compile(lambda x: (layer(x), x.sum()))
    y, _ = step(wf.ones((2, 3, 16, 16)))
    expected = layer.weight.numpy().sum((1, 2, 3)) + layer.bias.numpy()
    np.testing.assert_allclose(y.numpy(), np.broadcast_to(expected[:, None, None], y.shape), rtol=1e-4, atol=1e-5)
    assert "copy" not in compiled[-1].as_text().split("ENTRY")[1].replace("transpose_copy", "")
