"""Layers and losses compute what PyTorch's do, forward and backward, with the same weights."""

import numpy as np
import pytest
import torch

import weft as wf
from weft import nn
from weft.nn import functional as F

pytestmark = [
    pytest.mark.filterwarnings("ignore:.* made .* programs:weft.RecompileWarning"),  # one line calls every layer
    pytest.mark.filterwarnings("ignore:Using padding='same'"),
]
T = torch.nn
f = T.functional

random = np.random.default_rng(0)
ROWS = random.normal(size=(4, 6)).astype(np.float32)
SIGNAL = random.normal(size=(2, 4, 8)).astype(np.float32)
IMAGE = random.normal(size=(2, 4, 6, 6)).astype(np.float32)

PAIRS = {
    "linear": (nn.Linear(6, 3), T.Linear(6, 3), ROWS),
    "linear of many axes": (nn.Linear(8, 3, bias=False), T.Linear(8, 3, bias=False), SIGNAL),
    "conv1d": (nn.Conv1d(4, 3, 3, stride=2, padding=1), T.Conv1d(4, 3, 3, stride=2, padding=1), SIGNAL),
    "conv2d same": (nn.Conv2d(4, 6, (3, 2), padding="same"), T.Conv2d(4, 6, (3, 2), padding="same"), IMAGE),
    "conv2d dilated in groups": (
        nn.Conv2d(4, 6, 3, stride=(2, 1), padding=(1, 2), dilation=2, groups=2),
        T.Conv2d(4, 6, 3, stride=(2, 1), padding=(1, 2), dilation=2, groups=2),
        IMAGE,
    ),
    "conv3d": (nn.Conv3d(2, 3, 2), T.Conv3d(2, 3, 2), IMAGE.reshape(1, 2, 4, 6, 6)),
    "max pool": (nn.MaxPool2d(3, stride=2, padding=1), T.MaxPool2d(3, stride=2, padding=1), IMAGE),
    "average pool": (nn.AvgPool2d(3, 2, 1), T.AvgPool2d(3, 2, 1), IMAGE),
    "average pool without pads": (
        nn.AvgPool1d(2, padding=1, count_include_pad=False),
        T.AvgPool1d(2, padding=1, count_include_pad=False),
        SIGNAL,
    ),
    "adaptive pool": (nn.AdaptiveAvgPool2d((2, 3)), T.AdaptiveAvgPool2d((2, 3)), IMAGE),
    "batch norm": (nn.BatchNorm1d(6), T.BatchNorm1d(6), ROWS),
    "batch norm of signals": (nn.BatchNorm1d(4, momentum=None), T.BatchNorm1d(4, momentum=None), SIGNAL),
    "batch norm of images": (nn.BatchNorm2d(4, affine=False), T.BatchNorm2d(4, affine=False), IMAGE),
    "layer norm": (nn.LayerNorm(6), T.LayerNorm(6), ROWS),
    "layer norm of two axes": (nn.LayerNorm((6, 6), bias=False), T.LayerNorm((6, 6), bias=False), IMAGE),
    "rms norm": (nn.RMSNorm(6, eps=1e-5), T.RMSNorm(6, eps=1e-5), ROWS),
    "group norm": (nn.GroupNorm(2, 4), T.GroupNorm(2, 4), IMAGE),
    "flatten": (nn.Flatten(), T.Flatten(), IMAGE),
    "unflatten": (nn.Unflatten(1, (2, 3)), T.Unflatten(1, (2, 3)), ROWS),
    "relu": (nn.ReLU(), T.ReLU(), ROWS),
    "leaky relu": (nn.LeakyReLU(0.2), T.LeakyReLU(0.2), ROWS),
    "elu": (nn.ELU(0.5), T.ELU(0.5), ROWS),
    "selu": (nn.SELU(), T.SELU(), ROWS),
    "gelu": (nn.GELU(), T.GELU(), ROWS),
    "gelu by tanh": (nn.GELU("tanh"), T.GELU("tanh"), ROWS),
    "silu": (nn.SiLU(), T.SiLU(), ROWS),
    "sigmoid": (nn.Sigmoid(), T.Sigmoid(), ROWS),
    "tanh": (nn.Tanh(), T.Tanh(), ROWS),
    "softplus": (nn.Softplus(2.0), T.Softplus(2.0), ROWS),
    "hardtanh": (nn.Hardtanh(-0.5, 0.7), T.Hardtanh(-0.5, 0.7), ROWS),
    "softmax": (nn.Softmax(1), T.Softmax(1), SIGNAL),
    "log softmax": (nn.LogSoftmax(), T.LogSoftmax(-1), ROWS),
}


def close(ours, theirs, what=""):
    np.testing.assert_allclose(ours.numpy(), theirs.detach().numpy(), rtol=1e-5, atol=2e-6, err_msg=what)


@pytest.mark.parametrize("name", PAIRS)
def test_layer(name):
    ours, theirs, data = PAIRS[name]
    with torch.no_grad():
        for p in theirs.parameters():
            p.uniform_(-1, 1)
    ours.load_state_dict(theirs.state_dict())
    assert list(ours.state_dict()) == list(theirs.state_dict())
    x, tx = wf.tensor(data, requires_grad=True), torch.tensor(data, requires_grad=True)
    y, ty = ours(x), theirs(tx)
    weights = np.linspace(-1, 1, y.size, dtype=np.float32).reshape(y.shape)
    (y * wf.tensor(weights)).sum().backward()
    (ty * torch.tensor(weights)).sum().backward()
    close(y, ty)
    close(x.grad, tx.grad, "input")
    for (path, p), (_, tp) in zip(ours.named_parameters(), theirs.named_parameters(), strict=True):
        close(p.grad, tp.grad, path)
    for (path, b), (_, tb) in zip(ours.named_buffers(), theirs.named_buffers(), strict=True):
        close(b, tb, path)
    if list(ours.named_buffers()):
        close(ours.eval()(x), theirs.eval()(tx), "evaluation")


LOGITS = random.normal(size=(5, 3)).astype(np.float32) * 3
LABELS = np.array([0, 2, 1, 1, 0])
SOFT = random.dirichlet(np.ones(3), 5).astype(np.float32)
WEIGHT = np.array([0.5, 2.0, 1.0], np.float32)
BITS = (random.random((5, 3)) > 0.5).astype(np.float32)
POINTS = random.normal(size=(5, 3)).astype(np.float32) * 2

LOSSES = {
    "labels": (F.cross_entropy, f.cross_entropy, LOGITS, LABELS, {}),
    "labels weighted": (F.cross_entropy, f.cross_entropy, LOGITS, LABELS, {"weight": WEIGHT}),
    "labels smoothed": (F.cross_entropy, f.cross_entropy, LOGITS, LABELS, {"label_smoothing": 0.1}),
    "labels weighted, smoothed, some ignored": (
        F.cross_entropy,
        f.cross_entropy,
        LOGITS,
        np.where(LABELS == 2, -100, LABELS),
        {"weight": WEIGHT, "label_smoothing": 0.2},
    ),
    "probabilities": (F.cross_entropy, f.cross_entropy, LOGITS, SOFT, {}),
    "probabilities weighted and smoothed": (
        F.cross_entropy,
        f.cross_entropy,
        LOGITS,
        SOFT,
        {"weight": WEIGHT, "label_smoothing": 0.1},
    ),
    "labels of pixels": (F.cross_entropy, f.cross_entropy, IMAGE, random.integers(0, 4, (2, 6, 6)), {}),
    "one example": (F.cross_entropy, f.cross_entropy, LOGITS[0], np.array(2), {}),
    "huge logits": (F.cross_entropy, f.cross_entropy, LOGITS * 1e4, LABELS, {}),
    "nll": (F.nll_loss, f.nll_loss, -np.abs(LOGITS), LABELS, {"weight": WEIGHT}),
    "binary": (F.binary_cross_entropy, f.binary_cross_entropy, SOFT, BITS, {"weight": WEIGHT}),
    "binary at the ends": (F.binary_cross_entropy, f.binary_cross_entropy, BITS, 1 - BITS, {}),
    "binary logits": (
        F.binary_cross_entropy_with_logits,
        f.binary_cross_entropy_with_logits,
        LOGITS * 50,
        BITS,
        {},
    ),
    "binary logits weighted": (
        F.binary_cross_entropy_with_logits,
        f.binary_cross_entropy_with_logits,
        LOGITS,
        SOFT,
        {"weight": WEIGHT, "pos_weight": WEIGHT[::-1].copy()},
    ),
    "squared": (F.mse_loss, f.mse_loss, LOGITS, POINTS, {}),
    "absolute": (F.l1_loss, f.l1_loss, LOGITS, POINTS, {}),
    "huber": (F.huber_loss, f.huber_loss, LOGITS, POINTS, {"delta": 1.5}),
    "smooth": (F.smooth_l1_loss, f.smooth_l1_loss, LOGITS, POINTS, {"beta": 0.5}),
}


@pytest.mark.parametrize("name", LOSSES)
def test_loss(name):
    ours, theirs, prediction, target, options = LOSSES[name]
    for reduction in ("mean", "sum", "none"):
        x, tx = wf.tensor(prediction, requires_grad=True), torch.tensor(prediction, requires_grad=True)
        given = {k: wf.tensor(v) if isinstance(v, np.ndarray) else v for k, v in options.items()}
        theirs_given = {k: torch.tensor(v) if isinstance(v, np.ndarray) else v for k, v in options.items()}
        y = ours(x, wf.tensor(target), reduction=reduction, **given)
        ty = theirs(tx, torch.tensor(target), reduction=reduction, **theirs_given)
        if reduction != "none":
            y.backward()
            ty.backward()
            if name != "binary at the ends":  # PyTorch's derivative there is 1e12, ours that of the held logarithm
                close(x.grad, tx.grad, f"gradient, {reduction}")
        close(y, ty, reduction)


def test_a_stateful_layer_follows_pytorch_over_several_batches():
    ours, theirs = nn.BatchNorm1d(6), T.BatchNorm1d(6)
    for k in range(3):
        ours(wf.tensor(ROWS * (k + 1)))
        theirs(torch.tensor(ROWS * (k + 1)))
    close(ours.running_mean, theirs.running_mean)
    close(ours.running_var, theirs.running_var)
    assert int(ours.num_batches_tracked) == 3


def test_an_embedding_adds_the_gradients_of_repeated_rows():
    ours, theirs = nn.Embedding(5, 3), T.Embedding(5, 3)
    ours.load_state_dict(theirs.state_dict())
    at = np.array([[1, 4, 1], [0, 1, 2]])
    y, ty = ours(wf.tensor(at)), theirs(torch.tensor(at))
    (y * y).sum().backward()
    (ty * ty).sum().backward()
    close(y, ty)
    close(ours.weight.grad, theirs.weight.grad)
