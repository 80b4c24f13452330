"""Attention compared with PyTorch: masks, other sizes, second derivatives."""

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch.nn.attention import SDPBackend, sdpa_kernel

import weft as wf
from tests.nn.test_attention import normal, ours
from weft import nn
from weft.nn import functional as F

pytestmark = pytest.mark.filterwarnings("ignore:.* made .* programs:weft.RecompileWarning")


def theirs(q, k, v, **options):
    """PyTorch's value and gradients, by its plain form."""
    inputs = [torch.from_numpy(x).requires_grad_() for x in (q, k, v)]
    with sdpa_kernel(SDPBackend.MATH):
        y = torch.nn.functional.scaled_dot_product_attention(*inputs, **options)
    return y.detach().numpy(), [g.numpy() for g in torch.autograd.grad((y * y).sum(), inputs)]


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    mask=st.sampled_from([None, "truth", "numbers", "causal"]),
    groups=st.sampled_from([1, 2]),
    others=st.sampled_from([3, 5]),
    scale=st.sampled_from([None, 0.3]),
)
def test_attention_is_pytorchs_plain_form(mask, groups, others, scale):
    q, k, v = normal(2, 4, 4, 6), normal(2, 4 // groups, others, 6, seed=1), normal(2, 4 // groups, others, 2, seed=2)
    options = {"scale": scale, "is_causal": mask == "causal"}
    given = None
    if mask == "truth":
        given = normal(2, 1, 4, others, seed=3) > 0
        given[0, 0, 1] = False  # a step that may look nowhere
    elif mask == "numbers":
        given = normal(4, others, seed=3)
        given[2] = -np.inf
    y, gradients = ours(q, k, v, attn_mask=given, **options)
    masks = {"attn_mask": None if given is None else torch.from_numpy(given), "enable_gqa": groups > 1}
    expected, wanted = theirs(q, k, v, **options, **masks)
    np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-6)
    for a, b in zip(gradients, wanted, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-5)
    if given is not None:
        assert (y[0, 0, 1 if mask == "truth" else 2] == 0).all()


def test_the_second_derivative_is_right():
    q, k, v = (normal(2, 3, 4, seed=s, dtype=np.float64) for s in range(3))
    mask = np.tril(np.ones((3, 3), bool))
    mask[1] = False
    inputs = [torch.from_numpy(x).requires_grad_() for x in (q, k, v)]
    with sdpa_kernel(SDPBackend.MATH):
        y = torch.nn.functional.scaled_dot_product_attention(*inputs, attn_mask=torch.from_numpy(mask))
    first = torch.autograd.grad((y**3).sum(), inputs, create_graph=True)
    second = torch.autograd.grad(sum((g**2).sum() for g in first), inputs)
    mine = [wf.tensor(x, requires_grad=True) for x in (q, k, v)]
    found = wf.gradients((F.scaled_dot_product_attention(*mine, mask) ** 3).sum(), mine)
    for a, b in zip(wf.gradients(sum((g**2).sum() for g in found), mine), second, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("weights", [True, False])
@pytest.mark.parametrize("options", [{}, {"kdim": 5, "vdim": 7}, {"add_bias_kv": True, "add_zero_attn": True}])
def test_multihead_attention_of_other_sizes_and_masks(options, weights):
    torch.manual_seed(0)
    peer = torch.nn.MultiheadAttention(8, 2, **options)
    layer = nn.MultiheadAttention(8, 2, **options)
    layer.load_state_dict(peer.state_dict())
    q, k, v = normal(4, 2, 8), normal(3, 2, peer.kdim, seed=1), normal(3, 2, peer.vdim, seed=2)
    padding = np.array([[False, False, True], [False, True, False]])
    mask = normal(4, 3, seed=3)
    y, shares = layer(q, k, v, padding, weights, mask, average_attn_weights=False)
    there = [torch.from_numpy(x) for x in (q, k, v)]
    additive = torch.zeros(2, 3).masked_fill(torch.from_numpy(padding), -torch.inf)
    expected, wanted = peer(*there, additive, weights, torch.from_numpy(mask), average_attn_weights=False)
    np.testing.assert_allclose(y.numpy(), expected.detach().numpy(), rtol=1e-4, atol=1e-5)
    assert (shares is None) == (wanted is None)
    if weights:
        np.testing.assert_allclose(shares.numpy(), wanted.detach().numpy(), rtol=1e-4, atol=1e-6)
