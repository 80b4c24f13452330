"""Forward and backward of one layer of each family, compiled, against PyTorch's eager layer in the same run.

Both compute the result and the gradients of input and parameters for one cotangent. A ratio above 1 says how many
times faster Weft is. ``python -m benchmarks.layers Linear compiled`` compares one with `torch.compile`'s, which takes
many seconds for each layer to compile.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np
import torch

import weft as wf
from benchmarks.clock import alternate, table
from weft import nn

WANTED = 1 / 1.2
ROWS, TOKENS, SIGNAL = (128, 512), (8, 128, 256), (16, 64, 512)
PICTURES, VOLUMES = (32, 32, 28, 28), (4, 8, 16, 16, 16)


@dataclass(frozen=True)
class Case:
    """A layer of both libraries, by PyTorch's name of the class and its arguments, which ours are unless given."""

    name: str
    theirs: tuple[Any, ...]
    shape: tuple[int, ...]
    ours: tuple[Any, ...] | None = None
    options: dict[str, Any] | None = None
    ours_options: dict[str, Any] | None = None
    classes: int = 0  # for inputs that are whole numbers below it
    inputs: int = 1  # how often the same input is given


FAMILIES: dict[str, list[Case]] = {
    "linear": [
        Case("Linear", (512, 512), ROWS),
        Case("Linear", (256, 1024), TOKENS),
        Case("Bilinear", (64, 64, 64), (64, 64), inputs=2),
    ],
    "convolution": [
        Case("Conv1d", (64, 64, 3), SIGNAL, options={"padding": 1}),
        Case("Conv2d", (32, 64, 3), PICTURES, options={"padding": 1}),
        Case("Conv2d", (32, 32, 3), PICTURES, options={"padding": 1, "groups": 32}),
        Case("Conv2d", (32, 64, 3), PICTURES, options={"padding": 1, "padding_mode": "circular"}),
        Case("Conv3d", (8, 16, 3), VOLUMES, options={"padding": 1}),
    ],
    "transposed convolution": [
        Case("ConvTranspose1d", (64, 32, 4), SIGNAL, options={"stride": 2, "padding": 1}),
        Case("ConvTranspose2d", (32, 16, 4), PICTURES, options={"stride": 2, "padding": 1}),
        Case("ConvTranspose3d", (8, 8, 2), VOLUMES, options={"stride": 2}),
    ],
    "pooling": [
        Case("MaxPool1d", (2,), SIGNAL),
        Case("MaxPool2d", (2,), PICTURES),
        Case("MaxPool2d", (3, 2, 1), PICTURES),
        Case("AvgPool2d", (2,), PICTURES),
        Case("AvgPool3d", (2,), VOLUMES),
        Case("LPPool2d", (2, 2), PICTURES),
        Case("AdaptiveAvgPool2d", (5,), PICTURES),
        Case("AdaptiveMaxPool2d", (7,), PICTURES),
    ],
    "padding, resampling": [
        Case("ReflectionPad2d", (2,), PICTURES),
        Case("ZeroPad2d", (2,), PICTURES),
        Case("Upsample", (None, 2), PICTURES),
        Case("Upsample", (None, 2, "bilinear"), PICTURES),
        Case("PixelShuffle", (4,), PICTURES),
        Case("Unfold", (3,), PICTURES),
    ],
    "normalisation": [
        Case("BatchNorm1d", (512,), ROWS),
        Case("BatchNorm2d", (32,), PICTURES),
        Case("LayerNorm", (256,), TOKENS),
        Case("RMSNorm", (256,), TOKENS),
        Case("GroupNorm", (8, 32), PICTURES),
        Case("InstanceNorm2d", (32,), PICTURES),
    ],
    "embedding, dropout": [
        Case("Embedding", (10_000, 256), (8, 128), classes=10_000),
        Case("EmbeddingBag", (10_000, 256), (64, 16), classes=10_000),
        Case("Dropout", (0.5,), TOKENS),
        Case("Dropout2d", (0.5,), PICTURES),
    ],
    "activation": [
        *(Case(name, (), TOKENS) for name in ("ReLU", "GELU", "SiLU", "Mish", "ELU", "Hardswish", "Softplus", "GLU")),
        Case("PReLU", (32,), PICTURES),
        Case("Softmax", (-1,), TOKENS),
        Case("LogSoftmax", (-1,), TOKENS),
    ],
    "recurrent": [
        Case("RNN", (64, 128), (32, 16, 64), options={"batch_first": True}),
        Case("GRU", (64, 128), (32, 16, 64), options={"batch_first": True}),
        Case("LSTM", (64, 128), (32, 16, 64), options={"batch_first": True}),
    ],
    "attention": [
        Case("MultiheadAttention", (256, 4), TOKENS, options={"batch_first": True}, inputs=3),
        Case("TransformerEncoderLayer", (256, 4, 1024), TOKENS, options={"batch_first": True, "dropout": 0.0}),
    ],
}


def first(y: Any) -> Any:
    """The first of several results."""
    return y[0] if isinstance(y, tuple) else y


def contestants(case: Case, compiled: bool) -> dict[str, Callable[[], Any]]:
    """The same layer in both libraries, as functions without arguments; PyTorch's ``compiled`` or as it is."""
    options = case.options or {}
    theirs = getattr(torch.nn, case.name)(*case.theirs, **options)
    layer = getattr(nn, case.name)(
        *(case.theirs if case.ours is None else case.ours),
        **(options if case.ours_options is None else case.ours_options),
    )
    layer.load_state_dict(theirs.state_dict())
    rng = np.random.default_rng(0)
    if case.classes:
        x = rng.integers(0, case.classes, case.shape)
    else:
        x = rng.standard_normal(case.shape, np.float32)
    tx, ours = torch.tensor(x, requires_grad=not case.classes), wf.tensor(x) if case.classes else nn.Parameter(x)
    theirs = torch.compile(theirs) if compiled else theirs
    cotangent = torch.randn(first(theirs(*[tx] * case.inputs)).shape)
    given = wf.tensor(cotangent.numpy())
    starts = [*([] if case.classes else [tx]), *theirs.parameters()]
    sources = [*([] if case.classes else [ours]), *layer.parameters()]

    @wf.compile
    def step(g: Any) -> Any:
        y = first(layer(*[ours] * case.inputs))
        # Numbers, as PyTorch's gradients are: what could be differentiated again would be recorded first.
        return y.detach(), *(dx.detach() for dx in wf.gradients([y], sources, cotangents=[g]))

    def by_torch() -> Any:
        y = first(theirs(*[tx] * case.inputs))
        return y, *torch.autograd.grad(y, starts, cotangent)

    return {"weft": lambda: wf.realize(*step(given)), "torch": by_torch}


def main(only: str = "", against: str = "eager") -> None:
    """Print the table of all families, and the median ratio: to PyTorch "eager", or "compiled" by `torch.compile`."""
    ratios = []
    for family, cases in FAMILIES.items():
        rows = []
        for case in cases:
            if only not in case.name or not hasattr(nn, case.name):
                continue
            best = alternate(contestants(case, against == "compiled"), rounds=7, seconds=0.05)
            text = ", ".join([*map(str, case.theirs), *(f"{k}={v}" for k, v in (case.options or {}).items())])
            rows.append((f"{case.name}({text})"[:43], best["weft"], best["torch"], WANTED))
            ratios.append(best["torch"] / best["weft"])
        if rows:
            table(f"{family}: forward and backward (PyTorch {against})", rows)
    print(f"\nmedian of {len(ratios)} layers: {median(ratios):.2f}x; {sum(r >= WANTED for r in ratios)} as wanted")


if __name__ == "__main__":
    import sys

    main(*sys.argv[1:])
