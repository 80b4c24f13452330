"""What networks are made of computes what PyTorch's functions do, forward and backward, for the same options.

The first table is compared in float32 with first gradients, what is marked smooth also in float64 to second order.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
import torch

import weft as wf
from weft import special
from weft.nn import functional as F
from weft.ops import counting, quantiles, running, selection, windows

pytestmark = [
    pytest.mark.filterwarnings("ignore:.* made .* programs:weft.RecompileWarning"),  # one line calls every function
    pytest.mark.filterwarnings("ignore::weft.runtime.explanation.RecompileWarning"),
    pytest.mark.filterwarnings("ignore:Using padding='same'"),
    pytest.mark.filterwarnings("ignore:.*deprecated"),
]
f, sp = torch.nn.functional, torch.special
random = np.random.default_rng(0)


def normal(*shape: int) -> np.ndarray:
    return random.normal(size=shape)


def apart(*shape: int) -> np.ndarray:
    """Numbers no two of which are close: which is the largest does not depend on rounding."""
    size = int(np.prod(shape))
    return ((random.permutation(size) - size / 2 + 0.3) * 0.11).reshape(shape)


@dataclass
class Case:
    ours: Any
    theirs: Any
    operands: tuple[np.ndarray, ...]
    options: dict[str, Any] = field(default_factory=dict)
    renamed: dict[str, str] = field(default_factory=dict)  # what PyTorch calls an option
    smooth: bool = False  # whether second derivatives are compared too
    first: bool = True  # whether gradients are compared at all


CASES: dict[str, Case] = {}


def case(name: str, ours: Any, theirs: Any, *operands: np.ndarray, **options: Any) -> None:
    marks = {k: options.pop(k) for k in ("smooth", "first", "renamed") if k in options}
    marks["renamed"] = {"axis": "dim", "keepdims": "keepdim", "window": "kernel_size", **marks.get("renamed", {})}
    CASES[name] = Case(ours, theirs, operands, options, **marks)


# ── convolution ─────────────────────────────────────────────────────────────────────────────────────────────

SIGNAL, PICTURE, VOLUME = normal(2, 4, 9), normal(2, 4, 6, 7), normal(1, 2, 4, 5, 3)
case("conv1d", F.conv1d, f.conv1d, SIGNAL, normal(6, 2, 3), normal(6), stride=2, padding=1, groups=2, smooth=True)
case("conv1d same", F.conv1d, f.conv1d, SIGNAL, normal(3, 4, 4), padding="same", dilation=2)
case("conv1d single", F.conv1d, f.conv1d, SIGNAL[0], normal(3, 4, 2), padding="valid")
case(
    "conv2d", F.conv2d, f.conv2d, PICTURE, normal(3, 4, 3, 2), normal(3), stride=(1, 2), padding=(2, 1), dilation=(2, 1)
)
case("conv2d depthwise", F.conv2d, f.conv2d, PICTURE, normal(8, 1, 3, 3), padding=1, groups=4, smooth=True)
case("conv3d", F.conv3d, f.conv3d, VOLUME, normal(3, 2, 2, 3, 1), normal(3), stride=(1, 2, 1), padding=(0, 1, 0))
KERNEL = normal(4, 2, 3)
case(
    "conv_transpose1d",
    F.conv_transpose1d,
    f.conv_transpose1d,
    SIGNAL,
    KERNEL,
    normal(4),
    stride=3,
    groups=2,
    smooth=True,
)
for padding, extra, stride, dilation in ((0, 2, 3, 1), (2, 1, 2, 2), (1, 2, 2, 3), (0, 2, 1, 3)):
    given = {"padding": padding, "output_padding": extra, "stride": stride, "dilation": dilation}
    case(f"conv_transpose1d {given}", F.conv_transpose1d, f.conv_transpose1d, SIGNAL, KERNEL, **given)
case(
    "conv_transpose2d",
    F.conv_transpose2d,
    f.conv_transpose2d,
    PICTURE[0],
    normal(4, 3, 3, 2),
    normal(3),
    stride=(2, 1),
    padding=(1, 0),
    output_padding=(1, 0),
)
case("conv_transpose3d", F.conv_transpose3d, f.conv_transpose3d, VOLUME, normal(2, 3, 2, 1, 2), stride=2)

# ── pooling ─────────────────────────────────────────────────────────────────────────────────────────────────

SPREAD = apart(2, 3, 7, 8)
for ceil_mode in (False, True):
    given = {"window": (3, 2), "stride": (2, 3), "padding": (1, 0), "ceil_mode": ceil_mode}
    case(f"max_pool2d {ceil_mode=}", F.max_pool2d, f.max_pool2d, SPREAD, **given, return_indices=True, smooth=True)
    case(f"max_pool2d dilated {ceil_mode=}", F.max_pool2d, f.max_pool2d, SPREAD, **given, dilation=(1, 2))
    for count_include_pad in (False, True):
        case(
            f"avg_pool2d {ceil_mode=} {count_include_pad=}",
            F.avg_pool2d,
            f.avg_pool2d,
            SPREAD,
            **given,
            count_include_pad=count_include_pad,
            smooth=ceil_mode,
        )
    case(f"avg_pool2d divided {ceil_mode=}", F.avg_pool2d, f.avg_pool2d, SPREAD, **given, divisor_override=4)
    case(
        f"lp_pool2d {ceil_mode=}",
        F.lp_pool2d,
        f.lp_pool2d,
        SPREAD,
        p=2,
        window=3,
        ceil_mode=ceil_mode,
        renamed={"p": "norm_type"},
    )
case("max_pool1d", F.max_pool1d, f.max_pool1d, SPREAD[0, 0], window=2, return_indices=True)
case("max_pool1d of large windows", F.max_pool1d, f.max_pool1d, apart(2, 90), window=40, stride=7, padding=3)
case("avg_pool1d of large windows", F.avg_pool1d, f.avg_pool1d, apart(2, 90), window=40, stride=7, padding=3)
case("max_pool3d", F.max_pool3d, f.max_pool3d, apart(1, 2, 4, 5, 4), window=2, stride=1, return_indices=True)
case("avg_pool3d", F.avg_pool3d, f.avg_pool3d, apart(1, 2, 4, 5, 4), window=2, padding=1, count_include_pad=False)
case("lp_pool1d", F.lp_pool1d, f.lp_pool1d, np.abs(SPREAD[0]), p=2.5, window=2, stride=1, renamed={"p": "norm_type"})
SIZE = {"size": "output_size"}
for size in ((2, 3), (7, 4), 1, (None, 5), (9, 2)):
    case(f"adaptive_avg_pool2d {size}", F.adaptive_avg_pool2d, f.adaptive_avg_pool2d, SPREAD, size=size, renamed=SIZE)
    case(
        f"adaptive_max_pool2d {size}",
        F.adaptive_max_pool2d,
        f.adaptive_max_pool2d,
        SPREAD,
        size=size,
        return_indices=True,
        renamed=SIZE,
    )
case("adaptive_avg_pool1d", F.adaptive_avg_pool1d, f.adaptive_avg_pool1d, SPREAD[0], size=3, renamed=SIZE)
case(
    "adaptive_max_pool3d",
    F.adaptive_max_pool3d,
    f.adaptive_max_pool3d,
    apart(1, 2, 4, 5, 4),
    size=(2, 3, 1),
    renamed=SIZE,
)
DRAWN = {"size": "output_size", "samples": "_random_samples"}
U2, U3 = random.random((2, 3, 2)), random.random((1, 2, 3))
case(
    "fractional_max_pool2d",
    F.fractional_max_pool2d,
    f.fractional_max_pool2d,
    SPREAD,
    window=2,
    size=(4, 3),
    samples=U2,
    return_indices=True,
    renamed=DRAWN,
)
case(
    "fractional_max_pool3d",
    F.fractional_max_pool3d,
    f.fractional_max_pool3d,
    apart(1, 2, 5, 6, 5),
    window=2,
    size=3,
    samples=U3,
    return_indices=True,
    renamed=DRAWN,
)
AT = f.max_pool2d(torch.tensor(SPREAD), 2, return_indices=True)[1].numpy()
case(
    "max_unpool2d",
    F.max_unpool2d,
    f.max_unpool2d,
    normal(2, 3, 3, 4),
    AT,
    window=2,
    size=(7, 8),
    renamed=SIZE,
    smooth=True,
)

# ── windows, pixels, interpolation ──────────────────────────────────────────────────────────────────────────

case(
    "unfold",
    F.unfold,
    f.unfold,
    PICTURE,
    kernel_size=(2, 3),
    dilation=(2, 1),
    padding=(1, 0),
    stride=(1, 2),
    smooth=True,
)
case("fold", F.fold, f.fold, normal(2, 12, 15), size=(4, 6), kernel_size=2, renamed=SIZE, smooth=True)
case(
    "fold single",
    F.fold,
    f.fold,
    normal(12, 6),
    size=(5, 7),
    kernel_size=2,
    stride=(2, 3),
    padding=(0, 1),
    renamed=SIZE,
)
case(
    "sliding_windows",
    windows.sliding_windows,
    torch.Tensor.unfold,
    PICTURE,
    axis=2,
    size=3,
    step=2,
    renamed={"axis": "dimension"},
)
case("pixel_shuffle", F.pixel_shuffle, f.pixel_shuffle, PICTURE, factor=2, renamed={"factor": "upscale_factor"})
case(
    "pixel_unshuffle",
    F.pixel_unshuffle,
    f.pixel_unshuffle,
    PICTURE[:, :, :6, :6],
    factor=3,
    renamed={"factor": "downscale_factor"},
)
case("channel_shuffle", F.channel_shuffle, f.channel_shuffle, PICTURE, groups=2)
for mode in ("nearest", "nearest-exact", "area", "bilinear", "bicubic"):
    for given in ({"size": (9, 4)}, {"size": (12, 14)}, {"size": (2, 7)}, {"scale_factor": (1.7, 0.6)}):
        case(f"interpolate {mode} {given}", F.interpolate, f.interpolate, PICTURE, mode=mode, **given)
for mode in ("bilinear", "bicubic"):
    case(
        f"interpolate {mode} by corners",
        F.interpolate,
        f.interpolate,
        PICTURE,
        mode=mode,
        size=(9, 4),
        align_corners=True,
        smooth=True,
    )
    case(
        f"interpolate {mode} antialias", F.interpolate, f.interpolate, PICTURE, mode=mode, size=(3, 10), antialias=True
    )
    given = {"scale_factor": 1.3, "recompute_scale_factor": True}
    case(f"interpolate {mode} recomputed", F.interpolate, f.interpolate, PICTURE, mode=mode, **given)
case("interpolate linear", F.interpolate, f.interpolate, SIGNAL, mode="linear", scale_factor=2.5)
case("interpolate trilinear", F.interpolate, f.interpolate, VOLUME, mode="trilinear", size=(3, 7, 4))
GRID = random.uniform(-1.4, 1.4, (2, 3, 5, 2))
for padding_mode in ("zeros", "border", "reflection"):
    for align_corners in (False, True):
        for mode in ("bilinear", "nearest", "bicubic"):
            case(
                f"grid_sample {mode} {padding_mode} {align_corners=}",
                F.grid_sample,
                f.grid_sample,
                PICTURE,
                GRID,
                mode=mode,
                padding_mode=padding_mode,
                align_corners=align_corners,
                smooth=mode == "bilinear" and align_corners,
            )
case(
    "grid_sample of a volume",
    F.grid_sample,
    f.grid_sample,
    VOLUME,
    random.uniform(-1.2, 1.2, (1, 2, 3, 2, 3)),
    align_corners=False,
)
case("affine_grid", F.affine_grid, f.affine_grid, normal(2, 2, 3), size=(2, 1, 3, 4), align_corners=False)
case("affine_grid of a volume", F.affine_grid, f.affine_grid, normal(1, 3, 4), size=(1, 1, 2, 3, 4), align_corners=True)

# ── activations ─────────────────────────────────────────────────────────────────────────────────────────────

X, Y = apart(4, 6) * 2.7, normal(4, 6)
SLOPE, BOUNDS, SHRINK = {"slope": "negative_slope"}, {"low": "min_val", "high": "max_val"}, {"size": "lambd"}
for name in [
    "relu",
    "selu",
    "relu6",
    "hardswish",
    "sigmoid",
    "tanh",
    "logsigmoid",
    "softsign",
    "tanhshrink",
    "mish",
    "silu",
    "gelu",
    "softplus",
]:
    case(name, getattr(F, name), getattr(f, name, None) or getattr(torch, name), X, smooth=True)
case("hardsigmoid", F.hardsigmoid, f.hardsigmoid, X)
case("gelu by tanh", F.gelu, f.gelu, X, approximate="tanh", smooth=True)
case("leaky_relu", F.leaky_relu, f.leaky_relu, X, slope=0.2, renamed=SLOPE)
case("rrelu", F.rrelu, f.rrelu, X, lower=0.1, upper=0.3)
case("prelu", F.prelu, f.prelu, PICTURE, normal(4), smooth=True)
case("prelu by one", F.prelu, f.prelu, X, normal(1))
case("elu", F.elu, f.elu, X, alpha=0.7, smooth=True)
case("celu", F.celu, f.celu, X, alpha=0.7, smooth=True)
case("threshold", F.threshold, f.threshold, X, threshold=0.4, value=-3.0)
case("hardtanh", F.hardtanh, f.hardtanh, X, low=-0.5, high=2.0, renamed=BOUNDS)
case("hardshrink", F.hardshrink, f.hardshrink, X, size=0.8, renamed=SHRINK)
case("softshrink", F.softshrink, f.softshrink, X, size=0.8, renamed=SHRINK)
case("softplus with a threshold", F.softplus, f.softplus, X, beta=3.0, threshold=5.0)
case("glu", F.glu, f.glu, X, axis=0, smooth=True)
for name in ("softmax", "softmin", "log_softmax"):
    case(name, getattr(F, name), getattr(f, name), X, axis=1, smooth=True)
    case(f"{name} in 64 bits", getattr(F, name), getattr(f, name), X, axis=0, dtype="float64")

# ── distances ───────────────────────────────────────────────────────────────────────────────────────────────

POINTS, OTHERS = normal(2, 5, 3), normal(2, 4, 3)
for p in (0.0, 1.0, 2.0, 3.5, float("inf")):
    case(f"cdist {p}", F.cdist, torch.cdist, POINTS, OTHERS, p=p)
    case(f"pdist {p}", F.pdist, f.pdist, POINTS[0], p=p)
    case(f"pairwise_distance {p}", F.pairwise_distance, f.pairwise_distance, POINTS[0], POINTS[1], p=p, keepdims=p > 1)
    case(f"normalize {p}", F.normalize, f.normalize, POINTS, p=p, axis=2)
case("cosine_similarity", F.cosine_similarity, f.cosine_similarity, POINTS, POINTS[:1, :1], axis=-1, smooth=True)
case("renorm", F.renorm, torch.renorm, POINTS, p=2, axis=1, maxnorm=1.5, smooth=True)

# ── special functions ───────────────────────────────────────────────────────────────────────────────────────

REAL, POSITIVE = random.uniform(-4.3, 4.3, 40), random.uniform(0.1, 6, 40)
SHARE = random.uniform(0.01, 0.99, 40)
for name in ["erfc", "erfcx", "ndtr", "log_ndtr", "i0", "i0e", "i1", "i1e", "sinc", "digamma"]:
    case(name, getattr(special, name), getattr(sp, name), REAL, smooth=True)
case("lgamma", special.lgamma, torch.lgamma, REAL, smooth=True)
case("entr", special.entr, sp.entr, POSITIVE, smooth=True)
case("erfinv", special.erfinv, sp.erfinv, 2 * SHARE - 1, smooth=True)
case("ndtri", special.ndtri, sp.ndtri, SHARE, smooth=True)
case("logit", special.logit, sp.logit, SHARE, smooth=True)
case("logit held", special.logit, sp.logit, SHARE, eps=0.2)
case("xlogy", special.xlogy, sp.xlogy, REAL, POSITIVE, smooth=True)
case("xlog1py", special.xlog1py, sp.xlog1py, REAL, POSITIVE, smooth=True)
case("multigammaln", lambda a: special.multigammaln(a, 3), lambda a: sp.multigammaln(a, 3), POSITIVE + 2, smooth=True)
for n in (0, 1, 2, 4):
    case(f"polygamma {n}", lambda x, n=n: special.polygamma(n, x), lambda x, n=n: sp.polygamma(n, x), REAL, smooth=True)
for name in ("gammainc", "gammaincc", "zeta"):
    fixed = POSITIVE + 1
    case(
        name,
        lambda x, name=name, a=fixed: getattr(special, name)(wf.tensor(a).astype(x.dtype), x),
        lambda x, name=name, a=fixed: getattr(sp, name)(torch.tensor(a).to(x.dtype), x),
        POSITIVE,
        smooth=True,
    )

# ── selection ───────────────────────────────────────────────────────────────────────────────────────────────

ORDER = apart(3, 5, 4)
for largest in (True, False):
    case(
        f"topk {largest=}",
        lambda x, **o: selection.topk(x, 2, **o),
        lambda x, **o: torch.topk(x, 2, **o),
        ORDER,
        axis=1,
        largest=largest,
        smooth=True,
    )
case(
    "kthvalue",
    lambda x, **o: selection.kthvalue(x, 3, **o),
    lambda x, **o: torch.kthvalue(x, 3, **o),
    ORDER,
    axis=1,
    keepdims=True,
)
case("mode", selection.mode, torch.mode, np.array([[3.0, 1, 3, 1, 2], [5, 4, 4, 1, 5]]), axis=1)
case("cummax", selection.cummax, torch.cummax, ORDER, axis=1, smooth=True)
case("cummin", selection.cummin, torch.cummin, np.round(ORDER), axis=2)
case("cumulative_logsumexp", running.cumulative_logsumexp, torch.logcumsumexp, ORDER, axis=1, smooth=True)
case("median", lambda x: quantiles.median(x, method="lower"), torch.median, ORDER)
case("nanmedian", lambda x: quantiles.nanmedian(x, method="lower"), torch.nanmedian, np.where(ORDER > 2, np.nan, ORDER))
for method in quantiles.METHODS:
    for name in ("quantile", "nanquantile"):
        case(
            f"{name} {method}",
            lambda x, name=name, **o: getattr(quantiles, name)(x, wf.tensor([0.13, 0.6]).astype(x.dtype), **o),
            lambda x, name=name, **o: getattr(torch, name)(x, torch.tensor([0.13, 0.6], dtype=x.dtype), **o),
            ORDER if name == "quantile" else np.where(ORDER > 2, np.nan, ORDER),
            axis=1,
            method=method,
            renamed={"method": "interpolation"},
        )
BOUNDARIES = np.sort(normal(5))
case("bucketize", counting.bucketize, torch.bucketize, Y, BOUNDARIES, right=True, first=False)
case("histogram", lambda x: tuple(counting.histogram(x, 5)), lambda x: tuple(torch.histogram(x, 5)), X, first=False)
case("bincount", counting.bincount, torch.bincount, np.array([3, 1, 1, 5]), minlength=8, first=False)


# ── the comparison ──────────────────────────────────────────────────────────────────────────────────────────


def run(case: Case, kind: str) -> None:
    arrays = [a.astype(kind) if a.dtype.kind == "f" else a for a in case.operands]
    smooth = [k for k, a in enumerate(arrays) if a.dtype.kind == "f" and case.first]
    ours = [wf.tensor(a, requires_grad=k in smooth) for k, a in enumerate(arrays)]
    theirs = [torch.tensor(a, requires_grad=k in smooth) for k, a in enumerate(arrays)]
    options = {k: v.astype(kind) if isinstance(v, np.ndarray) else v for k, v in case.options.items()}
    given = {case.renamed.get(k, k): torch.tensor(v) if isinstance(v, np.ndarray) else v for k, v in options.items()}
    if "dtype" in options:
        given["dtype"] = torch.float64
    found, expected = case.ours(*ours, **options), case.theirs(*theirs, **given)
    found, expected = ([*y] if isinstance(y, tuple) else [y] for y in (found, expected))
    pairs = list(zip(found, expected, strict=True))
    if case.first:
        inputs = [ours[k] for k in smooth], [theirs[k] for k in smooth]
        gradients = differentiated(pairs, *inputs)
        pairs += gradients
        if kind == "float64" and any(t.requires_grad for _, t in gradients):
            pairs += differentiated(gradients, *inputs)
    # Compared at the end, so that a case is one program.
    tolerance = {"rtol": 1e-4, "atol": 1e-5} if kind == "float32" else {"rtol": 1e-7, "atol": 1e-8}
    for k, (y, t) in enumerate(pairs):
        assert y.shape == tuple(t.shape)
        np.testing.assert_allclose(y.numpy(), t.detach().numpy(), **tolerance, err_msg=f"{k}: values, then gradients")


def differentiated(pairs: Any, ours: Any, theirs: Any) -> list[Any]:
    """The gradients of the same weighted sum of results by both."""
    rng = np.random.default_rng(1)
    total: Any = 0.0
    their_total: Any = 0.0
    for y, t in pairs:
        if t.requires_grad:
            weights = rng.normal(size=y.shape).astype(t.detach().numpy().dtype)
            total = total + (y * wf.tensor(weights)).sum()
            their_total = their_total + (t * torch.tensor(weights)).sum()
    if not total.node.tracked:  # a slope that is constant
        return []
    wanted = torch.autograd.grad(their_total, theirs, allow_unused=True, create_graph=True)
    wanted = [torch.zeros_like(x) if t is None else t for t, x in zip(wanted, theirs, strict=True)]
    return list(zip(wf.gradients(total, ours), wanted, strict=True))


@pytest.mark.parametrize("name", CASES)
def test_values_and_gradients(name: str) -> None:
    run(CASES[name], "float32")


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.smooth])
def test_second_derivatives(name: str) -> None:
    run(CASES[name], "float64")
