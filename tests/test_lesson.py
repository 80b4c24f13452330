"""The exact numbers of the beginners' lesson, and its two directions: each API inside the other."""

import numpy as np
import pytest

import weft as wf
from weft import nn, optim

LOSSES = [94.5247, 9.3428, 1.4166, 0.5224, 0.3807, 0.3495, 0.3413, 0.3390, 0.3384, 0.3382]
FULL_BATCH = [173.4585, 13.8459, 4.5407, 3.7364, 3.4334, 3.1790, 2.9458, 2.7311, 2.5332, 2.3508]


def line_data():
    """120 points around 2x + 0.9, and the order in which the lesson visits them, shuffled once before training."""
    np.random.seed(13)  # noqa: NPY002  # the lesson's own generator, for its exact numbers
    x = np.linspace(0, 3, 120)
    y = 2 * x + 0.9 + 0.5 * np.random.randn(120)  # noqa: NPY002
    order = np.random.permutation(120)  # noqa: NPY002
    return x.astype(np.float32), y.astype(np.float32), order


def one_step(w, b):
    def step(x, y):
        loss = wf.mean((x * w + b - y) ** 2)
        dw, db = wf.gradients(loss, [w, b])
        w.assign_sub(0.1 * dw)
        b.assign_sub(0.1 * db)
        return loss

    return step


def test_minimum_of_a_bowl():
    x = wf.tensor([0.0, 0.0], requires_grad=True)
    for _ in range(15):
        f = (x[0] - 3) ** 2 + (x[1] + 2) ** 2
        x.assign_sub(0.1 * wf.gradients(f, x))
    np.testing.assert_allclose(x.numpy(), [2.894446849822998, -1.929631233215332], rtol=1e-6)


@pytest.mark.parametrize("compiled", [False, True], ids=["plain", "compiled"])
def test_line_by_hand(compiled):
    x, y, order = line_data()
    w, b = wf.tensor(100.0, requires_grad=True), wf.tensor(0.0, requires_grad=True)
    step = wf.compile(one_step(w, b)) if compiled else one_step(w, b)
    last = []
    for _ in range(10):
        for rows in order.reshape(30, 4):
            loss = step(wf.tensor(x[rows]), wf.tensor(y[rows]))
        last.append(float(loss))
    np.testing.assert_allclose(last, LOSSES, rtol=2e-4)
    np.testing.assert_allclose([float(w), float(b)], [1.8617, 1.0711], atol=1e-4)

    w.assign(10.0)
    b.assign(0.0)
    whole = [float(step(wf.tensor(x), wf.tensor(y))) for _ in range(10)]
    np.testing.assert_allclose(whole, FULL_BATCH, rtol=2e-4)


class Line(nn.Module):
    """A layer of the low-level API: two parameters and an expression."""

    def __init__(self):
        self.w, self.b = nn.Parameter(100.0), nn.Parameter(0.0)

    def forward(self, x):
        return x * self.w + self.b


def test_line_through_fit():
    x, y, order = line_data()
    model = Line()
    trainer = wf.Trainer(model, loss="mse", optimizer=optim.SGD(0.1))
    run = trainer.fit((x, y), epochs=10, batch_size=4, shuffle=lambda epoch: order, verbose=False)
    np.testing.assert_allclose(run.history["last_loss"], LOSSES, rtol=2e-4)
    np.testing.assert_allclose([float(model.w), float(model.b)], [1.8617, 1.0711], atol=1e-4)

    model.w.assign(10.0)
    model.b.assign(0.0)
    run = trainer.fit((x, y), epochs=10, batch_size=120, shuffle=False, verbose=False)
    np.testing.assert_allclose(run.history["last_loss"][10:], FULL_BATCH, rtol=2e-4)


def test_gradient_accumulation_is_exactly_three_to_one():
    w = wf.tensor([1.0, 2.0], requires_grad=True)
    (w * w).sum().backward()
    once = w.grad.numpy()
    for _ in range(2):
        (w * w).sum().backward()
    assert (w.grad.numpy() == 3 * once).all()
    for k in range(2):  # a vector-Jacobian product with the identity, row by row, is added to what is there
        w.grad = None
        (w * w).backward(wf.eye(2)[k])
        assert w.grad.tolist() == [2.0 * (k + 1) if j == k else 0.0 for j in range(2)]


def test_a_low_level_layer_inside_a_network_trained_by_fit():
    class Scale(nn.Module):
        def __init__(self):
            self.factor = nn.Parameter([1.0, 1.0, 1.0, 1.0])

        def forward(self, x):
            return wf.tanh(x * self.factor)

    wf.random.seed(0)
    model = nn.Sequential(Scale(), nn.Linear(16), nn.ReLU(), nn.Linear(3))
    run = wf.fit(
        model,
        wf.data.iris(),
        "cross_entropy",
        optim.Adam(1e-2),
        ["accuracy"],
        validation=0.2,
        epochs=60,
        batch_size=16,
        scale="standard",
        verbose=False,
    )
    assert max(run.history["val_accuracy"]) >= 0.9
    assert not np.allclose(model[0].factor.numpy(), 1.0)


def test_a_sequence_of_layers_trained_by_a_loop_by_hand():
    wf.random.seed(0)
    data = wf.data.iris()
    x, y = wf.tensor((data.x - data.x.mean(0)) / data.x.std(0)), wf.tensor(data.y)
    model, opt = nn.Sequential(nn.Linear(16), nn.ReLU(), nn.Linear(3)), optim.Adam(1e-2)
    losses = []
    for _ in range(60):
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        opt.step(model)
        model.zero_grad()
        losses.append(loss)
    assert float(losses[-1]) < 0.2 < float(losses[0])
    assert float((model(x).argmax(axis=1) == y).astype("float32").mean()) >= 0.95


def test_the_same_numbers_compiled_or_not():
    data = wf.data.iris()
    x, y = wf.tensor(data.x), wf.tensor(data.y)

    def train(compiled):
        wf.random.seed(3)
        model, opt = nn.Sequential(nn.Linear(16), nn.ReLU(), nn.Linear(3)).build((1, 4)), optim.Adam(1e-2)

        def step():
            loss = nn.functional.cross_entropy(model(x), y)
            loss.backward()
            opt.step(model)
            model.zero_grad()
            return loss

        chosen = wf.compile(step) if compiled else step
        return [float(chosen()) for _ in range(10)]

    np.testing.assert_allclose(train(True), train(False), rtol=1e-5)
