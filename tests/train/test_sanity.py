"""Checks before training: what cannot learn is found, named by its layer, and left as it was."""

import numpy as np
import pytest

import weft as wf
from weft import nn, optim
from weft.data.dataset import as_dataset
from weft.train.firstbatch import first_checks, look_at
from weft.train.sanity import sanity_check, some_rows

pytestmark = pytest.mark.filterwarnings("ignore::weft.RecompileWarning")  # one line checks many models here
RNG = np.random.default_rng(0)
X = RNG.normal(size=(64, 4)).astype(np.float32)
Y = np.sin(X.sum(axis=1)).astype(np.float32)
LABELS = (X @ RNG.normal(size=(4, 3))).argmax(axis=1)


def mlp(*last, outputs=1, hidden=None):
    wf.random.seed(0)
    return nn.Sequential(nn.Linear(4, 8), hidden or nn.ReLU(), nn.Linear(8, outputs), *last)


def failed(found):
    return {check.name for check in found.checks if not check.ok}


class Cut(nn.Module):
    """Its first layer is cut off from the loss, and its third is not used."""

    def __init__(self):
        self.first, self.second, self.third = nn.Linear(4, 8), nn.Linear(8, 1), nn.Linear(8, 1)

    def forward(self, x):
        return self.second(self.first(x).detach())


def dead():
    made = mlp()
    made[0].bias.assign(wf.tensor(np.full(8, -100.0, np.float32)))
    return made


def broken():
    made = mlp()
    made[2].weight.assign(wf.tensor(np.full((1, 8), np.nan, np.float32)))
    return made


# ── sanity_check ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("model", "data", "loss"),
    [
        (lambda: mlp(nn.Dropout(0.9)), (X, Y), "mse"),
        (lambda: mlp(outputs=3), (X, LABELS), "cross_entropy"),
        (lambda: mlp(nn.LogSoftmax(-1), outputs=3), (X, LABELS), "nll"),
        (lambda: mlp(), (X, Y > 0), "binary_cross_entropy_with_logits"),
        (lambda: mlp(nn.Sigmoid()), (X, Y > 0), "binary_cross_entropy"),
        (lambda: nn.Linear(4, 3), (X, LABELS), "cross_entropy"),
    ],
)
def test_what_can_learn_passes(model, data, loss):
    found = sanity_check(model(), data, loss, steps=150)
    assert found.ok, str(found)
    assert found
    assert found.losses[-1] < found.losses[0]


@pytest.mark.parametrize(
    ("name", "words", "model", "data", "loss"),
    [
        ("last layer", "softmax", lambda: mlp(nn.Softmax(-1), outputs=3), (X, LABELS), "cross_entropy"),
        ("last layer", "sigmoid", lambda: mlp(nn.Sigmoid()), (X, Y > 0), "binary_cross_entropy_with_logits"),
        ("last layer", "relu", lambda: mlp(nn.ReLU()), (X, Y), "mse"),
        ("last layer", "relu", lambda: mlp(nn.ReLU(), outputs=3), (X, LABELS), "cross_entropy"),
        ("last layer", "log", lambda: mlp(outputs=3), (X, LABELS), "nll"),
        ("targets", "label 2", lambda: mlp(outputs=2), (X, LABELS), "cross_entropy"),
        ("inputs", "scale", lambda: mlp(hidden=nn.Tanh()), (X * 1e5, Y), "mse"),
        ("inputs", "same inputs", mlp, (np.ones_like(X), Y), "mse"),
        ("outputs", "same for every example", dead, (X, Y), "mse"),
        ("ReLUs", "model.1: 100%", dead, (X, Y), "mse"),
        ("gradients", "exactly zero: 0.weight, 0.bias, 2.weight", dead, (X, Y), "mse"),
        ("gradients", "no way to the loss: first.weight, first.bias, third.weight", Cut, (X, Y), "mse"),
        ("gradients", "NaN or infinite: ", broken, (X, Y), "mse"),
        ("learns", "not finite", broken, (X, Y), "mse"),
        ("first loss", "scale_target", mlp, (X, Y + 1000), "mse"),
    ],
)
def test_what_cannot_learn_is_named(name, words, model, data, loss):
    found = sanity_check(model(), data, loss, steps=20)
    assert not found.ok
    assert name in failed(found), str(found)
    assert words in found[name].words


def test_vanishing_gradients_are_named_by_layer():
    wf.random.seed(0)
    layers = [layer for _ in range(10) for layer in (nn.Linear(4, 4), nn.Sigmoid())]
    found = sanity_check(nn.Sequential(*layers, nn.Linear(4, 1)), (X, Y), "mse", steps=5)
    assert "vanishing: 0.weight" in found["gradients"].words


def test_it_prints_a_short_table():
    text = str(sanity_check(dead(), (X, Y), "mse", steps=5))
    assert text.splitlines()[0].startswith("✓ inputs")
    assert "✗ ReLUs" in text
    assert len(text.splitlines()) == 8


def test_the_model_and_the_generators_are_as_they_were():
    model = mlp(nn.BatchNorm1d(3), nn.Dropout(0.5), outputs=3)
    model.train()
    before = {path: value.copy() for path, value in model.state_dict().items()}
    wf.random.seed(3)
    opt = optim.Adam(0.1)
    sanity_check(model, (X, LABELS), "cross_entropy", steps=5, optimizer=opt)
    first_checks(model, "cross_entropy", (X, LABELS), 1.0)
    drawn = wf.random.normal(shape=(3,)).tolist()
    wf.random.seed(3)
    assert wf.random.normal(shape=(3,)).tolist() == drawn
    assert all(np.array_equal(value, before[path]) for path, value in model.state_dict().items())
    assert all(module.training for module in model.modules())
    assert all(p.requires_grad and p.grad is None for p in model.parameters())
    assert model[4].p == 0.5
    assert not opt.state.groups
    late = nn.Sequential(nn.Linear(8), nn.ReLU(), nn.Linear(1))
    sanity_check(late, (X, Y), "mse", steps=5)
    assert not late[0]._sized


def test_the_batch_holds_all_classes_and_is_always_the_same():
    y = np.zeros(400, int)
    y[[5, 17]] = 1, 2
    rows = some_rows(as_dataset((np.arange(400, dtype=np.float32)[:, None], y)), 8, 0)
    assert set(rows.y) == {0, 1, 2}
    again = some_rows(as_dataset((np.arange(400, dtype=np.float32)[:, None], y)), 8, 0)
    assert rows.x.tolist() == again.x.tolist()


@pytest.mark.parametrize("wrong", [{"steps": 0}, {"batch_size": 1}, {"fraction": 0}, {"fraction": 1.5}])
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(wf.WeftError):
        sanity_check(mlp(), (X, Y), "mse", **wrong)
    with pytest.raises(wf.WeftError, match="module"):
        sanity_check(wf.Trainer(mlp(), "mse"), (X, Y), "mse")


# ── look_at and first_checks ────────────────────────────────────────────────────────────────────────────────


def test_a_look_has_the_numbers_of_the_definitions():
    model, x, y = mlp(outputs=3), wf.tensor(X), wf.tensor(LABELS)
    found = look_at(model, "cross_entropy", X, LABELS)
    loss = nn.functional.cross_entropy(model(x), y)
    assert found.loss == pytest.approx(float(loss), rel=1e-6)
    for (path, p), norm in zip(model.named_parameters(), found.norms.values(), strict=True):
        assert norm == pytest.approx(np.linalg.norm(wf.gradients(loss, p).numpy()), rel=1e-5), path
    hidden = model[1](model[0](x)).numpy()
    assert found.dead == {"model.1": (hidden.max(axis=0) <= 0).mean()}
    out = model(x).numpy()
    assert (found.low, found.high) == pytest.approx((out.min(), out.max()))
    assert found.spread == pytest.approx(out.std(axis=0).max(), rel=1e-5)
    assert found.last == "linear"


def test_a_unit_of_an_image_is_a_channel():
    wf.random.seed(0)
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 4, 2))
    model[0].bias.assign(wf.tensor([-100.0, 1.0, 1.0, 1.0]))
    x = np.random.default_rng(0).normal(size=(8, 1, 4, 4)).astype(np.float32)
    assert look_at(model, "cross_entropy", x, np.arange(8) % 2).dead == {"model.1": 0.25}


def test_a_healthy_model_gets_no_note():
    assert first_checks(mlp(outputs=3), "cross_entropy", (X, LABELS), np.log(3)) == []
    assert first_checks(mlp(), "mse", (X, Y[:, None]), float(Y.var())) == []
    assert first_checks(mlp(nn.ReLU()), "mse", (X, np.abs(Y[:, None])), float(Y.var())) == []


@pytest.mark.parametrize(
    ("model", "loss", "sample", "baseline", "words"),
    [
        (mlp, "mse", (X, Y[:, None] + 50), 0.5, "that of a constant prediction 0.5"),
        (Cut, "mse", (X, Y[:, None]), 0.5, "no way leads from first.weight, first.bias, third.weight, third.bias"),
        (dead, "mse", (X, Y[:, None]), 0.5, "0.weight, 0.bias, 2.weight is exactly zero before training"),
        (mlp, "mse", (np.ones_like(X), Y[:, None]), 0.5, "all 64 examples looked at have the same inputs"),
        (mlp, "mse", (X * [1, 1, 0, 1], Y[:, None]), 0.5, "column 2"),
        (lambda: mlp(nn.Tanh()), "mse", (X, 3 * Y[:, None]), 4.5, "tanh as the last layer gives numbers in [-1, 1]"),
        (lambda: mlp(nn.ReLU(), nn.Flatten()), "mse", (X, Y[:, None]), 0.5, "numbers ≥ 0 only"),
        (lambda: mlp(nn.Tanh(), outputs=3), "cross_entropy", (X, LABELS), 1.1, "logits"),
    ],
)
def test_what_is_wrong_gets_a_sentence(model, loss, sample, baseline, words):
    x, y = (np.asarray(a, np.float32) if np.asarray(a).dtype.kind == "f" else a for a in sample)
    notes = first_checks(model(), loss, (x, y), baseline)
    assert len([note for note in notes if words in note]) == 1, notes


def test_it_is_one_program_whose_second_use_compiles_nothing():
    first_checks(mlp(outputs=3), "cross_entropy", (X, LABELS), 1.0)
    before = wf.explain().count
    first_checks(mlp(outputs=3), "cross_entropy", (X, LABELS), 1.0)
    assert wf.explain().count == before


def test_without_a_loss_it_is_the_usual_one_of_the_targets():
    x = np.random.default_rng(0).normal(size=(40, 4)).astype(np.float32)
    of_classes = wf.sanity_check(nn.Linear(3), (x, np.arange(40) % 3))
    assert of_classes["last layer"].words.endswith("as cross_entropy takes it")
    assert wf.sanity_check(nn.Linear(1), (x, x[:, 0]))["last layer"].words.endswith("as mse takes it")


def test_a_batch_of_one_class_is_no_measure_of_the_first_loss():
    x = np.random.default_rng(0).normal(size=(40, 4)).astype(np.float32)
    assert wf.sanity_check(nn.Sequential(nn.Linear(8), nn.Linear(3)), (20 * x, np.ones(40, int)))["first loss"].ok
