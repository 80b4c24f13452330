"""Layers, activations and losses."""

from __future__ import annotations

from typing import Any

import weft as wf
from weft.nn import functional as F

from .bridge import Mapped
from .words import as_row


def named(f: Any, **names: str | None) -> Any:
    """``f`` under PyTorch's names of its options; those that are None do not concern values."""

    def call(*args: Any, **kwargs: Any) -> Any:
        given = {names.get(key, key): value for key, value in kwargs.items()}
        given.pop(None, None)
        return f(*args, **given)

    return call


def activation(f: Any, **names: str | None) -> Any:
    return named(f, inplace=None, **names)


def loss(f: Any) -> Any:
    """A loss; PyTorch's older ways to ask for a reduction are said in the present one."""

    def call(*operands: Any, size_average: bool | None = None, reduce: bool | None = None, **options: Any) -> Any:
        if size_average is not None or reduce is not None:
            options["reduction"] = "none" if reduce is False else "sum" if size_average is False else "mean"
        return f(*operands, **options)

    return call


def softmax(f: Any) -> Any:
    def call(x: Any, dim: int = -1, dtype: Any = None, **_: Any) -> Any:
        made = f(as_row(x), axis=dim, dtype=dtype)
        return made if x.ndim else made.reshape(())

    return call


def widths(pad: Any, rank: int) -> list[tuple[int, int]]:
    """PyTorch pads from the last axis on."""
    pairs = list(zip(pad[::2], pad[1::2], strict=True))
    return [(0, 0)] * (rank - len(pairs)) + pairs[::-1]


MODES = {"constant": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def pad(x: Any, pad: Any, mode: str = "constant", value: Any = None) -> Any:
    return wf.pad(x, widths(pad, x.ndim), value or 0.0, mode=MODES[mode])


def pool(f: Any) -> Any:
    return named(f, kernel_size="window", output_size="size")


def average_pool(f: Any) -> Any:
    """PyTorch takes a tuple of one number for all axes, and an empty one for none."""
    call = pool(f)

    def plain(x: Any) -> Any:
        return (x[0] if x else None) if isinstance(x, tuple) and len(x) < 2 else x

    return lambda x, *args, **kwargs: call(x, *map(plain, args), **kwargs)


def unpool(f: Any) -> Any:
    def call(
        x: Any, indices: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, output_size: Any = None
    ) -> Any:
        rank = {F.max_unpool1d: 1, F.max_unpool2d: 2, F.max_unpool3d: 3}[f]
        size = None if output_size is None else tuple(output_size)[-rank:]
        return f(x, indices, kernel_size, stride, padding, size)

    return call


def fractional(f: Any) -> Mapped:
    def call(
        x: Any,
        kernel_size: Any,
        output_size: Any = None,
        output_ratio: Any = None,
        return_indices: bool = False,
        _random_samples: Any = None,
    ) -> Any:
        return f(
            x, kernel_size, size=output_size, ratio=output_ratio, samples=_random_samples, return_indices=return_indices
        )

    return Mapped(call, skip={"random windows": lambda x, *a, **k: k.get("_random_samples") is None})


def interpolate(
    x: Any,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: Any = None,
    recompute_scale_factor: Any = None,
    antialias: bool = False,
) -> Any:
    return F.interpolate(x, size, scale_factor, mode, bool(align_corners), bool(recompute_scale_factor), antialias)


def batch_norm(
    x: Any,
    mean: Any,
    variance: Any,
    weight: Any = None,
    bias: Any = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    if not training:
        return F.batch_norm(x, mean, variance, weight, bias, eps=eps)
    channels = x.shape[1]
    mean = wf.zeros(channels) if mean is None else mean
    variance = wf.ones(channels) if variance is None else variance
    return F.batch_norm_train(x, mean, variance, wf.tensor(0), weight, bias, momentum=momentum, eps=eps)[0]


def group_norm(x: Any, groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Any:
    return F.group_norm(x, groups, weight, bias, eps=eps)


def layer_norm(x: Any, shape: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Any:
    return F.layer_norm(x, tuple(shape), weight, bias, eps=eps)


def embedding(weight: Any, indices: Any, padding_idx: Any = None, **_: Any) -> Any:
    return F.embedding(indices, weight)


def grid_sampler(x: Any, grid: Any, mode: int, padding: int, align_corners: bool) -> Any:
    return F.grid_sample(
        x, grid, ("bilinear", "nearest", "bicubic")[mode], ("zeros", "border", "reflection")[padding], align_corners
    )


def dropout(x: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    return F.dropout(x, p) if training else x


def linear(x: Any, weight: Any, bias: Any = None) -> Any:
    return F.linear(x, weight, bias)


RANDOM = {"random numbers": lambda x, p=0.5, training=True, **_: training and 0 < p < 1}
EMPTY = {"batches of no examples, of which a mean is NaN": lambda x, *a, **k: 0 in x.shape}
ALONE = {
    "statistics of one number in each channel, refused": lambda x, *a, **k: (
        k.get("training", False) and x.numel() == x.shape[1]
    )
}
SCALARS = {"scalars, which PyTorch counts as vectors": lambda x, *a, **k: x.ndim == 0}
FREQUENT = {
    "embeddings that are renormed, or whose gradient is scaled or left out": lambda *a, **k: (
        "max_norm" in k or k.get("scale_grad_by_freq", False) or k.get("padding_idx") is not None
    )
}
FIRST = (None, lambda r: r[0])

OPERATORS = {
    # activations
    "nn.functional.celu": activation(F.celu),
    "nn.functional.elu": activation(F.elu),
    "nn.functional.gelu": F.gelu,
    "nn.functional.glu": named(F.glu, dim="axis"),
    "nn.functional.hardshrink": named(F.hardshrink, lambd="size"),
    "nn.functional.hardsigmoid": activation(F.hardsigmoid),
    "nn.functional.hardswish": activation(F.hardswish),
    "nn.functional.hardtanh": activation(F.hardtanh, min_val="low", max_val="high"),
    "nn.functional.leaky_relu": activation(F.leaky_relu, negative_slope="slope"),
    "nn.functional.logsigmoid": F.logsigmoid,
    "nn.functional.mish": activation(F.mish),
    "nn.functional.prelu": F.prelu,
    "nn.functional.relu": activation(F.relu),
    "nn.functional.relu6": activation(F.relu6),
    "nn.functional.rrelu": Mapped(
        activation(F.rrelu), skip={"random slopes": lambda x, *a, **k: k.get("training", False)}
    ),
    "nn.functional.selu": activation(F.selu),
    "nn.functional.silu": activation(F.silu),
    "nn.functional.silu.complex": Mapped(activation(F.silu), dtype="complex64"),
    "nn.functional.softplus": named(F.softplus),
    "nn.functional.softshrink": named(F.softshrink, lambd="size"),
    "nn.functional.softsign": F.softsign,
    "nn.functional.tanhshrink": F.tanhshrink,
    "nn.functional.threshold": activation(F.threshold),
    "softmax": softmax(F.softmax),
    "softmax.with_dtype": softmax(F.softmax),
    "log_softmax": softmax(F.log_softmax),
    "log_softmax.with_dtype": softmax(F.log_softmax),
    "nn.functional.softmin": softmax(F.softmin),
    "nn.functional.softmin.with_dtype": softmax(F.softmin),
    # products, convolutions
    "nn.functional.linear": linear,
    "nn.functional.conv1d": F.conv1d,
    "nn.functional.conv2d": F.conv2d,
    "nn.functional.conv3d": F.conv3d,
    "nn.functional.conv_transpose1d": F.conv_transpose1d,
    "nn.functional.conv_transpose2d": F.conv_transpose2d,
    # Sums of a thousand products that cancel: float32 leaves no digit to compare.
    "nn.functional.conv_transpose3d": Mapped(F.conv_transpose3d, dtype="float64"),
    "nn.functional.embedding": Mapped(embedding, skip=FREQUENT),
    "nn.functional.one_hot": Mapped(
        lambda x, num_classes=-1: wf.one_hot(x, num_classes, dtype="int64"),
        dtype="int64",
        skip={"a number of classes from the values": lambda x, num_classes=-1: num_classes < 0},
    ),
    # pooling
    **{f"nn.functional.avg_pool{n}d": average_pool(getattr(F, f"avg_pool{n}d")) for n in (1, 2, 3)},
    **{f"nn.functional.max_pool{n}d": pool(getattr(F, f"max_pool{n}d")) for n in (1, 2, 3)},
    **{f"nn.functional.adaptive_avg_pool{n}d": pool(getattr(F, f"adaptive_avg_pool{n}d")) for n in (1, 2, 3)},
    **{f"nn.functional.adaptive_max_pool{n}d": pool(getattr(F, f"adaptive_max_pool{n}d")) for n in (1, 2, 3)},
    # Their indices repeat: PyTorch's gradient goes to overwritten elements too. The variant "grad" has unique ones.
    **{
        f"nn.functional.max_unpool{n}d": Mapped(unpool(getattr(F, f"max_unpool{n}d")), gradients=False)
        for n in (1, 2, 3)
    },
    **{f"nn.functional.max_unpool{n}d.grad": unpool(getattr(F, f"max_unpool{n}d")) for n in (1, 2, 3)},
    "nn.functional.fractional_max_pool2d": fractional(F.fractional_max_pool2d),
    # pictures
    "constant_pad_nd": lambda x, pads, value=0: pad(x, pads, value=value),
    **{f"nn.functional.pad.{mode}": pad for mode in ("constant", "reflect", "replicate", "replicate_negative")},
    "nn.functional.pad.circular": Mapped(
        pad, skip={"negative widths, after which PyTorch wraps what is left": lambda x, pads, *a, **_: min(pads) < 0}
    ),
    "nn.functional.unfold": F.unfold,
    **{
        f"nn.functional.interpolate.{mode}": interpolate
        for mode in ("nearest", "nearest-exact", "linear", "bilinear", "trilinear", "bicubic", "area")
    },
    "nn.functional.upsample_bilinear": lambda x, size=None, scale_factor=None: F.interpolate(
        x, size, scale_factor, "bilinear", align_corners=True
    ),
    "nn.functional.upsample_nearest": lambda x, size=None, scale_factor=None: F.interpolate(x, size, scale_factor),
    "_upsample_bilinear2d_aa": Mapped(
        lambda x, output_size=None, align_corners=False, scale_factors=None, **_: F.interpolate(
            x, output_size, scale_factors, "bilinear", align_corners, antialias=True
        ),
        skip={"scales that contradict the size": lambda x, *a, **k: k.get("scales_h") is not None},
    ),
    "nn.functional.grid_sample": F.grid_sample,
    "grid_sampler_2d": grid_sampler,
    "grid_sampler_3d": grid_sampler,
    "nn.functional.pixel_shuffle": named(F.pixel_shuffle, upscale_factor="factor"),
    "nn.functional.pixel_unshuffle": named(F.pixel_unshuffle, downscale_factor="factor"),
    "nn.functional.channel_shuffle": F.channel_shuffle,
    # normalisation
    "nn.functional.batch_norm": Mapped(batch_norm, skip=EMPTY | ALONE),
    "nn.functional.batch_norm.without_cudnn": Mapped(batch_norm, skip=EMPTY | ALONE),
    "nn.functional.group_norm": group_norm,
    "native_group_norm": Mapped(
        lambda x, weight, bias, n, c, size, groups, eps: group_norm(x, groups, weight, bias, eps), see=FIRST
    ),
    "nn.functional.layer_norm": layer_norm,
    "native_layer_norm": Mapped(layer_norm, see=FIRST),
    "nn.functional.rms_norm": lambda x, shape, weight=None, eps=None: F.rms_norm(
        x, tuple(shape), weight, eps=1.1920929e-07 if eps is None else eps
    ),
    "nn.functional.normalize": Mapped(named(F.normalize, dim="axis", out=None), skip=SCALARS),
    # distances
    "nn.functional.cosine_similarity": Mapped(named(F.cosine_similarity, dim="axis"), skip=SCALARS),
    "nn.functional.pairwise_distance": named(F.pairwise_distance, keepdim="keepdims"),
    "nn.functional.pdist": F.pdist,
    "cdist": lambda a, b, p=2.0, compute_mode=None: F.cdist(a, b, p),
    "renorm": lambda x, p, dim, maxnorm: F.renorm(x, p, dim, maxnorm),
    # dropout
    "nn.functional.dropout": Mapped(dropout, skip=RANDOM),
    # losses
    "nn.functional.mse_loss": loss(F.mse_loss),
    "nn.functional.l1_loss": loss(F.l1_loss),
    "nn.functional.smooth_l1_loss": Mapped(
        loss(F.smooth_l1_loss), skip={"beta=0, refused: it is l1_loss": lambda *a, **k: k.get("beta") == 0}
    ),
    "nn.functional.huber_loss": loss(F.huber_loss),
    "nn.functional.cross_entropy": loss(F.cross_entropy),
    "nn.functional.nll_loss": loss(F.nll_loss),
    "nn.functional.binary_cross_entropy": loss(F.binary_cross_entropy),
    "nn.functional.binary_cross_entropy_with_logits": loss(F.binary_cross_entropy_with_logits),
}
