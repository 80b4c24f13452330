"""Samples of activations."""

from typing import Any

from weft import nn

from .sample import Sample

ROWS, IMAGE = (4, 6), (2, 4, 6, 6)
ARGUMENTS: dict[str, tuple[Any, ...]] = {
    "CELU": (0.5,),
    "ELU": (0.5,),
    "GELU": ("tanh",),
    "GLU": (-1, "silu"),
    "Hardshrink": (0.3,),
    "Hardsigmoid": (),
    "Hardswish": (),
    "Hardtanh": (-0.5, 0.7),
    "LeakyReLU": (0.2,),
    "LogSigmoid": (),
    "LogSoftmax": (),
    "Mish": (),
    "PReLU": (6,),
    "RReLU": (0.2, 0.2),  # one slope, so that the result is not random
    "ReLU": (),
    "ReLU6": (),
    "SELU": (),
    "SiLU": (),
    "Sigmoid": (),
    "Softmax": (),
    "Softmin": (0,),
    "Softplus": (2.0, 1.0),
    "Softshrink": (0.3,),
    "Softsign": (),
    "Tanh": (),
    "Tanhshrink": (),
    "Threshold": (0.1, -2.0),
}


def sample(name: str) -> Sample:
    return Sample(lambda: getattr(nn, name)(*ARGUMENTS[name]), ROWS)


SAMPLES: dict[str, Sample] = {
    **{name: sample(name) for name in ARGUMENTS},
    "Softmax2d": Sample(lambda: nn.Softmax2d(), IMAGE),
}
