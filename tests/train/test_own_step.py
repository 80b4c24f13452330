"""A step of one's own: any loss, logs with names, several models with an optimizer each."""

import numpy as np
import pytest

import weft as wf
from weft import nn, optim
from weft.errors import ArgumentError

bce = nn.functional.binary_cross_entropy_with_logits


class Pair(nn.Module):
    """A generator of points, and a critic that tells them from real ones."""

    def __init__(self):
        self.generator = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 2))
        self.critic = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 1))


def adversarial(model, batch):
    made = model.generator(wf.random.normal((batch.x.shape[0], 2)))
    on_real, on_made, frozen = model.critic(batch.x), model.critic(made), model.critic(made.detach())
    critic = bce(on_real, wf.ones_like(on_real)) + bce(frozen, wf.zeros_like(frozen))
    distance = ((made.mean(axis=0) - batch.x.mean(axis=0)) ** 2).sum()
    return {"generator": bce(on_made, wf.ones_like(on_made)), "critic": critic}, {"distance": distance}


def points(n=256):
    return (np.random.default_rng(0).normal(size=(n, 2)) * 0.1 + [2, 1]).astype(np.float32)


def test_a_generator_learns_against_a_critic():
    wf.random.seed(0)
    both = {"generator": optim.Adam(2e-3), "critic": optim.Adam(2e-3)}
    trainer = wf.Trainer(Pair(), optimizer=both, step=adversarial)
    run = trainer.fit(points(512), epochs=60, batch_size=64, verbose=False)
    assert run.history.columns == ("loss", "distance", "last_loss", "train_loss", "train_distance")
    assert run.history["train_distance"][-1] < 0.2 < run.history["train_distance"][0]


def test_each_part_moves_by_its_own_loss_alone():
    def step(model, batch):
        return {"generator": model.generator(batch.x).sum() * 0, "critic": (model.critic(batch.x) ** 2).mean()}, {}

    model = Pair()
    before = model.state_dict()
    trainer = wf.Trainer(model, optimizer={"generator": optim.SGD(0.1), "critic": optim.SGD(0.1)}, step=step)
    trainer.fit(points(), epochs=1, batch_size=64, verbose=False, keep="last")
    for name, value in model.state_dict().items():
        assert (value == before[name]).all() == name.startswith("generator"), name


def test_a_step_of_ones_own_equals_the_built_in_one():
    def step(model, batch):
        scores = model(batch.x)
        hit = (scores.argmax(axis=1) == batch.y).astype("float32").mean()
        return nn.functional.cross_entropy(scores, batch.y), {"accuracy": hit}

    def run(**how):
        wf.random.seed(0)
        model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(8, 3))
        trainer = wf.Trainer(model, optimizer=optim.Adam(1e-2), **how)
        return trainer.fit(wf.data.iris(), validation=0.2, epochs=4, batch_size=16, verbose=False)

    own, built_in = run(step=step), run(loss="cross_entropy", metrics=["accuracy"])
    assert own.history.columns == built_in.history.columns
    np.testing.assert_allclose(own.history.rows, built_in.history.rows, rtol=1e-5)
    assert own.held_epoch == built_in.held_epoch


def test_logs_of_a_step_stand_beside_a_loss_and_its_metrics():
    step = lambda model, batch: (((model(batch.x) - batch.y) ** 2).mean(), {"size": (model.weight**2).sum()})
    x = points()
    trainer = wf.Trainer(nn.Linear(2, 1), "mse", optim.SGD(0.01), ["mae"], step=step)
    run = trainer.fit((x, x.sum(1)), validation=0.2, epochs=2, verbose=False)
    assert run.history.columns == (
        "loss", "size", "last_loss", "train_loss", "train_mae", "val_loss", "val_mae",
    )  # fmt: skip
    assert run.evidence.val_examples_last is not None


@pytest.mark.parametrize(
    ("step", "match"),
    [
        (lambda m, b: m.critic(b.x), "one loss"),
        (lambda m, b: {"critic": m.critic(b.x).mean()}, "'generator'"),
        (lambda m, b: {"generator": m.critic(b.x), "critic": m.critic(b.x).mean()}, "shape"),
        (lambda m, b: ({"generator": m.critic(b.x).mean(), "critic": m.critic(b.x).mean()}, [1]), "logs"),
    ],
)
def test_what_a_step_may_return_is_said(step, match):
    both = {"generator": optim.SGD(0.1), "critic": optim.SGD(0.1)}
    with pytest.raises(ArgumentError, match=match):
        wf.Trainer(Pair(), optimizer=both, step=step).fit(points(), epochs=1, verbose=False)


def test_an_optimizer_for_a_part_that_is_not_there_is_refused():
    with pytest.raises(ArgumentError, match="generator, critic"):
        wf.Trainer(Pair(), optimizer={"discriminator": optim.Adam()}, step=adversarial)
    with pytest.raises(ArgumentError, match="step"):
        wf.Trainer(Pair(), "mse", optimizer={"critic": optim.Adam()})


def test_evaluation_of_a_step_is_the_mean_over_examples_and_equals_the_last_row():
    step = lambda model, batch: (((model(batch.x) - batch.y) ** 2).mean(), {"bias": model.bias.sum()})
    x = np.random.default_rng(0).normal(size=(1500, 2)).astype(np.float32)
    y = x.sum(1, keepdims=True)
    trainer = wf.Trainer(nn.Linear(2, 1), optimizer=optim.SGD(0.01), step=step)
    run = trainer.fit((x, y), validation=(x[:1300], y[:1300]), epochs=2, verbose=False)
    found = trainer.evaluate((x[:1300], y[:1300]))
    assert found["loss"] == pytest.approx(run.history["val_loss"][run.held_epoch - 1], rel=1e-6)
    assert found["loss"] == pytest.approx(float(((trainer.predict(x[:1300]) - y[:1300]) ** 2).mean()), rel=1e-5)


def test_evaluation_before_and_after_a_fit_knows_the_logs():
    def step(model, batch):
        loss = ((model(batch.x) - batch.y) ** 2).mean()
        return loss, {"root": wf.sqrt(loss)}

    x = points(32)
    trainer = wf.Trainer(nn.Linear(2, 1), optimizer=optim.SGD(0.01), step=step)
    trainer.evaluate((x, x[:, :1]))
    trainer.fit((x, x[:, :1]), epochs=1, verbose=False)
    found = trainer.evaluate((x, x[:, :1]))
    assert found["root"] == pytest.approx(found["loss"] ** 0.5, rel=1e-5)


@pytest.mark.parametrize(
    ("logged", "told"),
    [
        ({"mine": wf.ones(2)}, r"'mine': of shape \(2,\)"),
        ({"mine": "text"}, "'mine': 'text'"),
        ({"mine": None}, "'mine': None"),
        ({3: 1.0}, "3: 1.0"),
    ],
)
def test_what_is_logged_is_one_number_with_a_name(logged, told):
    def step(model, batch):
        return nn.functional.cross_entropy(model(batch.x), batch.y), logged

    with pytest.raises(ArgumentError, match=f"the step logged {told}"):
        wf.Trainer(nn.Linear(3), step=step).fit(wf.data.iris(), epochs=1, verbose=False)
