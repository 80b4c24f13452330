"""Running statistics over several batches compared with PyTorch."""

import numpy as np
import pytest
import torch

import weft as wf
from tests.nn.test_normalization import BATCHES
from weft import nn


@pytest.mark.parametrize("options", [{}, {"momentum": 0.3}, {"momentum": None}, {"affine": False}, {"bias": False}])
def test_running_statistics_of_batches(options):
    same(nn.BatchNorm1d(4, **options), torch.nn.BatchNorm1d(4, **options))


def test_running_statistics_of_examples():
    options = {"affine": True, "track_running_stats": True, "momentum": 0.2}
    same(nn.InstanceNorm1d(4, **options), torch.nn.InstanceNorm1d(4, **options))


def test_without_running_statistics_evaluation_uses_the_batch_too():
    ours, theirs = (kind.BatchNorm1d(4, track_running_stats=False) for kind in (nn, torch.nn))
    same(ours, theirs)
    assert list(ours.state_dict()) == ["weight", "bias"]
    with pytest.raises(wf.errors.ShapeError, match="more than one value"):
        ours.eval()(wf.ones((1, 4)))


def same(ours, theirs):
    ours.load_state_dict(theirs.state_dict())
    for batch in BATCHES:
        y, ty = ours(wf.tensor(batch)), theirs(torch.tensor(batch))
        np.testing.assert_allclose(y.numpy(), ty.detach().numpy(), rtol=1e-4, atol=1e-5)
    for name, value in ours.state_dict().items():
        np.testing.assert_allclose(value, theirs.state_dict()[name].numpy(), rtol=1e-5, atol=1e-6, err_msg=name)
    x = BATCHES[0]
    expected = theirs.eval()(torch.tensor(x)).detach().numpy()
    np.testing.assert_allclose(ours.eval()(wf.tensor(x)).numpy(), expected, rtol=1e-4, atol=1e-5)
