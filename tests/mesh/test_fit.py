"""`fit` on a mesh gives the numbers of `fit` on one device."""

import numpy as np
import pytest

import weft as wf
from weft import nn, optim
from weft.errors import ArgumentError
from weft.train import loop

pytestmark = pytest.mark.filterwarnings("ignore::weft.RecompileWarning")  # one line makes a trainer for every test

MESH = wf.Mesh(data=4)
RNG = np.random.default_rng(0)
X = RNG.standard_normal((104, 6)).astype(np.float32)
Y = (X[:, 0] + X[:, 1] ** 2 > 0.5).astype(np.int64)


def fitted(mesh, rules=None, *, step=None, epochs=2, **how):
    wf.random.seed(0)
    model = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, 2))
    if rules:
        model.to(mesh, rules)
    loss = None if step else "cross_entropy"
    trainer = wf.Trainer(model, loss, optim.Adam(1e-2), step=step, mesh=mesh)
    how = {"validation": 0.2, "batch_size": 16, "verbose": False, **how}
    return trainer, trainer.fit((X, Y), epochs=epochs, **how)


def same(a, b):
    for p, q in zip(a.model.parameters(), b.model.parameters(), strict=True):
        np.testing.assert_allclose(p.numpy(), q.numpy(), rtol=1e-4, atol=1e-5)


def own(model, batch):
    loss = nn.functional.cross_entropy(model(batch.x), batch.y)
    return loss, {"twice": loss * 2}


@pytest.fixture(scope="module")
def alone():
    return fitted(None)


@pytest.mark.parametrize(
    ("mesh", "rules"),
    [
        (wf.Mesh(data=1), None),
        (MESH, None),
        (MESH, "data"),
        (wf.Mesh(data=2, model=2), {"0.weight": ("model", None), "0.bias": "model", "3.weight": (None, "model")}),
    ],
    ids=["one", "data parallel", "fully sharded", "tensor parallel"],
)
def test_the_weights_are_those_of_one_device(mesh, rules, alone):
    trainer, run = fitted(mesh, rules)
    same(trainer, alone[0])
    np.testing.assert_allclose(run.history["val_loss"], alone[1].history["val_loss"], rtol=1e-4)
    assert run.settings["devices"] == str(mesh)
    assert mesh.holds(trainer.model[0].weight.node.data)
    np.testing.assert_array_equal(trainer.predict(X), alone[0].predict(X))
    assert trainer.evaluate((X, Y))["loss"] == pytest.approx(alone[0].evaluate((X, Y))["loss"], rel=1e-4)


def test_what_the_optimizer_remembers_lies_as_its_parameters_do():
    wf.random.seed(0)
    model = nn.Linear(64, 512).to(MESH, "data")
    trainer = wf.Trainer(model, "mse", optim.Adam(1e-2), mesh=MESH)
    x = RNG.standard_normal((32, 64)).astype(np.float32)
    trainer.fit((x, np.zeros((32, 512), np.float32)), epochs=1, batch_size=16, verbose=False)
    assert model.weight.placement == ("data", None)
    slots = [s for s in trainer.state.groups[0].slots if s.shape == model.weight.shape]
    assert len(slots) == 2
    assert all(s.placement == ("data", None) for s in slots)
    assert trainer.course.best_weights["weight"].placement == ("data", None)


@pytest.mark.parametrize(
    "how",
    [{"pieces": 2}, {"augment": wf.augment.GaussianNoise(0.1)}, {"step": own}, {"batch_size": 64}],
    ids=["pieces", "augmented", "own step", "uneven last batch"],
)
def test_every_way_to_learn_from_a_batch_works_there(how):
    same(fitted(MESH, **how)[0], fitted(None, **how)[0])


def test_batches_launched_by_themselves_and_blocks_that_are_read(monkeypatch, alone):
    monkeypatch.setattr(loop, "SMALL", 0)
    same(fitted(MESH)[0], alone[0])

    def streamed(mesh):
        wf.random.seed(0)
        trainer = wf.Trainer(nn.Linear(6, 2), "cross_entropy", optim.SGD(0.1), mesh=mesh)
        trainer.fit(wf.data.Stream(lambda: zip(X, Y, strict=True)), epochs=1, batch_size=16, verbose=False)
        return trainer

    same(streamed(MESH), streamed(None))


def test_a_run_is_resumed_bit_for_bit_and_on_another_mesh(tmp_path):
    whole, _ = fitted(MESH, epochs=4)
    fitted(MESH, epochs=2, folder=tmp_path)
    resumed, _ = fitted(MESH, epochs=4, folder=tmp_path, resume=True)
    for p, q in zip(whole.model.parameters(), resumed.model.parameters(), strict=True):
        np.testing.assert_array_equal(p.numpy(), q.numpy())
    moved, _ = fitted(wf.Mesh(data=2, model=2), "model", epochs=5, folder=tmp_path, resume=True)
    assert moved.epoch == 5
    assert moved.model[0].weight.placement == ("model", None)


def test_what_makes_no_sense_is_refused_before_the_first_step():
    with pytest.raises(ArgumentError, match=r"batch_size=30 on mesh\(data=4\)[\s\S]*batch_size=32"):
        fitted(MESH, batch_size=30)
    with pytest.raises(ArgumentError, match=r'an axis "data"[\s\S]*wf.Mesh\(data=1, model=2\)'):
        wf.Trainer(nn.Linear(2), "mse", mesh=wf.Mesh(model=2))
    with pytest.raises(ArgumentError, match="mesh='gpu'"):
        wf.Trainer(nn.Linear(2), "mse", mesh="gpu")
