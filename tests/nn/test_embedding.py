"""Tables: rows without gradients, bounded rows, and bags, beyond what the comparison with PyTorch covers."""

import numpy as np
import pytest

import weft as wf
from weft import nn
from weft.nn import functional as F


def test_the_padding_row_is_zero_and_stays_so():
    table = nn.Embedding(5, 3, padding_idx=-1)
    assert table.padding_idx == 4
    assert table.weight.numpy()[4].tolist() == [0.0] * 3
    table(wf.tensor([4, 1, 4])).sum().backward()
    assert table.weight.grad.numpy()[4].tolist() == [0.0] * 3
    assert table.weight.grad.numpy()[1].tolist() == [1.0] * 3
    assert table.initialize(3).weight.numpy()[4].tolist() == [0.0] * 3


def test_a_negative_index_that_only_the_device_knows_is_no_row():
    table = wf.tensor([[1.0], [2.0]], requires_grad=True)
    look = wf.compile(lambda at: (F.embedding(at, table), wf.gradients(F.embedding(at, table).sum(), table)))
    rows, slope = look(wf.tensor([0, -1, 2]))
    assert np.isnan(rows.numpy()[:, 0]).tolist() == [False, True, True]
    assert slope.tolist() == [[1.0], [0.0]]


def test_rows_that_are_looked_up_keep_their_bound():
    table = nn.Embedding(4, 8, max_norm=1.0)
    before = table.weight.numpy().copy()
    table(wf.tensor([0, 2]))
    length = np.linalg.norm(table.weight.numpy(), axis=1)
    assert length[[0, 2]] == pytest.approx([1.0, 1.0], rel=1e-5)
    np.testing.assert_array_equal(table.weight.numpy()[[1, 3]], before[[1, 3]])


def test_a_bounded_table_trains():
    model = nn.Sequential(nn.Embedding(6, 4, max_norm=1.0, padding_idx=0), nn.Flatten(), nn.Linear(2))
    x = np.random.default_rng(0).integers(0, 6, (32, 3))
    run = wf.fit(model, (x, x[:, 0] % 2), "cross_entropy", epochs=3, verbose=False)
    assert run.history.epochs == 3
    assert np.linalg.norm(model[0].weight.numpy(), axis=1).max() < 1.5


def test_gradients_by_frequency():
    weight = wf.tensor(np.ones((4, 2), np.float32), requires_grad=True)
    F.embedding(wf.tensor([1, 1, 1, 3]), weight, scale_grad_by_freq=True).sum().backward()
    np.testing.assert_allclose(weight.grad.numpy()[:, 0], [0, 1, 0, 1], rtol=1e-6)


@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
def test_bags_without_indices_are_zero_and_compile_for_new_offsets_once(mode):
    bag = nn.EmbeddingBag(5, 2, mode=mode, padding_idx=0)
    made = bag(wf.tensor([0, 0, 3, 4]), wf.tensor([0, 2, 2])).numpy()
    assert (made[:2] == 0).all()
    f = wf.compile(lambda x, at: bag(x, at))
    f(wf.tensor([0, 0, 3, 4]), wf.tensor([0, 2, 2])).numpy()
    before = wf.explain().count
    y = f(wf.tensor([1, 2, 3, 4]), wf.tensor([0, 1, 1])).numpy()
    assert wf.explain().count == before
    np.testing.assert_allclose(y[0], bag.weight.numpy()[1], rtol=1e-6)


def test_the_second_gradient_of_a_bag():
    def f(w):
        y = F.embedding_bag(wf.tensor([[1, 2], [2, 0]]), w, padding_idx=0, mode="mean")
        return (y**3).sum()

    w = wf.tensor(np.random.default_rng(0).normal(size=(3, 2)))
    hessian = wf.hessian(f)(w).numpy()
    assert (hessian[0] == 0).all()
    step = 1e-5
    for k in (1, 2):
        e = np.zeros((3, 2))
        e[k, 1] = step
        slope = (wf.grad(f)(w + e).numpy() - wf.grad(f)(w - e).numpy()) / (2 * step)
        np.testing.assert_allclose(hessian[:, :, k, 1], slope, atol=1e-6)
