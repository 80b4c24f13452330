"""How a layer is made, and the shapes of its inputs."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

import weft as wf
from weft import nn


@dataclass(frozen=True)
class Sample:
    make: Callable[[], nn.Module]
    shape: tuple[int, ...]
    classes: int = 0  # for inputs that are whole numbers below it
    more: tuple[tuple[int, ...], ...] = ()  # the shapes of further inputs
    random: bool = False  # whether training mode draws random numbers
    modes: bool = False  # whether training and evaluation mode differ without drawing
    mapped: bool = True  # whether it can be mapped over a batch of inputs
    rounding: float = 1.0  # how much more than usual is lost in 16 bits

    def input(self, seed: int = 0) -> wf.Tensor:
        random = np.random.default_rng(seed)
        if self.classes:
            return wf.tensor(random.integers(0, self.classes, self.shape))
        return wf.tensor(random.normal(size=self.shape).astype(np.float32))

    def inputs(self, seed: int = 0) -> list[wf.Tensor]:
        random = np.random.default_rng(seed + 100)
        rest = [wf.tensor(random.normal(size=shape).astype(np.float32)) for shape in self.more]
        return [self.input(seed), *rest]
