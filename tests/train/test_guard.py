"""Numbers that are not finite: the step changes nothing, and the run says where they came from."""

import numpy as np
import pytest

import weft as wf
from weft import nn, optim
from weft.runtime.stepwise import first_nonfinite
from weft.train import loop
from weft.train.guard import NonFiniteError
from weft.train.preparation import sample_of


class Root(nn.Module):
    """A model whose root has no value for inputs below 0."""

    def __init__(self):
        self.inner, self.outer = nn.Linear(1, 1), nn.Linear(1, 1)

    def forward(self, x):
        return self.outer(wf.sqrt(x)) + self.inner(x)


class Steep(nn.Module):
    """A value that is finite where its derivative is not."""

    def __init__(self):
        self.fc = nn.Linear(1, 1)

    def forward(self, x):
        return wf.sqrt(wf.abs(self.fc(x) * 0.0))


def data(bad=(7,), n=64):
    x = np.linspace(0.5, 2, n, dtype=np.float32)[:, None]
    x[list(bad)] = -1
    return x, x * 2


def fit(model, xy, **options):
    trainer = wf.Trainer(model, "mse", optim.SGD(1e-3))
    how = {"epochs": 3, "batch_size": 16, "shuffle": False, "verbose": False, **options}
    good = data(())
    return trainer, trainer.fit(xy, validation=good, **how)


@pytest.mark.parametrize("small", [4e9, 0], ids=["epochs", "batches"])
def test_the_layer_the_op_the_direction_and_the_rows_are_named(small, monkeypatch):
    monkeypatch.setattr(loop, "SMALL", small)
    xy = data((37, 39))
    trainer = wf.Trainer(Root(), "mse", optim.SGD(1e-3))
    # Measured on rows that are good, so that the training step is the first to meet the others.
    trainer.fit(data(()), epochs=1, batch_size=16, shuffle=False, verbose=False)
    before = [p.numpy().copy() for p in trainer.model.parameters()]
    _, run = fit(Root(), xy, nonfinite="skip")
    note = next(n for n in run.notes if "passed over" in n)
    assert "3 batches" in note
    assert all(np.isfinite(p).all() for p in before)


def test_a_backward_pass_that_breaks_is_told_from_a_forward_one():
    trainer, run = fit(Steep(), data(()), epochs=1)
    assert run.stopped == "diverged"
    [note] = [n for n in run.notes if "epoch 1, batch 1" in n]
    assert "backward" in note
    assert all(np.isfinite(p.numpy()).all() for p in trainer.model.parameters())


def test_raise_raises_with_the_same_words():
    with pytest.raises(NonFiniteError, match="backward"):
        fit(Steep(), data(()), epochs=1, nonfinite="raise")


def test_skipping_is_counted_and_capped():
    _, run = fit(Steep(), data(()), epochs=3, nonfinite="skip", most_skipped=5)
    assert run.stopped == "diverged"
    assert any("5 batches were passed over" in n for n in run.notes)


def test_a_batch_that_is_passed_over_changes_nothing():
    class Sudden(nn.Module):
        def __init__(self):
            self.fc, self.norm = nn.Linear(1, 1), nn.BatchNorm1d(1)

        def forward(self, x):
            return self.norm(self.fc(wf.where(x < 0, wf.nan, x)))

    x, y = data((40,))
    with_bad, without = Sudden(), Sudden()
    for a, b in zip(with_bad.parameters(), without.parameters(), strict=True):
        b.assign(a.detach())
    step = lambda model, batch: ((model(batch.x) - batch.y) ** 2).mean()
    how = {"epochs": 1, "batch_size": 16, "shuffle": False, "verbose": False}
    one = wf.Trainer(with_bad, step=step, optimizer=optim.Adam(1e-2))
    one.fit((x, y), nonfinite="skip", **how)
    rest = np.delete(np.arange(64), np.arange(32, 48))
    wf.Trainer(without, step=step, optimizer=optim.Adam(1e-2)).fit((x[rest], y[rest]), **how)
    for name, value in with_bad.state_dict().items():
        assert (value == without.state_dict()[name]).all(), name


def test_ignore_goes_on():
    _, run = fit(Steep(), data(()), epochs=2, nonfinite="ignore")
    assert (run.stopped, run.history.epochs) == ("epochs", 2)


def test_running_statistics_that_overflow_are_no_step():
    x = np.random.default_rng(0).standard_normal((64, 3)).astype(np.float32)
    x[5] = 1e30  # its square is beyond float32, the normalised value is not
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))
    run = wf.fit(
        model, (x, np.zeros(64, np.int64)), "cross_entropy", optim.SGD(1e-3), epochs=2, batch_size=16, verbose=False
    )
    assert run.stopped == "diverged"
    assert "inf made by and_running in model.1 (forward)" in run.notes[-1]
    assert np.isfinite(model[1].running_var.numpy()).all()


class Fragile(nn.Module):
    """A model that only measuring breaks, and only once it has moved."""

    def __init__(self):
        self.fc = nn.Linear(1, 1)
        self.before = nn.Buffer(self.fc.weight.numpy())

    def forward(self, x):
        y = self.fc(x)
        return y if self.training else y + wf.log(1.0 * (self.fc.weight == self.before)).sum()


@pytest.mark.parametrize("small", [4e9, 0], ids=["epochs", "batches"])
def test_a_measurement_that_is_not_finite_is_told_from_a_batch(small, monkeypatch):
    monkeypatch.setattr(loop, "SMALL", small)
    trainer = wf.Trainer(Fragile(), "mse", optim.SGD(1e-3))
    run = trainer.fit(data(()), epochs=2, batch_size=16, verbose=False)
    assert run.stopped == "diverged"
    assert run.notes[-1].startswith("after epoch 1: -inf made by log in model (forward, evaluation mode)")


def test_a_row_that_is_masked_as_a_whole_is_found_and_a_harmless_mask_is_not():
    x, mask = wf.tensor(np.ones((2, 2), np.float32)), wf.tensor(np.array([[True, True], [False, False]]))
    softmax = nn.functional.softmax
    found = first_nonfinite(lambda: softmax(wf.where(mask, x, float("-inf")), axis=1))
    assert (found.op, found.given) == ("softmax", False)
    zero, negative = wf.tensor(np.array([0.0, 1.0], np.float32)), wf.tensor(np.array([-1.0, 1.0], np.float32))
    assert first_nonfinite(lambda: wf.exp(wf.log(zero)).sum()) is None
    assert first_nonfinite(lambda: wf.exp(wf.log(zero)).sum() + wf.sqrt(negative).sum()).op == "sqrt"
    overflow = first_nonfinite(lambda: wf.exp(100 * x) / wf.exp(100 * x).sum())
    assert (overflow.op, overflow.value.dtype) == ("exp", np.float32)
    found = first_nonfinite(lambda: 2 * wf.tensor(np.array([np.nan, 1.0], np.float32)))
    assert (found.op, found.given) == ("multiply", True)


def test_looking_draws_no_random_number():
    wf.random.seed(0)
    first_nonfinite(lambda: wf.random.normal((2,)))
    seen = wf.random.normal((2,)).tolist()
    wf.random.seed(0)
    assert wf.random.normal((2,)).tolist() == seen


def test_sixteen_bits_are_told_as_numbers():
    value = first_nonfinite(lambda: wf.sqrt(wf.tensor(np.array([-1.0, 1.0], np.float32)).astype("bfloat16"))).value
    assert np.isnan(value).tolist() == [True, False]


@pytest.mark.parametrize("small", [4e9, 0], ids=["epochs", "batches"])
def test_rows_are_numbered_as_they_were_given(small, monkeypatch):
    monkeypatch.setattr(loop, "SMALL", small)
    chosen = wf.data.split(data(()), 0.25, seed=0).train
    sampled = sample_of(wf.data.as_dataset(np.arange(48)[:, None]), 16, seed=0).x[:, 0]
    place = next(k for k in range(48) if k not in sampled and chosen[k] != k)  # not measured before training
    x, y = data((chosen[place],))
    trainer = wf.Trainer(Root(), "mse", optim.SGD(1e-3))
    run = trainer.fit((x, y), validation=0.25, epochs=1, batch_size=16, shuffle=False, verbose=False)
    assert any(f"in row {chosen[place]} of" in note for note in run.notes)


def test_without_validation_the_last_good_weights_are_held():
    class Late(wf.Callback):
        def before_epoch(self, loop):
            if loop.epoch == 4:
                loop.model.fc.scale.assign(float("nan"))

    class Scaled(nn.Module):
        def __init__(self):
            self.fc = nn.Linear(1, 1)
            self.fc.scale = nn.Buffer(np.float32(1))

        def forward(self, x):
            return self.fc(x) * self.fc.scale

    model = Scaled()
    before = model.fc.weight.numpy().copy()
    run = wf.fit(model, data(()), "mse", optim.SGD(1e-2), callbacks=[Late()], epochs=9, batch_size=16, verbose=False)
    assert (run.stopped, run.held_epoch) == ("diverged", 4)
    assert (model.fc.weight.numpy() != before).all()
