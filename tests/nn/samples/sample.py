"""How a layer is made, and the shape of an input."""

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

    def input(self, seed: int = 0) -> wf.Tensor:
        random = np.random.default_rng(seed)
        if self.classes:
            return wf.tensor(random.integers(0, self.classes, self.shape))
        return wf.tensor(random.normal(size=self.shape).astype(np.float32))
