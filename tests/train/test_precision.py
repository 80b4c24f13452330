"""Calculations of 16 and 64 bits, batches in pieces, and losses that count unequally."""

import numpy as np
import pytest

import weft as wf
from weft import nn, optim
from weft.errors import ArgumentError
from weft.train.precision import FIRST_SCALE, GROWTH, LossScale

pytestmark = pytest.mark.filterwarnings("ignore::weft.runtime.explanation.RecompileWarning")  # many fits, one line


def fit(precision="f32", epochs=12, loss="cross_entropy", model=None, **options):
    wf.random.seed(0)
    model = model or nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 3))
    trainer = wf.Trainer(model, loss, optim.SGD(0.1), ["accuracy"], precision=precision)
    how = {"validation": 0.2, "batch_size": 16, "scale": "standard", "verbose": False, **options}
    return trainer, trainer.fit(wf.data.iris(), epochs=epochs, **how)


@pytest.mark.parametrize("name", ["bf16", "f16"])
def test_sixteen_bits_learn_what_thirty_two_learn_with_parameters_of_thirty_two(name):
    trainer, run = fit(name)
    _, exact = fit()
    assert {p.dtype.name for p in trainer.model.parameters()} == {"float32"}
    assert run.history["val_loss"][-1] == pytest.approx(exact.history["val_loss"][-1], rel=0.02)
    assert run.history["val_loss"] != exact.history["val_loss"]
    assert trainer.predict(wf.data.iris().x).dtype == np.int64


def test_sixty_four_bits_are_computed_in_sixty_four():
    trainer, run = fit("f64")
    assert {p.dtype.name for p in trainer.model.parameters()} == {"float64"}
    assert trainer.outputs(wf.data.iris().x).dtype == np.float64
    assert run.history["val_loss"][-1] == pytest.approx(fit()[1].history["val_loss"][-1], rel=1e-4)


def test_the_loss_scale_falls_at_an_overflow_and_grows_after_many_good_steps():
    scale = LossScale(used=True)
    assert bool(scale.note(wf.tensor(False)))
    assert float(scale.factor) == FIRST_SCALE / 2
    scale.good.assign(GROWTH - 1.0)
    assert not bool(scale.note(wf.tensor(True)))
    assert (float(scale.factor), float(scale.good)) == (FIRST_SCALE, 0.0)


def test_an_overflow_of_float16_is_passed_over_and_training_goes_on():
    x = np.full((64, 1), 200.0, np.float32)
    trainer = wf.Trainer(nn.Linear(1, 1), "mse", optim.SGD(1e-7), precision="f16")
    run = trainer.fit((x, x * 0.01), epochs=4, batch_size=32, verbose=False)
    assert run.stopped == "epochs"
    assert float(trainer.course.step.scale.factor) < FIRST_SCALE
    assert int(trainer.course.skipped) == 0


@pytest.mark.parametrize("pieces", [2, 3, 16])
def test_batches_in_pieces_move_the_parameters_as_whole_ones_do(pieces):
    whole, one = fit(epochs=2)
    cut, other = fit(epochs=2, pieces=pieces)
    for a, b in zip(whole.model.parameters(), cut.model.parameters(), strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=2e-5, atol=1e-6)
    np.testing.assert_allclose(one.history["loss"], other.history["loss"], rtol=1e-5)
    np.testing.assert_allclose(one.history["accuracy"], other.history["accuracy"], rtol=1e-6)


def test_pieces_of_unequal_weight_are_put_together_as_the_loss_weighs_them():
    loss = nn.CrossEntropyLoss(weight=[1.0, 5.0, 0.2], ignore_index=2)
    whole, _ = fit(epochs=2, loss=loss)
    cut, _ = fit(epochs=2, loss=loss, pieces=5)
    for a, b in zip(whole.model.parameters(), cut.model.parameters(), strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=2e-5, atol=1e-6)


def test_unknown_precisions_and_pieces_are_refused():
    with pytest.raises(ArgumentError, match="bf16"):
        wf.Trainer(nn.Linear(1), "mse", precision="bf61")
    with pytest.raises(ArgumentError, match="pieces"):
        fit(pieces=0)


def test_an_overflow_of_float16_changes_nothing_even_where_numbers_are_ignored():
    x = np.full((64, 1), 200.0, np.float32)
    trainer = wf.Trainer(nn.Linear(1, 1), "mse", optim.SGD(1e-7), precision="f16")
    trainer.fit((x, x * 0.01), epochs=4, batch_size=32, nonfinite="ignore", verbose=False)
    assert float(trainer.course.step.scale.factor) < FIRST_SCALE
    assert np.isfinite(trainer.model.weight.numpy()).all()


def test_data_of_64_bits_is_evaluated_and_predicted_in_64():
    x = (1 + np.arange(32)[:, None] * 1e-9).astype(np.float64)
    trainer = wf.Trainer(nn.Linear(1, 1), "mse", precision="f64")
    trainer.fit((x, x), epochs=1, verbose=False)
    assert len(np.unique(trainer.outputs(x))) == 32


def test_losses_of_64_bits_are_counted_in_64_bits():
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((48, 3)), rng.standard_normal((48, 1))
    model = nn.Linear(3, 1)
    trainer = wf.Trainer(model, "mse", optim.SGD(0.1), precision="f64")
    w, b = (p.numpy().astype(np.float64) for p in model.parameters())
    run = trainer.fit((x, y), (x, y), epochs=1, batch_size=16, shuffle=False, verbose=False)
    losses = []
    for part, target in zip(x.reshape(3, 16, 3), y.reshape(3, 16, 1), strict=True):
        error = part @ w.T + b - target
        losses.append((error**2).mean())
        w, b = w - 0.2 * error.T @ part / 16, b - 0.2 * error.mean(axis=0)
    row = run.history.row(1)
    np.testing.assert_allclose(row["loss"], np.mean(losses), rtol=1e-12)
    np.testing.assert_allclose(row["val_loss"], ((x @ w.T + b - y) ** 2).mean(), rtol=1e-12)
