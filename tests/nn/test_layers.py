"""What the layers of convolution, pooling, padding, activation and arrangement refuse, and how they are written."""

import numpy as np
import pytest

import weft as wf
from weft import nn
from weft.errors import ArgumentError, DataError, ShapeError
from weft.nn import functional as F


@pytest.mark.parametrize(
    ("make", "range_"),
    [
        (lambda: nn.Conv2d(3, 4, 3, padding_mode="mirror"), "'zeros', 'reflect', 'replicate', 'circular'"),
        (lambda: nn.ConvTranspose1d(3), "(in_channels, out_channels, kernel_size)"),
        (lambda: nn.ConvTranspose2d(3, 4, 3, padding="same"), "whole numbers"),
        (lambda: nn.ConvTranspose2d(3, 4, 3, output_padding=1), "less than the stride"),
        (lambda: nn.ConvTranspose2d(4, 3, 3, groups=2), "groups that divide out_channels"),
        (lambda: nn.MaxPool3d((2, 2)), "one number, or 3"),
        (lambda: nn.MaxPool2d(2, dilation=0), "≥ 1"),
        (lambda: nn.AvgPool3d(2, padding=2), "half the window"),
        (lambda: nn.AvgPool2d(2, divisor_override=0), "> 0"),
        (lambda: nn.LPPool1d(-1, 2), "p > 0"),
        (lambda: nn.AdaptiveMaxPool2d(0), "≥ 1"),
        (lambda: nn.FractionalMaxPool2d(2), "one of the two"),
        (lambda: nn.FractionalMaxPool3d(2, ratio=1.5), "0 < ratio < 1"),
        (lambda: nn.ZeroPad2d((1, 2, 3)), "4 of them"),
        (lambda: nn.ConstantPad1d(0.5, 1.0), "a whole number"),
        (lambda: nn.Bilinear(3, 4), "one or three sizes"),
        (lambda: nn.Upsample(), "one of the two"),
        (lambda: nn.Upsample(scale_factor=-1), "> 0"),
        (lambda: nn.Upsample(2, mode="cubic"), "'bicubic'"),
        (lambda: nn.PixelShuffle(0), "≥ 1"),
        (lambda: nn.Unfold((1, 2, 3)), "2 of them"),
        (lambda: nn.PairwiseDistance(p=-1), "p ≥ 0"),
        (lambda: nn.CosineSimilarity(eps=0), "eps > 0"),
        (lambda: nn.GLU(activation="swish"), "one of gelu"),
        (lambda: nn.RReLU(0.5, 0.1), "lower ≤ upper"),
        (lambda: nn.Softshrink(-1.0), "size ≥ 0"),
        (lambda: nn.CELU(0.0), "alpha > 0"),
        (lambda: nn.PReLU(0), "≥ 1"),
    ],
)
def test_arguments_out_of_range_are_refused_with_the_range(make, range_):
    with pytest.raises(ArgumentError) as caught:
        make()
    assert range_ in caught.value.expected


@pytest.mark.parametrize(
    ("layer", "shape", "parts"),
    [
        (nn.ConvTranspose2d(3, 4, 3), (2, 5, 8, 8), ["axis 1 has size 5", "takes 3 channels"]),
        (nn.ConvTranspose1d(3, 3), (2, 8), ["3 axes", "(N, channels, length)"]),
        (nn.ConvTranspose1d(1, 2, 1, padding=1), (1, 1, 2), ["less padding"]),
        (nn.Conv2d(4, 3, 3), (5, 6, 6), ["3 axes", "expand_dims"]),
        (nn.Conv2d(4, 3, 3, padding=6, padding_mode="reflect"), (1, 4, 6, 6), ["axis 2", "at most 5"]),
        (nn.MaxPool3d(2), (4, 4), ["(N, channels, depth, height, width)", "without N"]),
        (nn.AvgPool2d(5), (1, 1, 4, 4), ["does not fit", "smaller window"]),
        (nn.AdaptiveAvgPool1d(2), (3,), ["(N, channels, length)"]),
        (nn.FractionalMaxPool2d(3, 4), (1, 1, 5, 8), ["size + window"]),
        (nn.GlobalMaxPool(), (2, 3), ["(N, channels, *spatial)"]),
        (nn.ReflectionPad1d(3), (1, 2, 3), ["axis 2", "at most 2"]),
        (nn.ZeroPad3d(1), (3, 3), ["without N"]),
        (nn.PixelShuffle(2), (1, 6, 2, 2), ["divisible by 4"]),
        (nn.ChannelShuffle(4), (1, 6, 2), ["a divisor"]),
        (nn.Upsample(2, mode="bilinear"), (1, 2, 3), ['mode="linear"']),
        (nn.UpsamplingNearest2d(2), (1, 2, 3), ["(N, C, height, width)"]),
        (nn.Unfold(3), (1, 1, 2, 2), ["does not fit"]),
        (nn.Fold(4, 2), (1, 4, 4), ["(N, channels · 4, 9)"]),
        (nn.Unflatten(1, (4, -1)), (2, 6), ["axis 1 of size 6"]),
        (nn.GLU(), (2, 3), ["even size"]),
        (nn.PReLU(3), (2, 4), ["(1,) or (4,)"]),
        (nn.Softmax2d(), (2, 4), ["(N, C, height, width)"]),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, nn.Module) else "",
)
def test_wrong_shapes_name_the_layer_and_what_it_takes(layer, shape, parts):
    with pytest.raises(wf.errors.WeftError) as caught:
        layer(wf.zeros(shape))
    for part in [*parts, f"in {type(layer).__name__}"]:
        assert part in str(caught.value)


def test_two_inputs_that_do_not_belong_together():
    with pytest.raises(ShapeError, match="same leading axes"):
        nn.Bilinear(3, 4, 5)(wf.zeros((2, 3)), wf.zeros((1, 4)))
    y, at = nn.MaxPool1d(2, return_indices=True)(wf.ones((1, 1, 6)))
    with pytest.raises(ShapeError, match="less than a stride"):
        nn.MaxUnpool1d(2)(y, at, output_size=9)
    with pytest.raises(DataError, match="positions from"):
        nn.MaxUnpool1d(2)(y, wf.tensor(at.numpy() + 10))


def test_the_size_of_a_transposed_convolution_is_chosen_within_a_stride():
    layer, x = nn.ConvTranspose1d(2, 3, 3, stride=3), wf.zeros((1, 2, 4))
    assert [layer(x, output_size=n).shape[-1] for n in (12, 13, 14)] == [12, 13, 14]
    with pytest.raises(ShapeError, match=r"from \(12,\) to \(14,\)"):
        layer(x, output_size=15)


def test_sizes_in_a_call_may_be_a_list():
    layer, x = nn.ConvTranspose2d(2, 3, 3, stride=2), wf.zeros((1, 2, 4, 4))
    assert layer(x, output_size=[9, 10]).shape == layer(x, [9, 10]).shape == (1, 3, 9, 10)
    y, at = nn.MaxPool1d(2, return_indices=True)(wf.ones((1, 1, 5)))
    assert nn.MaxUnpool1d(2)(y, at, output_size=[5]).shape == (1, 1, 5)
    with pytest.raises(ArgumentError, match=r"\(9.5, 10.0\)"):
        layer(x, output_size=[9.5, 10])


@pytest.mark.parametrize("stride", [1, 2])
def test_a_transposed_convolution_of_no_examples(stride):
    layer = nn.ConvTranspose3d(4, 6, 3, stride=stride)
    x = wf.zeros((0, 4, 5, 4, 3)).requires_grad_()
    y = layer(x)
    assert y.tolist() == []
    assert y.shape == nn.ConvTranspose3d(4, 6, 3, stride=stride)(wf.zeros((1, 4, 5, 4, 3)))[:0].shape
    y.sum().backward()
    assert x.grad.shape == x.shape
    assert not layer.weight.grad.numpy().any()


@pytest.mark.parametrize("dtype", [wf.float16, wf.bfloat16])
@pytest.mark.parametrize(
    "layer", [nn.GELU(), nn.GELU("tanh"), nn.SiLU(), nn.Mish(), nn.ELU(), nn.CELU(), nn.Hardswish()]
)
def test_small_values_of_activations_survive_sixteen_bits(layer, dtype):
    x = wf.tensor(np.linspace(-6, 6, 200).astype(np.float32)).astype(dtype)
    found = []
    for to in (dtype, wf.float64):
        at = x.astype(to).requires_grad_()
        y = layer(at)
        y.sum().backward()
        found.append([t.numpy().astype(float) for t in (y, at.grad)])
    for rounded, exact in zip(*found, strict=True):
        np.testing.assert_allclose(rounded, exact, rtol=0.01, atol=1e-4)


@pytest.mark.parametrize(
    ("layer", "shape", "result"),
    [
        (nn.GlobalMaxPool(), (0, 3, 4), (0, 3)),
        (nn.Unflatten(1, (2, -1)), (0, 4), (0, 2, 2)),
        (nn.Unflatten(1, (0, 3)), (2, 0), (2, 0, 3)),
        (nn.GRU(3, 4, 2, bidirectional=True), (5, 0, 3), (5, 0, 8)),
        (nn.LSTM(3, 4, batch_first=True), (0, 5, 3), (0, 5, 4)),
        (nn.TransformerEncoderLayer(4, 2, 8, batch_first=True), (0, 5, 4), (0, 5, 4)),
        (nn.CausalDecoderBlock(4, 2), (0, 5, 4), (0, 5, 4)),
        (nn.PositionalEncoding(4), (0, 5, 4), (0, 5, 4)),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, nn.Module) else "",
)
def test_no_examples_give_no_results_and_gradients_of_zero(layer, shape, result):
    x = wf.zeros(shape).requires_grad_()
    y = layer(x)
    y = y[0] if isinstance(y, tuple) else y
    assert y.numpy().shape == result
    y.sum().backward()
    assert x.grad.numpy().shape == shape
    assert not any(p.grad is not None and p.grad.numpy().any() for p in layer.parameters())


def test_layers_learn_their_channels_from_a_batch():
    assert nn.ConvTranspose2d(6, 3).build((1, 4, 5, 5)).weight.shape == (4, 6, 3, 3)
    assert nn.Bilinear(3).build((2, 4), (2, 5)).weight.shape == (3, 4, 5)
    with pytest.raises(ShapeError, match="3 axes"):
        nn.ConvTranspose2d(6, 3)(wf.zeros((4, 5, 5)))


@pytest.mark.parametrize(
    ("layer", "shape", "weight"),
    [
        (lambda: nn.Linear(None, 5), (2, 4), (5, 4)),
        (lambda: nn.Conv2d(None, 5, 3), (2, 4, 6, 6), (5, 4, 3, 3)),
        (lambda: nn.ConvTranspose1d(None, 5, 3), (2, 4, 6), (4, 5, 3)),
    ],
)
def test_a_size_that_is_none_is_learned_too(layer, shape, weight):
    made = layer()
    made(wf.zeros(shape))
    assert made.weight.shape == weight


def test_first_values_have_the_spread_of_pytorchs():
    for layer, fan in ((nn.ConvTranspose2d(8, 16, 3), 16 * 9), (nn.Bilinear(25, 7, 40), 25)):
        bound = 1 / np.sqrt(fan)
        assert 0.95 * bound < np.abs(layer.weight.numpy()).max() <= bound
        assert np.abs(layer.bias.numpy()).max() <= bound


def test_rrelu_draws_slopes_in_training_only():
    wf.random.seed(0)
    layer, x = nn.RReLU(0.2, 0.4), -wf.ones((1000,))
    slopes = -layer(x).numpy()
    assert slopes.min() >= 0.2
    assert slopes.max() < 0.4
    assert abs(slopes.mean() - 0.3) < 0.01
    np.testing.assert_allclose(layer.eval()(x).numpy(), -0.3, rtol=1e-6)


def test_gates():
    x = wf.tensor(np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32))
    a, b = x[:, :2], x[:, 2:]
    for name, gate in {"silu": F.silu, "gelu": F.gelu, "relu": F.relu, "identity": lambda b: b}.items():
        np.testing.assert_allclose(nn.GLU(activation=name)(x).numpy(), (a * gate(b)).numpy(), rtol=1e-6)


def test_a_weight_of_one_output_and_biases_that_do_not_fit():
    assert F.linear(wf.ones((2, 3)), wf.ones(3), wf.tensor(1.0)).tolist() == [4.0, 4.0]
    assert F.linear(wf.ones(3), wf.ones(3)).tolist() == 3.0
    for broken in (
        lambda: F.linear(wf.ones((1, 3)), wf.ones((3, 3)), wf.ones((5, 1))),
        lambda: F.linear(wf.ones((1, 3)), wf.ones((4, 3)), wf.ones(3)),
        lambda: F.bilinear(wf.ones((1, 3)), wf.ones((1, 2)), wf.ones((1, 3, 2)), wf.ones(3)),
    ):
        with pytest.raises(wf.errors.ShapeError, match="a bias of shape"):
            broken()


def test_as_many_classes_as_the_largest_number_says():
    assert F.one_hot(wf.tensor([2, 0])).tolist() == [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]


def test_a_window_of_zeros_has_the_gradient_zero():
    for p in (2, 1.5):
        x = wf.tensor(np.float32([[0.0, 0.0, 3.0, 4.0]]), requires_grad=True)
        y = F.lp_pool1d(x, p, 2)
        assert y.numpy()[0, 0] == 0
        y.sum().backward()
        assert np.isfinite(x.grad.numpy()).all()
        assert x.grad.numpy()[0, :2].tolist() == [0.0, 0.0]


def test_padding_of_the_last_axes():
    x = wf.arange(6.0).reshape(2, 3)
    assert F.pad(x, (1, 0, 0, -1)).tolist() == [[0.0, 0.0, 1.0, 2.0]]
    assert F.pad(x, (1, 1), "circular").tolist()[0] == [2.0, 0.0, 1.0, 2.0, 0.0]
    for padding, part in (((1, 2, 3), "in pairs"), ((1,) * 6, "at most one per axis")):
        with pytest.raises(wf.errors.WeftError, match=part):
            F.pad(x, padding)


def test_the_text_form_says_what_is_unusual():
    assert repr(nn.Conv2d(3, 4, 3)) == "Conv2d(3, 4, kernel_size=(3, 3), stride=(1, 1))"
    layer = nn.Conv1d(4, 3, padding=1, padding_mode="circular", bias=False)
    assert repr(layer).endswith("stride=(1,), padding=(1,), padding_mode='circular', bias=False)")
    assert repr(nn.MaxPool2d(2, ceil_mode=True)) == "MaxPool2d(window=(2, 2), stride=(2, 2), ceil_mode=True)"
    assert repr(nn.GLU()) == "GLU(axis=-1, activation='sigmoid')"
