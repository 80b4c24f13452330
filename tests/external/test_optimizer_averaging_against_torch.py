"""Averages of weights compared with PyTorch."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.optim.test_averaging import gradient, start
from weft import optim

pytestmark = pytest.mark.filterwarnings("ignore:.* made .* programs:weft.RecompileWarning")


def test_averages_equal_pytorchs() -> None:
    tools = torch.optim.swa_utils
    w, v = start(), start()
    ema, swa = optim.EMA(optim.SGD(0.1), 0.9, start="copy"), optim.SWA(optim.SGD(0.1), start=2, every=2)
    layer = torch.nn.ParameterList([torch.nn.Parameter(torch.tensor(p.numpy())) for p in w])
    theirs = tools.AveragedModel(layer, multi_avg_fn=tools.get_ema_multi_avg_fn(0.9))
    equal = tools.AveragedModel(layer)
    for t in range(1, 8):
        grads = gradient(w, slice(0, 10))
        ema.update(w, grads)
        swa.update(v, gradient(v, slice(0, 10)))
        with torch.no_grad():
            for p, q in zip(layer, w, strict=True):
                p.copy_(torch.tensor(q.numpy()))
        theirs.update_parameters(layer)
        if t >= 2 and t % 2 == 0:
            equal.update_parameters(layer)
    for k, (a, b) in enumerate(zip(theirs.module, equal.module, strict=True)):
        np.testing.assert_allclose(ema.averages(w)[str(k)], a.detach().numpy(), rtol=1e-12)
        np.testing.assert_allclose(swa.averages(v)[str(k)], b.detach().numpy(), rtol=1e-12)
