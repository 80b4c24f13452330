"""Files that PyTorch wrote load strictly, and compute the same."""

import numpy as np
import pytest

import weft as wf
from weft import nn


def test_a_file_of_pytorch_loads_strictly(tmp_path):
    import torch
    from safetensors.torch import save_file

    def network(kind):
        return kind.Sequential(
            kind.Conv2d(3, 8, 3), kind.BatchNorm2d(8), kind.ReLU(), kind.Flatten(), kind.Linear(8 * 16, 5)
        )

    theirs = network(torch.nn)
    images = np.random.default_rng(0).normal(size=(4, 3, 6, 6)).astype(np.float32)
    theirs(torch.tensor(images))
    save_file(theirs.state_dict(), tmp_path / "cnn.safetensors")
    ours = network(nn)
    ours.load_state_dict(tmp_path / "cnn.safetensors")
    expected = theirs.eval()(torch.tensor(images)).detach().numpy()
    np.testing.assert_allclose(ours.eval()(images).numpy(), expected, rtol=1e-4, atol=1e-5)
    assert list(ours.state_dict()) == list(theirs.state_dict())


@pytest.mark.parametrize(
    ("ours", "theirs", "shape"),
    [
        (lambda k: k.LSTM(4, 3, num_layers=2, batch_first=True), lambda y: y[0], (2, 5, 4)),
        (lambda k: k.TransformerEncoderLayer(4, 2, 8, batch_first=True), lambda y: y, (2, 5, 4)),
    ],
    ids=["LSTM", "TransformerEncoderLayer"],
)
def test_recurrent_networks_and_transformers_of_pytorch(tmp_path, ours, theirs, shape):
    import torch
    from safetensors.torch import save_file

    make, first = ours, theirs
    peer, layer = make(torch.nn).eval(), make(nn).eval()
    save_file(peer.state_dict(), tmp_path / "state.safetensors")
    layer.load_state_dict(str(tmp_path / "state.safetensors"))
    x = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    expected = first(peer(torch.tensor(x))).detach().numpy()
    np.testing.assert_allclose(first(layer(wf.tensor(x))).numpy(), expected, rtol=1e-4, atol=1e-5)
