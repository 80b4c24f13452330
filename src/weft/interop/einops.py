"""Weft's tensors for einops: ``einops.rearrange(x, "b c h w -> b (c h w)")``, with gradients.

einops asks the subclasses of its ``AbstractBackend``; this module has ours and is imported when einops is.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from einops._backends import AbstractBackend

from weft.creation import arange
from weft.ops.assembling import concat, stack, tile
from weft.ops.einsum import einsum
from weft.ops.manipulation import broadcast_to, expand_dims, permute_dims
from weft.tensor import Tensor, tensor


class WeftBackend(AbstractBackend):  # type: ignore[misc]
    """What einops needs to know of tensors."""

    framework_name = "weft"

    def is_appropriate_type(self, x: Any) -> bool:
        return isinstance(x, Tensor)

    def from_numpy(self, x: np.ndarray) -> Tensor:
        return tensor(x, requires_grad=x.dtype.kind in "fc")

    def to_numpy(self, x: Tensor) -> np.ndarray:
        return x.numpy()

    def arange(self, start: int, stop: int) -> Any:
        return arange(start, stop)

    def transpose(self, x: Tensor, axes: Any) -> Any:
        return permute_dims(x, tuple(axes))

    def reduce(self, x: Tensor, operation: str, axes: Any) -> Any:
        return getattr(x, operation)(axis=tuple(axes))

    def stack_on_zeroth_dimension(self, tensors: list[Any]) -> Any:
        return stack(tensors)

    def add_axis(self, x: Tensor, new_position: int) -> Any:
        return expand_dims(x, axis=new_position)

    def add_axes(self, x: Tensor, n_axes: int, pos2len: dict[int, int]) -> Any:
        """New axes are broadcast, not copied."""
        for position in sorted(pos2len):
            x = self.add_axis(x, position)
        return broadcast_to(x, tuple(pos2len.get(k, n) for k, n in enumerate(x.shape)))

    def tile(self, x: Tensor, repeats: Any) -> Any:
        return tile(x, tuple(repeats))

    def concat(self, tensors: list[Any], axis: int) -> Any:
        return concat(tensors, axis=axis)

    def is_float_type(self, x: Tensor) -> bool:
        return x.dtype.is_differentiable

    def einsum(self, pattern: str, *x: Any) -> Any:
        return einsum(pattern, *x)

    def layers(self) -> Any:
        from weft.interop import einops_layers

        return einops_layers
