"""What recording promises: once each, no retraining of the compiler, no history that outlives its use."""

from __future__ import annotations

import gc
import threading
from typing import Any

import numpy as np
import pytest

import weft as wf
from weft.errors import GradientError, ShapeError
from weft.graph.check import check
from weft.graph.dtype import float32
from weft.graph.function import record
from weft.graph.gradient import backpropagate
from weft.graph.node import Node
from weft.graph.recording import context
from weft.graph.spec import Spec


def nodes_alive() -> int:
    gc.collect()
    return sum(type(x) is Node for x in gc.get_objects())


def pending() -> int:
    return len(context.recording.entries)


def compiles(f: Any) -> int:
    """How many programs ``f`` compiles after its first run."""
    f(0)
    before = wf.explain().count
    for k in range(1, 5):
        f(k)
    return wf.explain().count - before


# ── a value is computed once ────────────────────────────────────────────────────────────────────────────────


def test_nothing_runs_before_a_value_is_needed_and_then_once() -> None:
    float(wf.tensor(1.0) + 1)  # the log is empty now
    x = wf.tensor([1.0, 2.0, 3.0])
    y = x.exp()
    z = y.sum()
    assert (pending(), y.node.data, z.node.data) == (2, None, None)
    assert float(z) == pytest.approx(np.exp([1, 2, 3]).sum())
    assert pending() == 0
    kept = y.node.data
    assert kept is not None
    assert (y + 1).tolist() == pytest.approx(list(np.exp([1, 2, 3]) + 1))
    assert y.node.data is kept


def test_what_nobody_holds_is_no_result() -> None:
    x = wf.tensor([1.0, 2.0])
    y = (x * 2).exp()
    alive = [r() for r in context.recording.nodes]
    assert [n is not None for n in alive[-2:]] == [False, True]
    assert y.tolist() == pytest.approx(list(np.exp([2, 4])))


def test_an_error_in_the_middle_leaves_the_recording_usable() -> None:
    x = wf.tensor([1.0, 2.0])
    y = x * 3
    with pytest.raises(ShapeError, match="broadcast"):
        y + wf.tensor([1.0, 2.0, 3.0])
    assert (y + 1).tolist() == [4.0, 7.0]


def test_each_thread_records_for_itself() -> None:
    x, found = wf.tensor([1.0, 2.0]), []
    y = x + 1
    worker = threading.Thread(target=lambda: found.append((x * 5).tolist()))
    worker.start()
    worker.join()
    assert found == [[5.0, 10.0]]
    assert y.tolist() == [2.0, 3.0]


# ── only structure compiles ─────────────────────────────────────────────────────────────────────────────────


NUMBERS: list[Any] = [
    lambda x, k: x * (0.1 * k) + k,
    lambda x, k: x ** (1.5 + k),
    lambda x, k: x[k],
    lambda x, k: x[-1 - k],
    lambda x, k: x[k : k + 3],
    lambda x, k: (k + 1) / (x + 2.5) - k % (x + 1.5),
]


@pytest.mark.parametrize("f", NUMBERS)
def test_numbers_exponents_indices_and_slice_starts_compile_nothing_new(f: Any) -> None:
    reference = np.arange(8, dtype=np.float32)
    x = wf.tensor(reference)
    assert compiles(lambda k: f(x, k).tolist()) == 0
    np.testing.assert_allclose(f(x, 2).numpy(), f(reference, 2), rtol=1e-5)


@pytest.mark.parametrize(
    "f",
    [lambda x, k: wf.maximum(x, k * 0.3), lambda x, k: wf.where(x > k, x, float(k)), lambda x, k: x[wf.tensor([k, 0])]],
)
def test_numbers_in_functions_compile_nothing_new(f: Any) -> None:
    x = wf.tensor(np.arange(8, dtype=np.float32))
    assert compiles(lambda k: f(x, k).tolist()) == 0


def test_a_training_loop_compiles_its_step_once() -> None:
    w = wf.tensor([1.0, 2.0], requires_grad=True)

    def step(k: int) -> None:
        loss = ((w * wf.tensor([0.5 + k, 1.0])) ** 2).sum()
        w.assign_sub((0.1 / (k + 1)) * wf.gradients(loss, w))
        float(loss)

    step(0)
    assert compiles(step) == 0


# ── history ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_printing_a_loss_does_not_change_its_gradient() -> None:
    found = []
    for look in (False, True):
        w = wf.tensor([1.0, 2.0], requires_grad=True)
        hidden = (w * 3).exp()
        if look:
            str(hidden)
        loss = hidden.sum()
        if look:
            float(loss)
        found.append(wf.gradients(loss, w).tolist())
    assert found[0] == pytest.approx(found[1], rel=1e-6)


def test_assignment_ends_history_with_an_error_that_names_both_lines() -> None:
    w = wf.tensor([1.0, 2.0], requires_grad=True)
    loss = (w * w).sum()  # computed here
    w.assign(w.detach() * 0.5)  # assigned here
    with pytest.raises(GradientError, match="history has ended") as caught:
        loss.backward()
    first = test_assignment_ends_history_with_an_error_that_names_both_lines.__code__.co_firstlineno
    assert f"computed at test_recording.py:{first + 2}" in str(caught.value)
    assert f"assigned at test_recording.py:{first + 3}" in str(caught.value)
    assert wf.gradients((w * w).sum(), w).tolist() == [1.0, 2.0]  # computed again, it works


@pytest.mark.parametrize("look", [True, False])
def test_the_assignment_of_a_constant_ends_no_history(look: bool) -> None:
    w = wf.tensor([1.0, 2.0], requires_grad=True)
    scale = wf.tensor([3.0, 4.0])
    y = w * scale
    scale.assign([0.0, 0.0])
    if look:
        str(y)
    assert wf.gradients((y * y).sum(), w).tolist() == [18.0, 64.0]  # of the value it was computed with


def test_after_assignment_the_old_values_stay_what_they_were() -> None:
    w = wf.tensor([1.0, 2.0], requires_grad=True)
    y = w * 10
    w.assign([5.0, 6.0])
    assert (y.tolist(), w.tolist()) == ([10.0, 20.0], [5.0, 6.0])


@pytest.mark.parametrize("look", [True, False])
def test_a_list_of_old_losses_holds_numbers_not_graphs(look: bool) -> None:
    w = wf.tensor([1.0, 2.0], requires_grad=True)
    losses = []

    def step() -> None:
        loss = ((w * 2).exp() * 0.1).sum()
        losses.append(loss)
        w.assign_sub(0.01 * wf.gradients(loss, w))
        if look:
            float(loss)

    for _ in range(3):
        step()
    w.tolist()
    before = nodes_alive()
    for _ in range(20):
        step()
    w.tolist()
    assert nodes_alive() - before <= 20  # the losses themselves
    assert all(loss.node.inputs == () for loss in losses)


def test_loops_without_gradients_do_not_grow() -> None:
    x = wf.tensor([1.0, 2.0])
    counts = []
    for k in range(3000):
        x = x * 1.0001
        if k % 1000 == 999:
            x.tolist()
            counts.append(nodes_alive())
    assert max(counts) - min(counts) <= 2
    assert x.tolist() == pytest.approx([1.0001**3000, 2 * 1.0001**3000], rel=1e-3)


def test_a_chain_of_five_thousand_operations_needs_no_recursion() -> None:
    def slope(w: Any) -> Any:
        y = w
        for _ in range(5000):
            y = y * 0.9999
        return backpropagate([y], [w * 0 + 1], [w.node])[0]

    graph, _ = record("chain", slope, (Spec((), float32),), {})
    assert len(graph.entries) == 5002  # the forward pass is not needed, and pruned
    check(graph)
    x = wf.tensor(1.0)  # recorded, cut and freed in the thread's own log too
    for _ in range(5000):
        x = x * 0.9999
    assert float(x) == pytest.approx(0.9999**5000, rel=1e-3)


def test_no_grad_remembers_nothing() -> None:
    w = wf.tensor(2.0, requires_grad=True)
    with wf.no_grad():
        y = w * w
    assert (y.node.tracked, y.node.inputs) == (False, ())
    with pytest.raises(GradientError, match="requires_grad"):
        y.backward()


def test_whole_numbers_in_a_body_keep_all_their_digits():
    big = 2**53 + 1
    add = wf.compile(lambda x: x + big)
    assert int(add(wf.tensor(0))) == big
