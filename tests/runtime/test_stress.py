"""The recording under stress: long loops, many shapes, threads, exceptions and interruptions."""

from __future__ import annotations

import gc
import random
import signal
import threading
import time
import warnings
from typing import Any

import numpy as np
import pytest

import weft as wf
from weft.graph.op import Op
from weft.graph.recording import context
from weft.runtime import mappings, programs


def test_a_loop_of_100_000_operations_is_cut_into_equal_programs():
    before = wf.explain().count
    x = wf.tensor(1.0)
    for _ in range(33_334):  # three operations an iteration: cuts must not drift through it
        x = x * 0.5
        x = x + 1.0
        x = x - 0.25
    assert float(x) == pytest.approx(1.5)
    assert wf.explain().count - before <= 3
    assert context.recording.count <= 2 * context.recording.most_values


def test_a_loop_leaves_no_past_behind():
    def loop(n: int) -> int:
        x = wf.tensor(1.0)
        for _ in range(n):
            x = x * 1.0
        float(x)
        gc.collect()
        return sum(type(o).__name__ == "Node" for o in gc.get_objects())

    few = loop(2_000)
    assert loop(20_000) - few < 100


def test_a_tracked_chain_of_10_000_nodes_goes_backward_and_is_freed():
    w = wf.tensor(1.0, requires_grad=True)
    y = w
    for _ in range(5_000):
        y = y * 0.9999
        y = y + 0.0001
    y.backward()
    assert float(w.grad) == pytest.approx(0.9999**5_000, rel=1e-3)
    del y
    gc.collect()


def test_bounds_in_bytes_cut_before_memory_is_full(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(type(context.recording), "most_bytes", 1 << 20)
    wf.realize()
    generation = context.recording.generation
    kept = [wf.ones((256, 256)) + k for k in range(40)]  # 40 × 256 KiB
    assert context.recording.generation > generation + 8
    assert float(kept[-1].sum()) == 256 * 256 * 40


def test_many_shapes_stay_within_the_cache_and_are_explained(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(programs, "CAPACITY", 8)
    x = wf.arange(64, dtype=wf.float32)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        sums = [float((x[:n] * 0.5).sum()) for n in range(1, 25)]
    assert sums == [n * (n - 1) / 4 for n in range(1, 25)]
    assert len(programs._programs) <= 8
    (warning,) = [w for w in caught if w.category is wf.RecompileWarning]
    assert "(x[:n] * 0.5).sum()" in str(warning.message)
    assert "bring them to a few sizes" in str(warning.message)
    assert any("(x[:n] * 0.5).sum()" in line for line in wf.explain().advice)


def test_threads_record_apart_and_read_each_others_tensors():
    shared = wf.tensor([1.0, 2.0]) * 3.0  # recorded here, not run
    failures: list[BaseException] = []
    stop = threading.Event()

    def work(seed: int) -> None:
        try:
            rng = random.Random(seed)
            for _ in range(40):
                k = rng.randrange(5)
                y = shared * float(k) + float(seed)
                z = (y - float(seed)) / 3.0
                assert z.tolist() == [1.0 * k, 2.0 * k]
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(6)]
    for t in threads:
        t.start()
    mine = [wf.tensor([1.0, 2.0]) + float(n) for n in range(200)]  # meanwhile this thread goes on recording
    for t in threads:
        t.join()
    stop.set()
    assert failures == []
    assert [m.tolist() for m in mine[::50]] == [[1.0 + n, 2.0 + n] for n in range(0, 200, 50)]
    assert shared.tolist() == [3.0, 6.0]


def test_what_another_thread_has_computed_on_the_host_is_still_recorded_here():
    waiting = wf.arange(6.0).reshape(2, 3)
    other = wf.tensor([10.0, 20.0]) + wf.tensor([1.0, 2.0])
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append((waiting * 2).tolist()))
    thread.start()
    thread.join()
    assert found == [[[0, 2, 4], [6, 8, 10]]]
    assert float(waiting.max()) == 5
    assert other.tolist() == [11, 22]


def test_a_tensor_still_being_recorded_elsewhere_is_computed_apart():
    made: list[Any] = []
    ready, done = threading.Event(), threading.Event()

    def record() -> None:
        x = wf.tensor([2.0, 3.0]) * 5.0
        made.extend([x, x + 1.0])
        ready.set()
        done.wait(30)
        made.append((x - 1.0).tolist())

    thread = threading.Thread(target=record)
    thread.start()
    assert ready.wait(30)
    assert made[1].tolist() == [11.0, 16.0]
    done.set()
    thread.join()
    assert made[2] == [9.0, 14.0]
    assert made[0].tolist() == [10.0, 15.0]


def test_an_error_in_the_middle_leaves_the_recording_usable():
    x = wf.tensor([1.0, 2.0, 3.0])
    y = x * 2.0
    for wrong in (lambda: y + wf.ones(2), lambda: y @ wf.ones((2, 2)), lambda: y[7], lambda: wf.reshape(y, (2, 2))):
        with pytest.raises((ValueError, IndexError)):
            wrong()
    assert (y + 1.0).tolist() == [3.0, 5.0, 7.0]


def test_what_cannot_be_computed_fails_alone():
    def fail(x: Any) -> Any:
        raise RuntimeError("no such instruction")

    broken = Op("broken", shape=lambda x: x, lower=fail)
    x = wf.tensor([1.0, 2.0])
    bad, good = broken(x), wf.exp(x) * 0.0 + x
    assert good.tolist() == [1.0, 2.0]
    worse = None
    with pytest.raises(wf.WeftError, match="no such instruction"):
        worse = bad + 1.0
    with pytest.raises(wf.WeftError, match="no such instruction"):
        bad.tolist()
    assert worse is None
    later = broken(x)
    with pytest.raises(RuntimeError, match="no such instruction"):
        later.tolist()
    assert (good + 1.0).tolist() == [2.0, 3.0]


class Interruptions:
    """KeyboardInterrupt at random moments, as Ctrl-C raises it."""

    def __enter__(self) -> Interruptions:
        self.before = signal.signal(signal.SIGALRM, signal.default_int_handler)
        return self

    def during(self, work: Any, seconds: float) -> bool:
        """Run ``work`` and interrupt it after ``seconds``; whether that happened."""
        try:
            signal.setitimer(signal.ITIMER_REAL, seconds)
            work()
            signal.setitimer(signal.ITIMER_REAL, 0)
            time.sleep(1e-4)  # a signal that another thread has taken reaches this one a moment later
        except KeyboardInterrupt:
            return True
        return False

    def __exit__(self, *_: object) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, self.before)


def test_interruptions_at_any_moment_leave_right_numbers(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(signal, "SIGINT", signal.SIGALRM)  # so that the timer stands for Ctrl-C
    rng = random.Random(0)
    x, w = wf.tensor([1.0, 2.0, 3.0]), wf.tensor([0.5, 0.5, 0.5], requires_grad=True)

    def work() -> tuple[list[float], list[float]]:
        y = x
        for k in range(1, 6):
            y = y * w + float(k)
        loss = wf.sum(y)
        return y.tolist(), wf.gradients(loss, w).tolist()

    right = work()
    interrupted = 0
    with Interruptions() as clock:
        for _ in range(300):
            interrupted += clock.during(lambda: [work() for _ in range(3)], rng.uniform(2e-5, 1.5e-3))
            assert work() == right
    assert interrupted > 50


def test_interruptions_of_a_compilation_leave_a_usable_session(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(signal, "SIGINT", signal.SIGALRM)  # so that the timer stands for Ctrl-C
    rng = random.Random(3)
    interrupted = 0
    with Interruptions() as clock:
        for n in range(2, 42):
            x = wf.tensor(np.arange(n, dtype=np.float32))
            y = wf.exp(-x) * 2.0 + x
            expected = np.exp(-np.arange(n, dtype=np.float32)) * 2 + np.arange(n)
            interrupted += clock.during(y.tolist, rng.uniform(1e-4, 3e-2))
            np.testing.assert_allclose(y.numpy(), expected, rtol=1e-6)
    assert interrupted > 5


def test_an_interruption_of_a_compiled_step_loses_no_state(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(signal, "SIGINT", signal.SIGALRM)  # so that the timer stands for Ctrl-C
    w = wf.tensor(np.zeros(4, np.float32), requires_grad=True)

    @wf.compile
    def step() -> Any:
        loss = wf.sum((w - 1.0) ** 2)
        w.assign_sub(0.5 * wf.gradients(loss, w))
        w.assign(w * 0.0 + 1.0 - (1.0 - w) * 1.0)
        return loss

    step()
    rng = random.Random(1)
    with Interruptions() as clock:
        for _ in range(200):
            clock.during(lambda: [step() for _ in range(4)], rng.uniform(1e-5, 3e-4))
            assert w.tolist() == [1.0] * 4


def test_programs_make_room_before_the_system_refuses_to_map_more(monkeypatch):
    monkeypatch.setattr(programs, "LOOKED", 1)
    monkeypatch.setattr(programs, "running_out", lambda: len(programs._programs) > 4)
    monkeypatch.setattr(programs, "_programs", type(programs._programs)())
    doubled = [wf.compile(lambda x, k=k: wf.tanh(x) + sum([x] * k)) for k in range(9)]
    x = wf.ones(3)
    first = [f(x).tolist() for f in doubled]
    assert len(programs._programs) <= 5
    assert sum(v.held() is None for f in doubled for found in f.variants.values() for v in found) >= 4
    assert [f(x).tolist() for f in doubled] == first  # those that had to go are made again


def test_mappings_are_counted_where_the_system_says_how_many_it_allows(monkeypatch):
    most = mappings.allowed()
    if most is None:
        pytest.skip("a system without a limit")
    assert not mappings.running_out()
    monkeypatch.setattr(mappings, "allowed", lambda: 10)
    assert mappings.running_out()
