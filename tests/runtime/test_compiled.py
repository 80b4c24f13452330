"""Compiled functions, loops and branches: state, donation, randomness, and what they refuse."""

import numpy as np
import pytest

import weft as wf
from weft import nn
from weft.errors import ArgumentError, ShapeError, ValueNeededError


def test_a_new_number_or_array_compiles_nothing_and_a_new_shape_does():
    @wf.compile
    def f(x, k):
        return (x * k).sum()

    assert float(f(np.ones(5, np.float32), 2.0)) == 10
    before = wf.explain().count
    assert float(f(np.full(5, 3, np.float32), 4.0)) == 60
    assert wf.explain().count == before
    assert float(f(np.ones(7, np.float32), 1.0)) == 7
    assert wf.explain().count == before + 1


def test_state_is_read_and_assigned_anew_at_each_call():
    w = wf.tensor([1.0, 2.0])

    @wf.compile
    def double():
        w.assign(w * 2)
        return w.sum()

    assert [float(double()) for _ in range(3)] == [6, 12, 24]
    w.assign([1.0, 1.0])
    assert float(double()) == 4


def test_a_value_that_somebody_else_holds_survives_donation():
    w = wf.tensor(np.arange(4.0, dtype=np.float32))
    wf.realize(w * 1)

    @wf.compile
    def step():
        w.assign(w + 1)

    step()
    kept, view = w.detach(), w.numpy()
    step()
    step()
    assert kept.tolist() == [1, 2, 3, 4]
    assert view.tolist() == [1, 2, 3, 4]
    assert w.tolist() == [3, 4, 5, 6]


def test_gradients_left_in_grad_come_out():
    w = wf.tensor(3.0, requires_grad=True)

    @wf.compile
    def back(x):
        (w * x).backward()

    back(2.0)
    assert float(w.grad) == 2
    back(5.0)
    assert float(w.grad) == 7


def test_a_compiled_function_can_be_differentiated_from_outside():
    w, b = wf.tensor([1.0, 2.0], requires_grad=True), wf.tensor(3.0, requires_grad=True)
    forward = wf.compile(lambda x, k: (x * w).sum() * k + b)
    loss = forward(wf.tensor([5.0, 7.0]), 2.0) ** 2
    dw, db = wf.gradients(loss, [w, b])
    assert float(loss) == (2 * 19 + 3) ** 2
    assert dw.tolist() == [2 * 41 * 2 * 5, 2 * 41 * 2 * 7]
    assert float(db) == 82
    assert float(wf.gradients(db, b)) == 2
    x = wf.tensor([1.0, 1.0], requires_grad=True)
    forward(x, 2.0).backward()
    assert x.grad.tolist() == [2, 4]
    with wf.no_grad():
        assert not forward(x, 2.0).node.tracked


def test_the_mode_of_a_model_is_noticed():
    model = nn.Dropout(0.5)
    f = wf.compile(lambda x: model(x))
    x = wf.ones(1000)
    model.train()
    dropped = float((f(x) == 0).astype("float32").mean())
    assert 0.4 < dropped < 0.6
    model.eval()
    assert float((f(x) == 0).astype("float32").mean()) == 0


def test_random_numbers_are_new_at_each_call_and_seeded():
    f = wf.compile(lambda: wf.random.normal(4))
    wf.random.seed(5)
    first, second = f().tolist(), f().tolist()
    assert first != second
    wf.random.seed(5)
    assert f().tolist() == first


def test_a_needed_value_names_the_line_and_the_cure():
    @wf.compile
    def f(x):
        if x > 0:
            return x
        return -x

    with pytest.raises(ValueNeededError) as caught:
        f(wf.tensor(1.0))
    message = str(caught.value)
    assert "f()" in message
    assert "if x > 0" in message
    assert "wf.where" in message
    assert "wf.cond" in message
    assert float(wf.tensor(1.0) + 1) == 2  # what follows is not disturbed


def test_a_tensor_that_escapes_is_named():
    kept = []
    f = wf.compile(lambda x: kept.append(x * 2))
    f(wf.tensor(1.0))
    with pytest.raises(ValueNeededError, match="used outside"):
        kept[0] + 1


def test_an_argument_that_cannot_be_hashed_is_refused():
    f = wf.compile(lambda x: x)
    with pytest.raises(ArgumentError, match="cannot be hashed"):
        f({1, 2})


def test_an_exception_inside_leaves_everything_as_it_was():
    w = wf.tensor(1.0)

    @wf.compile
    def f():
        w.assign(w + 1)
        raise KeyError("stop")

    with pytest.raises(KeyError):
        f()
    assert float(w) == 1


def test_explain_says_what_made_a_program_new():
    def f(n):
        return float(wf.ones(n).sum() + 0.25)

    f(11)
    f(12)
    last = wf.explain().compilations[-1]
    assert "(11,)" in last.reason
    assert "(12,)" in last.reason
    assert "test_compiled.py" in str(last)


def test_recompiling_again_and_again_warns_with_the_line():
    def f(n):
        return float((wf.ones(n) * 1.5).sum())

    with pytest.warns(wf.RecompileWarning, match="made 8 programs") as caught:
        for n in range(40, 52):
            f(n)
    (warning,) = caught
    assert (warning.filename, warning.lineno) == (__file__, f.__code__.co_firstlineno + 1)


def test_scan_is_a_loop():
    w = wf.tensor(0.5, requires_grad=True)
    last, ys = wf.scan(lambda c, x: (c * w + x, c), wf.tensor(1.0), wf.tensor([1.0, 2.0, 3.0]))
    first, second = wf.gradients(last + ys.sum(), w), None
    second = wf.gradients(first, w)
    assert float(last) == pytest.approx(4.375)
    assert float(first) == pytest.approx(6.75)
    assert float(second) == pytest.approx(7.0, rel=1e-5)


def test_state_travels_through_loops():
    w = wf.tensor(1.0, requires_grad=True)

    def body(i):
        loss = (w * 2 - 6) ** 2
        w.assign_sub(0.1 * wf.gradients(loss, w))
        return i + 1

    assert int(wf.while_loop(lambda i: i < 4, body, wf.tensor(0))) == 4
    by_hand = 1.0
    for _ in range(4):
        by_hand -= 0.1 * 4 * (by_hand * 2 - 6)
    assert float(w) == pytest.approx(by_hand, rel=1e-5)


def test_random_numbers_differ_between_iterations():
    _, drawn = wf.scan(lambda c, x: (c, wf.random.uniform()), None, wf.arange(8))
    assert len(set(drawn.tolist())) == 8


def test_cond_takes_one_branch_and_differentiates_it():
    for start, slope in ((3.0, 6.0), (-3.0, -1.0)):
        x = wf.tensor(start, requires_grad=True)
        y = wf.cond(x > 0, lambda v: v * v, lambda v: -v, x)
        assert float(wf.gradients(y, x)) == slope


def test_a_carry_that_changes_shape_is_named():
    with pytest.raises(ShapeError, match="carry of while_loop changes"):
        wf.while_loop(lambda x: x.sum() < 3, lambda x: wf.concat([x, x]), wf.ones(2))
    with pytest.raises(ArgumentError, match="another structure"):
        wf.scan(lambda c, x: ((c, c), x), wf.tensor(1.0), wf.ones(3))


def test_a_loop_may_begin_with_numbers():
    last, before = wf.scan(lambda c, x: (c + x, c), 0.0, wf.tensor([1.0, 2.0, 3.0]))
    assert (float(last), before.tolist()) == (6.0, [0.0, 1.0, 3.0])
    assert wf.scan(lambda c, _: (c + 1, 7), 0, length=3)[1].tolist() == [7, 7, 7]
    count, x = wf.while_loop(lambda s: s[0] < 5, lambda s: (s[0] + 1, s[1] * 2), (0, 1.0))
    assert (int(count), float(x)) == (5, 32.0)
    assert float(wf.cond(wf.tensor(2.0) > 1, lambda: 1.0, lambda: 2.0)) == 1.0
    assert float(wf.grad(lambda w: wf.scan(lambda c, _: (c * w, None), 1.0, length=3)[0])(2.0)) == 12.0


@pytest.mark.parametrize(
    ("condition", "kind"),
    [(lambda x: x, "int64"), (lambda x: wf.stack([x, x]) > 0, r"bool\[2\]"), (lambda x: None, "NoneType")],
)
def test_the_condition_of_a_loop_is_a_single_truth_value(condition, kind):
    with pytest.raises(ArgumentError, match=f"the condition of while_loop returned {kind}"):
        wf.while_loop(condition, lambda x: x - 1, wf.tensor(3))


def test_branches_that_differ_are_named():
    with pytest.raises(ShapeError, match=r"a condition of shape \(2,\)") as caught:
        wf.cond(wf.tensor([True, False]), lambda: 1.0, lambda: 2.0)
    assert "wf.where" in str(caught.value)
    with pytest.raises(ArgumentError, match="the second branch of cond returns another structure than the first"):
        wf.cond(wf.tensor(True), lambda: (1.0, 2.0), lambda: 1.0)


def test_a_compiled_function_runs_where_its_tensors_are():
    double = wf.compile(lambda x: x * 2)
    there = double(wf.tensor([1.0, 2.0], device="cpu:1"))
    assert (there.device.name, there.tolist()) == ("cpu:1", [2.0, 4.0])
    with wf.device("cpu:3"):
        assert double(wf.tensor([1.0, 3.0])).device.name == "cpu:3"
    w = wf.tensor([1.0, 2.0], device="cpu:2", requires_grad=True)

    @wf.compile
    def step(x):
        w.assign_sub(wf.gradients((w * x).sum(), w))

    step(np.ones(2, np.float32))
    step(wf.tensor([1.0, 1.0], device="cpu:2"))
    assert (w.device.name, w.tolist()) == ("cpu:2", [-1.0, 0.0])
    with pytest.raises(wf.errors.DeviceError, match=r"a tensor on cpu:2 in a computation on cpu:1"):
        step(wf.tensor([1.0, 1.0], device="cpu:1"))


def test_devices_hold_their_tensors():
    with wf.device("cpu:1"):
        a = wf.ones(3) * 2
    assert a.device.name == "cpu:1"
    assert a.tolist() == [2, 2, 2]
    with pytest.raises(wf.errors.DeviceError, match=r"a tensor on cpu:0 in a computation on cpu:1"):
        a + _held()
    assert (a + 1).device.name == "cpu:1"  # computation follows its operands
    w = wf.tensor([1.0, 2.0, 3.0], device="cpu:2", requires_grad=True)
    slope = wf.gradients((w * w).sum(), w)
    assert (slope.device.name, slope.tolist()) == ("cpu:2", [2.0, 4.0, 6.0])
    assert wf.grad(lambda x: (x * x).sum())(a).device.name == "cpu:1"
    assert wf.zeros_like(w).device.name == "cpu:2"
    host = wf.tensor([0.5, 0.5, 0.5])
    there, here = a + host, wf.ones(3) - host
    assert here.tolist() == (wf.ones(3) * 2 - host - 1).tolist()  # used again: it has moved to the first device
    assert there.tolist() == [2.5, 2.5, 2.5]
    assert (a.to("cpu:0") + wf.ones(3)).tolist() == [3, 3, 3]
    with pytest.raises(wf.errors.DeviceError, match="no device 'gpu:7'"):
        wf.tensor(1.0, device="gpu:7")


def _held():
    """A tensor whose value lies on the first device."""
    x = wf.ones(3) * 5
    wf.realize(x)
    return x


def test_results_without_history_are_computed_by_the_call_and_others_take_part_in_what_is_recorded():
    w = wf.tensor([2.0, 3.0], requires_grad=True)
    plain = wf.compile(lambda x: (w * x).detach())
    smooth = wf.compile(lambda x: w * x)
    x = wf.tensor([1.0, 4.0])
    assert plain(x).node.data is not None
    assert not plain(x).node.tracked
    y = smooth(x)
    assert y.node.data is None
    assert wf.gradients(y.sum(), w).tolist() == [1.0, 4.0]


def test_numbers_of_numpy_are_run_time_values_like_pythons():
    double = wf.compile(lambda x, k: x * k)
    x = wf.ones(3)
    double(x, 1), double(x, 1.5)
    before = wf.explain().count
    for k in range(3):
        assert double(x, np.int64(k)).tolist() == [k] * 3
        assert double(x, np.float64(k)).dtype is wf.float32
    assert wf.explain().count == before


def test_a_result_that_was_assigned_has_its_new_value():
    w = wf.tensor(1.0)

    @wf.compile
    def step():
        w.assign(w + 1)
        return w

    assert (float(step()), float(w), float(step())) == (2.0, 2.0, 3.0)
