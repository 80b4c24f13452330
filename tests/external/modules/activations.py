"""Activations."""

from __future__ import annotations

from typing import Any

from weft import nn

from .bridge import Mapped, Sample, noise

WORDS = {  # PyTorch's names of the arguments in ours
    "dim": "axis",
    "lambd": "size",
    "max_val": "high",
    "min_val": "low",
    "negative_slope": "slope",
}


def activation(cls: type[nn.Module]) -> Any:
    def make(*arguments: Any, inplace: bool = False, **options: Any) -> nn.Module:
        return cls(*arguments, **{WORDS.get(k, k): v for k, v in options.items()})

    return make


CLASSES = (
    nn.CELU,
    nn.ELU,
    nn.GELU,
    nn.GLU,
    nn.SELU,
    nn.Hardshrink,
    nn.Hardsigmoid,
    nn.Hardswish,
    nn.Hardtanh,
    nn.LeakyReLU,
    nn.LogSigmoid,
    nn.LogSoftmax,
    nn.Mish,
    nn.PReLU,
    nn.ReLU,
    nn.ReLU6,
    nn.SiLU,
    nn.Sigmoid,
    nn.Softmax,
    nn.Softmax2d,
    nn.Softmin,
    nn.Softplus,
    nn.Softshrink,
    nn.Softsign,
    nn.Tanh,
    nn.Tanhshrink,
    nn.Threshold,
)
MODULES = {
    **{cls.__name__: activation(cls) for cls in CLASSES},
    "RReLU": Mapped(activation(nn.RReLU), random=lambda sample: True),
}

ROWS = noise(50, 40)
SAMPLES = {
    "GELU": [Sample(("tanh",), {}, (ROWS,))],
    "Hardsigmoid": [Sample((), {}, (ROWS,))],
    "Hardtanh": [Sample((), {"min_val": -0.5, "max_val": 0.7}, (ROWS,))],
    "RReLU": [Sample((), {}, (ROWS,)), Sample((0.1, 0.9), {}, (noise(10, 20, 30),))],
    "Softplus": [Sample((), {"beta": 3.0, "threshold": 1.0}, (ROWS,))],
}
