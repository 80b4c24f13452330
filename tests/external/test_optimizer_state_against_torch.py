"""Optimizers' states compared with PyTorch."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.optim.test_state import gradients, start
from weft import optim

pytestmark = pytest.mark.filterwarnings("ignore:.* made .* programs:weft.RecompileWarning")


def test_parameters_that_come_later_count_their_own_steps() -> None:
    w, opt = start(), optim.Adam(0.1)
    v = [torch.nn.Parameter(torch.tensor(p.numpy())) for p in w]
    reference = torch.optim.Adam(v, 0.1)
    for k, members in enumerate([(0, 1), (0, 1), (0, 1, 2), (2,), (0, 2), (0, 1, 2)]):
        grads = gradients(k)
        reference.zero_grad()
        for m in members:
            v[m].grad = torch.tensor(grads[m].numpy())
        reference.step()
        opt.update([w[m] for m in members], [grads[m] for m in members])
    for p, q in zip(w, v, strict=True):
        np.testing.assert_allclose(p.numpy(), q.detach().numpy(), rtol=1e-5, atol=1e-7)
    assert [int(opt.state_dict(w)[f"{k}/steps"]) for k in range(3)] == [5, 4, 4]
