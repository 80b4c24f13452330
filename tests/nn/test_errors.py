"""Errors of layers are lessons: layer, shapes, axis, origin, cure."""

import json

import numpy as np
import pytest

import weft as wf
from weft import nn, optim
from weft.errors import ArgumentError, DataError, DTypeError, ShapeError


def message(f):
    with pytest.raises(wf.errors.WeftError) as caught:
        f()
    return str(caught.value)


def test_a_wrong_size_names_layer_path_sizes_axis_and_origin_before_anything_runs():
    model = nn.Sequential(nn.Linear(4, 8), nn.Sequential(nn.ReLU(), nn.Linear(6, 2)))
    before = wf.explain().count
    text = message(lambda: model(np.zeros((5, 4), np.float32)))
    assert wf.explain().count == before
    assert "(5, 8)" in text
    assert "(2, 6)" in text
    assert "last axis has size 8" in text
    assert "model.1.1" in text
    assert "Linear(in_features=6, out_features=2, bias=True)" in text
    assert "made by relu at model.1.0" in text
    assert "test_errors.py" in text
    assert "nn.Linear(8, 2)" in text


@pytest.mark.parametrize(
    ("layer", "shape", "parts"),
    [
        (nn.Conv2d(3, 4, 3), (2, 5, 8, 8), ["axis 1 has size 5", "takes 3 channels", "(N, 3, height, width)"]),
        (nn.Conv2d(3, 4, 3), (2, 8, 8, 3), ["permute_dims(x, (0, 3, 1, 2))"]),
        (nn.Conv2d(1, 4, 3), (2, 8, 8), ["expand_dims(x, axis=1)"]),
        (nn.Conv1d(4, 3), (2, 8), ["(N, channels, length)"]),
        (nn.BatchNorm2d(3), (2, 3), ["(N, C, height, width)", "BatchNorm2d"]),
        (nn.BatchNorm1d(3), (2, 4), ["axis 1 has size 4", "takes 3"]),
        (nn.BatchNorm1d(3), (1, 3), ["more than one value per channel", "model.eval()"]),
        (nn.LayerNorm(3), (2, 4), ["does not end in (3,)"]),
        (nn.GroupNorm(2), (2, 3, 4), ["groups that divide the channels"]),
        (nn.MaxPool2d(2), (2, 4), ["(N, channels, height, width)"]),
        (nn.InstanceNorm1d(3), (2, 4, 5), ["axis 1 has size 4", "takes 3", "(N, 3, length)"]),
        (nn.InstanceNorm2d(), (2, 4, 1, 1), ["more than one position per channel"]),
        (nn.BatchNorm3d(3), (2, 3, 4, 4), ["(N, C, depth, height, width)"]),
        (nn.LocalResponseNorm(2), (2, 3), ["(N, C, *spatial)"]),
        (nn.Dropout2d(), (2, 3), ["(N, C, height, width) or (C, height, width)", "Dropout2d"]),
        (nn.FeatureAlphaDropout(), (2,), ["(N, C, *spatial)"]),
        (nn.Unflatten(1, (2, 3)), (2, 5), ["axis 1 of size 5"]),
        (nn.Linear(3), (), ["a scalar"]),
        (nn.Residual(nn.Linear(2)), (2, 3), ["shortcut"]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_wrong_shapes(layer, shape, parts):
    text = message(lambda: layer(wf.zeros(shape)))
    for part in [*parts, "model"]:
        assert part in text


def test_the_error_of_an_unsized_layer_leaves_it_unsized():
    layer = nn.Conv1d(4, 3)
    with pytest.raises(ShapeError):
        layer(wf.zeros((2, 8)))
    assert layer(wf.zeros((2, 5, 8))).shape == (2, 4, 6)


@pytest.mark.parametrize(
    "make",
    [
        lambda: nn.Linear(0),
        lambda: nn.Linear(2, 3, 4),
        lambda: nn.Linear(2.5),
        lambda: nn.Linear(2, 3, weight_init="glorot"),
        lambda: nn.Conv2d(3, 4, 0),
        lambda: nn.Conv2d(3),
        lambda: nn.Conv2d(3, 4, (3, 3, 3)),
        lambda: nn.Conv2d(3, 4, 3, padding="full"),
        lambda: nn.Conv2d(3, 4, 3, padding="same", stride=2),
        lambda: nn.Conv2d(3, 4, 3, groups=2),
        lambda: nn.MaxPool2d(2, padding=2),
        lambda: nn.Dropout(1.5),
        lambda: nn.Dropout(True),
        lambda: nn.Linear(4, None),
        lambda: nn.Conv2d(3, 8, 3, stride=None),
        lambda: nn.MaxPool2d(None),
        lambda: nn.BatchNorm1d(3, momentum=2.0),
        lambda: nn.BatchNorm1d(3, eps=0.0),
        lambda: nn.GELU("erf"),
        lambda: nn.Hardtanh(1.0, -1.0),
        lambda: nn.Embedding(0, 3),
        lambda: nn.Embedding(4, 3, padding_idx=4),
        lambda: nn.Embedding(4, 3, max_norm=0.0),
        lambda: nn.EmbeddingBag(4, 3, mode="min"),
        lambda: nn.EmbeddingBag(4, 3, mode="max", scale_grad_by_freq=True),
        lambda: nn.InstanceNorm1d(3, momentum=None),
        lambda: nn.LocalResponseNorm(0),
        lambda: nn.DropPath(-0.1),
        lambda: nn.GaussianNoise(-1.0),
        lambda: nn.Input((0,)),
        lambda: nn.MSELoss("average"),
        lambda: nn.Embedding(3, 2, padding_idx=True),
        lambda: nn.Flatten("first"),
        lambda: nn.Unflatten(1, (-1, -1)),
        lambda: nn.Unflatten(1, (2.0, 3)),
        lambda: nn.ReLU().train("no"),
    ],
)
def test_arguments_out_of_range_are_refused_with_the_range(make):
    with pytest.raises(ArgumentError) as caught:
        make()
    assert caught.value.expected


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: nn.ReLU(inplace=True), "never change"),
        (lambda: nn.Linear(in_features=4, out_features=3), r"nn\.Linear\(4, 3\)"),
        (lambda: nn.Conv2d(in_channels=3, out_channels=8, kernel_size=3), r"nn\.Conv2d\(3, 16, 5\)"),
        (lambda: nn.Softmax(dim=1), "axis="),
        (lambda: nn.LeakyReLU(negative_slope=0.2), "slope="),
        (lambda: nn.Flatten(start_dim=1), "start="),
        (lambda: nn.MaxPool2d(kernel_size=2), r"MaxPool2d\(window, stride=None, padding=0(?s:.*)window="),
        (lambda: nn.AdaptiveAvgPool2d(output_size=1), "size="),
        (lambda: nn.PixelShuffle(upscale_factor=2), "factor="),
        (lambda: nn.Embedding(3, 2, sparse=True), "leave it out"),
        (lambda: list(nn.Sequential().children()), r"for child in model\.children"),
        (lambda: optim.Adam(lr=1e-3), "learning_rate="),
        (lambda: optim.Adam(nn.Linear(2, 2).parameters(), lr=1e-3), r"opt\.step\(model\)|learning_rate="),
    ],
)
def test_pytorchs_words_are_answered_by_ours(make, says):
    with pytest.raises(ArgumentError, match=says):
        make()
    with pytest.raises(AttributeError, match=r"nn\.Buffer"):
        nn.ReLU().register_buffer("mean", wf.zeros(3))


def test_numpys_numbers_are_numbers():
    n, rate = np.int64(3), np.float32(0.25)
    layer = nn.Conv2d(np.int32(2), n, (n, n))
    assert json.dumps(nn.describe(nn.Sequential(nn.Linear(4, n), layer, nn.Dropout(rate), nn.Embedding(n, 2))))
    assert type(layer.weight.shape[0]) is int
    assert optim.Adam(rate).learning_rate == 0.25
    assert nn.Input((n,)).shape == (None, 3)


def test_the_two_forms_of_a_convolution():
    assert nn.Conv2d(3, 16, 5).weight.shape == (16, 3, 5, 5)
    assert nn.Conv2d(3, 16, kernel_size=5).weight.shape == (16, 3, 5, 5)
    assert nn.Conv2d(16, 5).build((1, 3, 8, 8)).weight.shape == (16, 3, 5, 5)
    assert nn.Conv2d(16, kernel_size=5).channels == (16,)


def test_an_index_outside_of_a_table():
    table = nn.Embedding(5, 2)
    with pytest.raises(DataError, match=r"index 5 for a table of 5 rows[\s\S]*nn\.Embedding\(6"):
        table(wf.tensor([0, 5]))
    with pytest.raises(DTypeError, match="whole numbers"):
        table(wf.zeros(2))


def test_bags_that_make_no_sense():
    bag = nn.EmbeddingBag(5, 2)
    at = wf.tensor([0, 1, 2])
    for offsets in ([1, 2], [0, 2, 1], [0, 4]):
        with pytest.raises(DataError, match="0 first"):
            bag(at, wf.tensor(offsets))
    with pytest.raises(ShapeError, match=r"with offsets \(bags,\)"):
        bag(at)
    with pytest.raises(ArgumentError, match="mode='sum'"):
        bag(at, wf.tensor([0]), wf.ones(3))
    with pytest.raises(ShapeError, match="equal shapes"):
        nn.EmbeddingBag(5, 2, mode="sum")(at, wf.tensor([0]), wf.ones(2))


def test_integer_parameters_are_refused():
    with pytest.raises(DTypeError, match=r"nn\.Buffer"):
        nn.Parameter([1, 2])


@pytest.mark.parametrize(
    ("layer", "shapes"),
    [
        (lambda: nn.Linear(4), [(2, 0)]),
        (lambda: nn.Bilinear(4), [(2, 0), (2, 3)]),
        (lambda: nn.Conv2d(4, 3), [(1, 0, 8, 8)]),
        (lambda: nn.ConvTranspose1d(4, 3), [(1, 0, 8)]),
        (lambda: nn.BatchNorm1d(), [(3, 0)]),
        (lambda: nn.GRU(4), [(2, 1, 0)]),
    ],
)
def test_no_size_follows_from_an_input_without_features(layer, shapes):
    made = layer()
    with pytest.raises(ShapeError, match=r"model\.weight.*would have the shape"):
        made(*map(wf.zeros, shapes))
    assert not made._sized


def test_a_layer_that_waits_for_its_sizes_is_called_with_its_inputs():
    with pytest.raises(ArgumentError, match="missing a required argument: 'x'"):
        nn.Linear(3)()
    with pytest.raises(ArgumentError, match="missing a required argument: 'x'"):
        nn.summary(nn.Linear(3))


@pytest.mark.parametrize("dtype", [wf.int32, "int64", wf.bool])
def test_layers_of_whole_numbers_are_refused_when_they_are_made(dtype):
    with pytest.raises(DTypeError, match="integers have no derivative"):
        nn.Linear(3, 4, dtype=dtype)
