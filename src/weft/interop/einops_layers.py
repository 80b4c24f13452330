"""einops' layers as modules: Rearrange, Reduce, and EinMix, the linear layer whose axes have names."""

from __future__ import annotations

from typing import Any

from einops.layers import RearrangeMixin, ReduceMixin
from einops.layers._einmix import _EinmixMixin

from weft import random
from weft.nn.module import Module
from weft.nn.parameter import Parameter
from weft.ops.einsum import einsum


class Rearrange(RearrangeMixin, Module):  # type: ignore[misc]
    """`einops.rearrange` as a layer: ``Rearrange("b c h w -> b (c h w)")``."""

    forward = RearrangeMixin._apply_recipe


class Reduce(ReduceMixin, Module):  # type: ignore[misc]
    """`einops.reduce` as a layer: ``Reduce("b c (h h2) (w w2) -> b c h w", "max", h2=2, w2=2)``."""

    forward = ReduceMixin._apply_recipe


class EinMix(_EinmixMixin, Module):  # type: ignore[misc]
    """A product with a weight, and a bias, whose axes have names: ``EinMix("b i -> b o", "i o", "o", i=4, o=8)``."""

    def _create_parameters(self, weight_shape: Any, weight_bound: float, bias_shape: Any, bias_bound: float) -> None:
        self.weight = Parameter(random.uniform(tuple(weight_shape), low=-weight_bound, high=weight_bound))
        self.bias = (
            None
            if bias_shape is None
            else Parameter(random.uniform(tuple(bias_shape), low=-bias_bound, high=bias_bound))
        )

    def _create_rearrange_layers(self, before: Any, before_sizes: Any, after: Any, after_sizes: Any) -> None:
        self.before = None if before is None else Rearrange(before, **before_sizes)  # type: ignore[call-arg]
        self.after = None if after is None else Rearrange(after, **after_sizes)  # type: ignore[call-arg]

    def forward(self, x: Any) -> Any:
        x = x if self.before is None else self.before(x)
        y = einsum(self.einsum_pattern, x, self.weight)
        y = y if self.bias is None else y + self.bias
        return y if self.after is None else self.after(y)
