"""What is exact and small runs on the host: reading, slicing, counting compile nothing, and give the same bits."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import weft as wf
from weft.graph.recording import context


class Compilations:
    """How many programs a block makes."""

    def __enter__(self) -> Compilations:
        self.before = wf.explain().count
        return self

    def __exit__(self, *_: object) -> None:
        self.count = wf.explain().count - self.before


def test_reading_elements_of_something_computed_compiles_nothing():
    x = wf.random.normal((3, 4, 11))
    wf.realize(x)
    n = wf.tensor(np.arange(7))
    with Compilations() as made:
        expected = x.numpy()
        assert float(x[1, 2, 3]) == expected[1, 2, 3]
        assert x[-1, 1:3, ::2].tolist() == expected[-1, 1:3, ::2].tolist()
        assert [row.shape for row in x] == [(4, 11)] * 3
        assert x.reshape(12, 11)[5].tolist() == expected.reshape(12, 11)[5].tolist()
        assert x.mT[0, 10].tolist() == expected.transpose(0, 2, 1)[0, 10].tolist()
        assert x[wf.tensor([2, 0])].tolist() == expected[[2, 0]].tolist()
        assert int((n * 2 + 1).sum()) == 49
        assert bool((n == wf.arange(7)).all())
        assert n[n > 3].tolist() == [4, 5, 6]
        assert n.astype(wf.float64).tolist() == list(range(7))
        assert wf.zeros((5, 9)).tolist() == np.zeros((5, 9)).tolist()
        assert wf.concat([n, n[:2]]).tolist() == [0, 1, 2, 3, 4, 5, 6, 0, 1]
    assert made.count == 0


def test_an_element_of_something_large_is_read_without_a_program():
    x = wf.ones((1000, 1000)) * 2.0
    wf.realize(x)
    with Compilations() as made:
        assert float(x[500, 7]) == 2.0
    assert made.count == 0


def test_reading_beside_a_recording_neither_runs_nor_changes_it():
    x, labels = wf.random.normal((4, 4)), wf.tensor([3, 1, 2])
    wf.realize(x)
    y = x @ x
    before = (len(context.recording.entries), len(context.recording.leaves), context.recording.count)
    assert int(labels[0]) == 3
    assert float(x[0, 0]) == x.numpy()[0, 0]
    assert [int(labels.reshape(-1)[k]) for k in range(3)] == [3, 1, 2]
    assert (len(context.recording.entries), len(context.recording.leaves), context.recording.count) == before
    assert y.node.data is None
    np.testing.assert_allclose(y.numpy(), x.numpy() @ x.numpy(), rtol=1e-5)


def test_what_was_read_can_still_be_differentiated():
    w = wf.tensor([1.0, 2.0, 3.0], requires_grad=True)
    y = w[1:]
    assert y.tolist() == [2.0, 3.0]
    (y * y).sum().backward()
    assert w.grad.tolist() == [0.0, 4.0, 6.0]


def test_a_value_that_was_read_can_have_another_name():
    w, v = wf.tensor([1.0, 2.0]), wf.flip(wf.tensor([3.0, 4.0]))
    w.assign(v)
    assert v.tolist() == [4.0, 3.0]
    assert w.tolist() == [4.0, 3.0]


def test_floating_point_arithmetic_gives_the_same_bits_the_first_time_and_the_hundredth():
    x = wf.tensor(np.random.default_rng(0).standard_normal(5).astype(np.float32))
    bits = {(wf.exp(x) * x / 3.0).numpy().tobytes() for _ in range(100)}
    assert len(bits) == 1


SCRIPT = """
import weft as wf
from weft import nn, optim
x, y = wf.random.normal((8, 4)), wf.tensor([0, 1, 2, 0, 1, 2, 0, 1])
model, opt = nn.Sequential(nn.Linear(5), nn.ReLU(), nn.Linear(3)), optim.Adam(1e-2)
for _ in range(3):
    loss = nn.functional.cross_entropy(model(x), y)
    loss.backward()
    opt.step(model)
    model.zero_grad()
print(float(loss), wf.explain().compiled, wf.explain().loaded)
"""


def test_the_second_start_of_a_script_compiles_nothing(tmp_path: Path):
    def start() -> list[str]:
        env = {**os.environ, "WEFT_CACHE": str(tmp_path)}
        done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True, env=env)
        return done.stdout.split()

    loss, compiled, loaded = start()
    assert int(compiled) > 0
    assert int(loaded) == 0
    again = start()
    assert again == [loss, "0", compiled]


@pytest.mark.parametrize(
    "wrong", [lambda x: x[[5]], lambda x: x[wf.tensor([0, -4])], lambda x: wf.take(x, wf.tensor([3]))]
)
def test_positions_out_of_range_are_refused(wrong: Any):
    with pytest.raises(IndexError, match=r"out of range|position between"):
        wrong(wf.tensor([1.0, 2.0, 3.0])).numpy()
