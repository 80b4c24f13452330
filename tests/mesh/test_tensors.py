"""Tensors on a mesh: where they lie, what is computed with them, and what is refused."""

import numpy as np
import pytest

import weft as wf
from weft import nn, optim
from weft.errors import ArgumentError, DeviceError, ShapeError

GRID = wf.Mesh(data=2, model=2)
X = np.arange(12, dtype=np.float32).reshape(4, 3)


def test_a_mesh_says_what_it_is():
    assert GRID.sizes == {"data": 2, "model": 2}
    assert str(GRID) == "mesh(data=2, model=2)"
    assert repr(GRID) == "<mesh(data=2, model=2) of cpu:0, cpu:1, cpu:2, cpu:3>"
    assert wf.Mesh(data=2, model=-1) == GRID
    assert wf.Mesh(data=1, devices=["cpu:3"]).members == (wf.devices("cpu")[3],)


@pytest.mark.parametrize(
    ("axes", "placement", "shard"),
    [
        ((), (None, None), (4, 3)),
        (("data",), ("data", None), (2, 3)),
        ((("data", "model"),), (("data", "model"), None), (1, 3)),
    ],
)
def test_a_tensor_lies_as_it_was_asked_to(axes, placement, shard):
    x = wf.tensor(X).to(GRID, *axes)
    assert x.placement == placement
    assert x.device == GRID
    assert {s.data.shape for s in x.node.data.addressable_shards} == {shard}
    np.testing.assert_array_equal(x.numpy(), X)


def test_results_lie_where_the_partitioner_puts_them_and_have_the_same_value():
    x, w = wf.tensor(X).to(GRID, "data"), wf.tensor(np.ones((3, 4), np.float32)).to(GRID, None, "model")
    y = wf.tanh(x @ w * 0.1)
    assert y.placement == ("data", "model")
    np.testing.assert_allclose(y.numpy(), np.tanh(X @ np.ones((3, 4), np.float32) * 0.1), rtol=1e-6)
    assert y.to(GRID).placement == (None, None)
    assert y.to("cpu:1").device == wf.devices("cpu")[1]


def test_a_gradient_is_that_of_one_device_and_lies_as_its_parameter():
    def gradient(w):
        return wf.gradients((wf.sin(wf.tensor(X).to(GRID, "data") @ w) ** 2).sum(), w)

    w = np.linspace(-1, 1, 12, dtype=np.float32).reshape(3, 4)
    alone = wf.tensor(w, requires_grad=True)
    expected = wf.gradients((wf.sin(wf.tensor(X) @ alone) ** 2).sum(), alone)
    divided = wf.tensor(w).to(GRID, None, "model").requires_grad_()
    np.testing.assert_allclose(gradient(divided).numpy(), expected.numpy(), rtol=1e-5, atol=1e-5)
    assert gradient(divided).placement == (None, "model")


def test_a_wish_inside_a_program_is_an_op_with_a_gradient():
    @wf.compile
    def f(x):
        y = (x * x).to(GRID, "data")
        return y, wf.gradients(y.sum(), x)

    y, g = f(wf.tensor(X).to(GRID).requires_grad_())
    assert y.placement == ("data", None)
    np.testing.assert_array_equal(g.numpy(), 2 * X)
    assert "shard" in wf.text((wf.tensor(X).to(GRID) * 2).to(GRID, "data"))


def test_new_tensors_of_a_block_live_on_the_mesh():
    with wf.device(GRID):
        assert wf.zeros((2, 2)).device == GRID
        wf.random.seed(3)
        here = wf.random.normal((4, 2)).numpy()
    wf.random.seed(3)
    np.testing.assert_array_equal(here, wf.random.normal((4, 2)).numpy())


def test_what_is_assigned_stays_divided():
    w = wf.tensor(X.T.copy()).to(GRID, None, "model")
    w.assign(np.zeros((3, 4), np.float32))
    assert w.placement == (None, "model")
    layer = nn.Linear(4, 2).to(GRID, {"weight": ("model", None)})
    layer.load_state_dict({"weight": np.ones((2, 4), np.float32), "bias": np.ones(2, np.float32)})
    assert layer.weight.placement == ("model", None)


def test_what_is_assigned_stays_on_its_device():
    buffer = nn.Buffer(np.zeros(3, np.float32))
    buffer.assign(buffer.to("cpu:1"))
    buffer.assign(np.ones(3, np.float32))
    assert buffer.device == wf.devices("cpu")[1]


def test_a_loop_by_hand_runs_there_with_its_optimizer():
    def trained(place):
        wf.random.seed(0)
        model = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 1))
        x, opt = wf.tensor(X), optim.SGD(0.01, momentum=0.9)
        if place:
            model.to(GRID, {"0.weight": ("model", None), "2.weight": (None, "model")})
            x = x.to(GRID, "data")
        for _ in range(3):
            loss = (model(x) ** 2).mean()
            loss.backward()
            opt.step(model)
            model.zero_grad()
        return model, float(loss)

    (here, loss), (alone, expected) = trained(True), trained(False)
    assert loss == pytest.approx(expected, rel=1e-5)
    assert here[0].weight.placement == ("model", None)
    np.testing.assert_allclose(here[2].weight.numpy(), alone[2].weight.numpy(), rtol=1e-5, atol=1e-6)


def test_a_model_can_be_divided_evenly():
    model = nn.Sequential(nn.Linear(3, 8), nn.Linear(8, 5)).to(GRID, "data")
    assert [p.placement for p in model.parameters()] == [("data", None), ("data",), (None, "data"), (None,)]


def test_tensors_of_a_mesh_and_of_a_device_do_not_mix():
    with pytest.raises(DeviceError, match=r"a tensor on cpu:\d in a computation on mesh"):
        wf.realize(wf.tensor(X).to(GRID) @ wf.tensor(np.ones((3, 2), np.float32)).to("cpu:1"))


@pytest.mark.parametrize(
    ("wrong", "error", "text"),
    [
        (lambda: wf.Mesh(), ArgumentError, r"a mesh without axes[\s\S]*wf.Mesh\(data=4\)"),
        (lambda: wf.Mesh(data=8), DeviceError, r"data=8, which is 8 devices[\s\S]*at most 4"),
        (lambda: wf.Mesh(data=0), ArgumentError, "data=0"),
        (lambda: wf.Mesh(data=True), ArgumentError, "data=True"),
        (lambda: wf.Mesh(data=-1, model=-1), ArgumentError, "one axis at most"),
        (lambda: wf.Mesh(data=1, devices=["cpu:0", "cpu:0"]), DeviceError, "each once"),
        (lambda: wf.Mesh(data=1, devices=["cpu:0", GRID]), DeviceError, r"\[cpu:0, mesh\(data=2, model=2\)\]"),
        (lambda: wf.tensor(X).to(GRID, "rows"), ArgumentError, r"an axis 'rows'[\s\S]*'data', 'model'"),
        (lambda: wf.tensor(X).to(GRID, "data", "data"), ArgumentError, "at most once"),
        (lambda: wf.tensor(X).to(GRID, ("model", "data"), "data"), ArgumentError, r"try: +x.to\(mesh, 'data'\)"),
        (lambda: wf.tensor(X).to(GRID, None, "data"), ShapeError, r"axis 1 of a tensor of shape \(4, 3\)"),
        (lambda: wf.tensor(X).to(GRID, None, None, "data"), ShapeError, "at most 2 entries"),
        (lambda: wf.tensor(X).to(GRID, None, "model", "data"), ShapeError, r"x.to\(mesh, None, 'model'\)"),
        (lambda: wf.tensor(X).to("cpu", "data"), ArgumentError, "a mesh, whose axes can divide a tensor"),
        (lambda: wf.tensor(X).to(3), DeviceError, "3 is no device"),
        (lambda: nn.Linear(3, 2).to("cpu", "data"), ArgumentError, "a mesh"),
        (lambda: nn.Linear(3, 2).to(GRID, {"wieght": ("data",)}), ArgumentError, "no parameter matches 'wieght'"),
        (lambda: nn.Linear(3, 2).to(GRID, "rows"), ArgumentError, "an axis 'rows'"),
    ],
)
def test_what_cannot_be_is_refused(wrong, error, text):
    with pytest.raises(error, match=text):
        wrong()


def test_a_size_may_be_a_whole_number_of_numpys():
    assert wf.Mesh(data=np.int64(2)).sizes == {"data": 2}
