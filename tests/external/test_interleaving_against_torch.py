"""Whatever the order in which things are recorded, looked at, assigned and differentiated, PyTorch's numbers come out.

PyTorch computes at once; Weft records and computes late. A machine of random steps does the same with both.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

import weft as wf

pytestmark = pytest.mark.filterwarnings("ignore::weft.RecompileWarning")

SHAPE = (2, 2)  # of every tensor, so that any two go together
numbers = st.integers(-3, 3).map(lambda n: n / 2)
arrays = st.lists(numbers, min_size=4, max_size=4).map(lambda xs: np.array(xs).reshape(SHAPE))
places = st.integers(0, 40)

ONE: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {  # of one tensor: in Weft, in PyTorch
    "tanh": (wf.tanh, torch.tanh),
    "scale": (lambda x: 0.5 * x - 1, lambda x: 0.5 * x - 1),
    "turn": (lambda x: x.T, lambda x: x.T),
    "centre": (lambda x: x - x.mean(axis=0), lambda x: x - x.mean(0)),
    "row": (lambda x: x[1] + x[:, :1], lambda x: x[1] + x[:, :1]),
    "function": (wf.compile(lambda x: wf.sin(x) * x), lambda x: torch.sin(x) * x),
    "detach": (lambda x: x.detach(), lambda x: x.detach()),
}
TWO = {
    "add": (wf.add, torch.add),
    "multiply": (wf.multiply, torch.multiply),
    "matmul": (lambda x, y: (x @ y) * 0.25, lambda x, y: (x @ y) * 0.25),
    "choose": (lambda x, y: wf.where(x > y, x, y * 0.5), lambda x, y: torch.where(x > y, x, y * 0.5)),
}


class Interleaving(RuleBasedStateMachine):
    """Pairs of a tensor of Weft and one of PyTorch that must stay equal."""

    def __init__(self) -> None:
        super().__init__()
        self.pairs: list[tuple[wf.Tensor, torch.Tensor]] = []
        self.leaves: list[tuple[wf.Tensor, torch.Tensor]] = []  # which a gradient is asked for

    def pick(self, place: int) -> int:
        return place % len(self.pairs)

    @initialize(a=arrays, b=arrays)
    def begin(self, a: np.ndarray, b: np.ndarray) -> None:
        self.leaf(a, tracked=True)
        self.leaf(b, tracked=False)

    # ── recording ───────────────────────────────────────────────────────────────────────────────────────────

    @rule(values=arrays, tracked=st.booleans())
    def leaf(self, values: np.ndarray, tracked: bool) -> None:
        pair = (wf.tensor(values, requires_grad=tracked), torch.tensor(values, requires_grad=tracked))
        self.pairs.append(pair)
        if tracked:
            self.leaves.append(pair)

    @rule(name=st.sampled_from(sorted(ONE)), at=places)
    def one(self, name: str, at: int) -> None:
        (x, y), (ours, theirs) = self.pairs[self.pick(at)], ONE[name]
        self.pairs.append((ours(x), theirs(y)))

    @rule(name=st.sampled_from(sorted(TWO)), at=places, other=places)
    def two(self, name: str, at: int, other: int) -> None:
        (a, x), (b, y), (ours, theirs) = self.pairs[self.pick(at)], self.pairs[self.pick(other)], TWO[name]
        self.pairs.append((ours(a, b), theirs(x, y)))

    @rule(at=places)
    def begin_a_history(self, at: int) -> None:
        k = self.pick(at)
        if not self.pairs[k][1].requires_grad:
            pair = self.pairs[k] = (self.pairs[k][0].requires_grad_(), self.pairs[k][1].detach().requires_grad_())
            self.leaves.append(pair)

    # ── other names for what is there ───────────────────────────────────────────────────────────────────────

    @rule(at=places, value=numbers)
    def write_into(self, at: int, value: float) -> None:
        k = self.pick(at)
        x, y = self.pairs[k]
        if any(y is leaf for _, leaf in self.leaves):
            return
        x[0] = value
        x += 1
        written = y.clone()
        written[0] = value
        self.pairs[k] = (x, written + 1)

    @rule(at=places, values=arrays)
    def assign(self, at: int, values: np.ndarray) -> None:
        k = self.pick(at)
        x, y = self.pairs[k]
        if not y.requires_grad:
            x.assign(values)
            self.pairs[k] = (x, torch.tensor(values))

    @precondition(lambda self: len(self.pairs) > 3)
    @rule(at=places)
    def let_go(self, at: int) -> None:
        del self.pairs[self.pick(at)]

    # ── looking ─────────────────────────────────────────────────────────────────────────────────────────────

    @rule(at=places)
    def look(self, at: int) -> None:
        x, y = self.pairs[self.pick(at)]
        same(x, y)

    @rule(at=places)
    def look_from_another_thread(self, at: int) -> None:
        x, y = self.pairs[self.pick(at)]
        found: list[np.ndarray] = []
        thread = threading.Thread(target=lambda: found.append((x * 2).numpy()))
        thread.start()
        thread.join()
        np.testing.assert_allclose(found[0], 2 * y.detach().numpy(), rtol=1e-9, atol=1e-9)

    # ── gradients ───────────────────────────────────────────────────────────────────────────────────────────

    @rule(at=places)
    def backward(self, at: int) -> None:
        x, y = self.pairs[self.pick(at)]
        if y.requires_grad:
            (x * x).sum().backward()
            (y * y).sum().backward(retain_graph=True)

    @rule(at=places, leaf=places)
    def gradient(self, at: int, leaf: int) -> None:
        (x, y), (w, v) = self.pairs[self.pick(at)], self.leaves[leaf % len(self.leaves)]
        if y.requires_grad:
            found = wf.gradients(x.sum(), w, unused="zeros")
            (given,) = torch.autograd.grad(y.sum(), [v], retain_graph=True, allow_unused=True)
            self.pairs.append((found, torch.zeros(SHAPE, dtype=torch.float64) if given is None else given))

    @rule(leaf=places)
    def forget_the_gradient(self, leaf: int) -> None:
        w, v = self.leaves[leaf % len(self.leaves)]
        w.grad, v.grad = None, None

    # ── at the end ──────────────────────────────────────────────────────────────────────────────────────────

    @invariant()
    def gradients_are_there_where_pytorch_has_them(self) -> None:
        assert [w.grad is None for w, _ in self.leaves] == [v.grad is None for _, v in self.leaves]

    def teardown(self) -> None:
        for x, y in self.pairs:
            same(x, y)
        for w, v in self.leaves:
            if v.grad is not None:
                same(w.grad, v.grad)


def same(x: Any, y: torch.Tensor) -> None:
    np.testing.assert_allclose(x.numpy(), y.detach().numpy(), rtol=1e-9, atol=1e-9)


TestInterleaving = Interleaving.TestCase
TestInterleaving.settings = settings(
    max_examples=20, stateful_step_count=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
