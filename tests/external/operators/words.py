"""How PyTorch's conventions are said in Weft's words: scalars that count as vectors, ``dim``, ``keepdim``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import weft as wf


def as_axis(dim: Any) -> Any:
    """PyTorch's ``dim``; no axes at all mean every one."""
    return tuple(dim) if isinstance(dim, list | tuple) and len(dim) else None if isinstance(dim, list | tuple) else dim


def as_row(x: Any) -> Any:
    """PyTorch lets a scalar pass for a vector of one element."""
    return x.reshape(1) if x.ndim == 0 else x


def over(f: Callable[..., Any], **fixed: Any) -> Callable[..., Any]:
    """A reduction, which takes axes."""

    def call(x: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
        x = x if dtype is None else x.astype(dtype)
        if x.ndim == 0:
            return f(as_row(x), axis=0, **fixed)
        return f(x, axis=as_axis(dim), keepdims=keepdim, **fixed)

    return call


def along(f: Callable[..., Any]) -> Callable[..., Any]:
    """A function along one axis whose results have its operand's shape."""

    def call(x: Any, dim: int = -1, *, dtype: Any = None) -> Any:
        x = x if dtype is None else x.astype(dtype)
        made = f(as_row(x), axis=dim)
        return made if x.ndim else made.reshape(())

    return call


def values(result: Any) -> Any:
    """Of values and their positions the values: where elements are equal, the libraries choose differently."""
    return result[0] if isinstance(result, tuple) else result


def scalar(x: Any) -> Any:
    """A number or a tensor with one element as a Python number."""
    return x.item() if isinstance(x, wf.Tensor) else x
