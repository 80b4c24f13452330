"""Files: every layer comes back as it was."""

import numpy as np
import pytest

import weft as wf
from tests.nn.samples import SAMPLES
from weft import nn
from weft.train.saving import load_saved


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_a_layer_comes_back_with_its_state(name, tmp_path):
    sample = SAMPLES[name]
    layer = sample.make()
    model = layer if sample.more else nn.Sequential(layer)
    model(*sample.inputs())
    path = wf.save(model, tmp_path / "model.weft")
    again = wf.load(path)
    assert repr(again) == repr(model)
    for (key, a), (other, b) in zip(model.state_dict().items(), again.state_dict().items(), strict=True):
        assert key == other
        assert a.shape == b.shape
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)


def test_a_run_leaves_everything_to_predict_with(tmp_path):
    model = nn.Sequential(nn.Linear(8), nn.ReLU(), nn.Linear(3))
    trainer = wf.Trainer(model, "cross_entropy", metrics=["accuracy"])
    data = wf.data.iris()
    trainer.fit(data, validation=0.2, epochs=6, scale="standard", folder=tmp_path / "run", verbose=False)
    names = {p.name for p in (tmp_path / "run").iterdir()}
    assert names == {
        "model.weft",
        "history.csv",
        "run.json",
        "evidence.json",
        "diagnosis.json",
        "report.html",
        "checkpoints",
    }
    saved = load_saved(tmp_path / "run" / "model.weft")
    saved.model.eval()
    outputs = saved.model(wf.tensor(saved.scaler.apply(data.x))).numpy()
    np.testing.assert_allclose(outputs, trainer.outputs(data.x), rtol=1e-5, atol=1e-6)
    assert saved.classes == data.classes


def test_a_run_with_more_outputs_than_classes_is_written(tmp_path):
    trainer = wf.Trainer(nn.Linear(4, 10), "cross_entropy", wf.optim.SGD(1e-6))
    trainer.model.bias.assign(100.0 * np.eye(10, dtype=np.float32)[7])
    run = trainer.fit(wf.data.iris(), validation=0.2, epochs=1, folder=tmp_path, verbose=False)
    assert (trainer.predict(wf.data.iris().x) > 2).any()
    assert run.held_epoch == 1


def test_an_unknown_extra_is_refused_and_a_garbled_description_too(tmp_path):
    with pytest.raises(TypeError, match="clases"):
        wf.save(nn.Linear(2, 1), tmp_path / "a.weft", clases=("a",))
