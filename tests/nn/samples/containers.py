"""Samples of containers, wrappers and models of symbols."""

from typing import Any

import weft as wf
from weft import nn

from .sample import Sample

ROWS, IMAGE = (4, 6), (2, 4, 6, 6)


@nn.register
class Scaled(nn.Module):
    """What uses the parameters of a list or a dict."""

    def __init__(self, factors: nn.Module) -> None:
        self.factors = factors

    def forward(self, x: Any) -> wf.Tensor:
        members = self.factors.values() if isinstance(self.factors, nn.ParameterDict) else self.factors
        for factor in members:
            x = x * factor + factor
        return x


@nn.register
class Split(nn.Module):
    """What sums up the results of parallel branches."""

    def __init__(self, branches: nn.Module) -> None:
        self.branches = branches

    def forward(self, x: Any) -> wf.Tensor:
        first, second = self.branches(x)
        y: wf.Tensor = first * second
        return y


def model() -> nn.Module:
    x = nn.Input((6,))
    shared = nn.Linear(6)
    h = shared(nn.Tanh()(shared(x)))
    return nn.Model(x, nn.Linear(2)(nn.concat([h[:, 1:], (2 - x).relu()])))


SAMPLES: dict[str, Sample] = {
    "Concat": Sample(lambda: nn.Concat(nn.Linear(2), nn.Identity()), ROWS),
    "Frozen": Sample(lambda: nn.Frozen(nn.Linear(3)), ROWS),
    "LoRA": Sample(lambda: nn.LoRA(nn.Conv2d(3, 3), rank=2, alpha=4.0), IMAGE),
    "Model": Sample(model, ROWS),
    "Parallel": Sample(lambda: Split(nn.Parallel(nn.Linear(3), nn.Linear(3, bias=False))), ROWS),
    "ParameterDict": Sample(lambda: Scaled(nn.ParameterDict({"a": [1.0] * 6, "b": [0.5]})), ROWS),
    "ParameterList": Sample(lambda: Scaled(nn.ParameterList([[2.0], [[1.0] * 6]])), ROWS),
    "Residual": Sample(lambda: nn.Residual(nn.Linear(3), shortcut=nn.Linear(3, bias=False)), ROWS),
    "Sequential": Sample(lambda: nn.Sequential({"first": nn.Linear(3), "second": nn.Tanh()}), ROWS),
    "SpectralNorm": Sample(lambda: nn.SpectralNorm(nn.Linear(3)), ROWS, mapped=True),
    "WeightNorm": Sample(lambda: nn.WeightNorm(nn.Conv2d(3, 3)), IMAGE),
}
