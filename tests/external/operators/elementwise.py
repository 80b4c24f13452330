"""Functions of each element."""

from __future__ import annotations

from typing import Any

import weft as wf
from weft.ops import special

from .bridge import Mapped


def scaled(f: Any) -> Any:
    """``f(x, alpha · y)``: what PyTorch's sums can do on the side."""
    return lambda x, y, *, alpha=1: f(x, y if alpha == 1 else y * alpha)


def divide(x: Any, y: Any, *, rounding_mode: str | None = None) -> Any:
    if rounding_mode == "floor":
        return wf.floor_divide(x, y)
    return wf.trunc(x / y) if rounding_mode == "trunc" else x / y


def double(x: Any) -> Any:
    x = wf.asarray(x)
    return x.astype(wf.complex128 if x.dtype.kind == "complex" else wf.float64)


def whole(f: Any) -> Mapped:
    return Mapped(f, dtype="int64")


OPERATORS = {
    # one operand
    "abs": wf.abs,
    "acos": wf.acos,
    "acosh": wf.acosh,
    "asin": wf.asin,
    "asinh": wf.asinh,
    "atan": wf.atan,
    "atanh": wf.atanh,
    "bitwise_not": whole(wf.bitwise_invert),
    "ceil": wf.ceil,
    "cos": wf.cos,
    "cosh": wf.cosh,
    "erf": wf.erf,
    "exp": wf.exp,
    "exp2": wf.exp2,
    "expm1": wf.expm1,
    "floor": wf.floor,
    "frac": lambda x: x - wf.trunc(x),
    "isfinite": wf.isfinite,
    "isinf": wf.isinf,
    "isnan": wf.isnan,
    "log": wf.log,
    "log10": wf.log10,
    "log1p": wf.log1p,
    "log2": wf.log2,
    "logical_not": wf.logical_not,
    "neg": wf.negative,
    "positive": wf.positive,
    "reciprocal": wf.reciprocal,
    "round": lambda x, decimals=0: x.round(decimals),
    "round.decimals_0": lambda x, decimals=0: x.round(decimals),
    "round.decimals_3": lambda x, decimals=0: x.round(decimals),
    "round.decimals_neg_3": lambda x, decimals=0: x.round(decimals),
    "rsqrt": wf.rsqrt,
    "sigmoid": wf.sigmoid,
    "sign": wf.sign,
    "sgn": wf.sign,
    "signbit": wf.signbit,
    "sin": wf.sin,
    "sinh": wf.sinh,
    "sqrt": wf.sqrt,
    "square": wf.square,
    "tan": wf.tan,
    "tanh": wf.tanh,
    "trunc": wf.trunc,
    # two operands
    "add": scaled(wf.add),
    "sub": scaled(wf.subtract),
    "rsub": lambda x, y, alpha=1: y - alpha * x,
    "mul": wf.multiply,
    "div.no_rounding_mode": divide,
    "div.trunc_rounding": divide,
    "div.floor_rounding": divide,
    "true_divide": wf.divide,
    "floor_divide": wf.floor_divide,
    "remainder": wf.remainder,
    "fmod": wf.fmod,
    "pow": wf.pow,
    "float_power": lambda x, y: wf.pow(double(x), double(y)),
    "atan2": wf.atan2,
    "hypot": wf.hypot,
    "copysign": wf.copysign,
    "logaddexp": wf.logaddexp,
    "nextafter": wf.nextafter,
    "maximum": wf.maximum,
    "minimum": wf.minimum,
    "max.binary": wf.maximum,
    "min.binary": wf.minimum,
    "clamp": wf.clip,
    "clamp_min": lambda x, low: wf.clip(x, min=low),
    "clamp_max": lambda x, high: wf.clip(x, max=high),
    "eq": wf.equal,
    "ne": wf.not_equal,
    "lt": wf.less,
    "le": wf.less_equal,
    "gt": wf.greater,
    "ge": wf.greater_equal,
    "logical_and": wf.logical_and,
    "logical_or": wf.logical_or,
    "logical_xor": wf.logical_xor,
    "bitwise_and": whole(wf.bitwise_and),
    "bitwise_or": whole(wf.bitwise_or),
    "bitwise_xor": whole(wf.bitwise_xor),
    "bitwise_left_shift": whole(wf.bitwise_left_shift),
    "bitwise_right_shift": whole(wf.bitwise_right_shift),
    "__radd__": lambda x, y: y + x,
    "__rdiv__": lambda x, y: y / x,
    "__rmul__": lambda x, y: y * x,
    "__rand__": whole(lambda x, y: y & x),
    "__ror__": whole(lambda x, y: y | x),
    "__rxor__": whole(lambda x, y: y ^ x),
    "__rmod__": lambda x, y: y % x,
    "__rpow__": lambda x, y: y**x,
    "__rsub__": lambda x, y: y - x,
    "__rmatmul__": lambda x, y: y @ x,
    "xlogy": special.xlogy,
    # three operands
    "where": lambda x, condition, y: wf.where(condition, x, y),
    "lerp": lambda x, y, w: x + w * (y - x),
    "addcmul": lambda x, a, b, *, value=1: x + value * a * b,
    "addcdiv": lambda x, a, b, *, value=1: x + value * a / b,
}
