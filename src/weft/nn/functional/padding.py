"""Signals, pictures and volumes with something around them."""

from __future__ import annotations

from typing import Any

from weft.errors import ArgumentError, ShapeError
from weft.graph.function import function
from weft.nn.check import choice
from weft.ops import padding as ops
from weft.ops.reflection import reflected
from weft.tensor import Tensor, as_tensor

MODES = {"constant": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}  # in NumPy's words


@function
def _laid_around(x: Any, *, widths: Any, mode: str) -> Any:
    if mode == "reflect" and all(0 <= w < max(n, 1) for n, pair in zip(x.shape, widths, strict=True) for w in pair):
        return reflected(x, widths)
    return ops.pad(x, widths, mode=mode)


@function
def _constant_around(x: Any, value: Any, *, widths: Any) -> Any:
    return ops.pad(x, widths, value)


def pad(x: Any, padding: Any, mode: str = "constant", value: float = 0.0) -> Tensor:
    """``x`` with more elements at both ends of its last axes: ``padding`` (left, right, top, bottom, …).

    Pairs count from the last axis on, in PyTorch's order (`weft.pad` takes NumPy's). ``mode``: "constant" (``value``),
    "reflect" (mirrored at the outermost elements), "replicate" (the outermost again) or "circular" (from the other
    end). Negative numbers cut elements off.

    >>> import weft as wf
    >>> from weft.nn import functional as F
    >>> F.pad(wf.tensor([[1.0, 2.0, 3.0]]), (1, 2), mode="reflect").tolist()
    [[2.0, 1.0, 2.0, 3.0, 2.0, 1.0]]
    """
    x = as_tensor(x)
    choice("pad", "mode", mode, tuple(MODES))
    flat = tuple(padding) if isinstance(padding, tuple | list) else (padding,)
    if len(flat) % 2 or not all(isinstance(n, int) and not isinstance(n, bool) for n in flat):
        raise ArgumentError(
            f"pad: padding={padding!r}", expected="whole numbers in pairs (before, after), last axis first"
        )
    if len(flat) > 2 * x.ndim:
        raise ShapeError(
            f"pad: {len(flat) // 2} pairs for an input of shape {x.shape}", expected="at most one per axis"
        )
    pairs = [(flat[k], flat[k + 1]) for k in range(0, len(flat), 2)]
    widths = ((0, 0),) * (x.ndim - len(pairs)) + tuple(reversed(pairs))
    if mode == "constant":
        y: Tensor = _constant_around(x, value, widths=widths)
    else:
        y = _laid_around(x, widths=widths, mode=MODES[mode])
    return y
