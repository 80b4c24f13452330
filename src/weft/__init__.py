"""Weft: neural networks from tensors to trustworthy training; the namespace of the Python Array API standard too."""

from math import e, inf, nan, pi

from weft import augment, control, data, errors, fft, interop, linalg, nn, optim, overfit, random, special, view
from weft.control import cond, scan, while_loop
from weft.creation import (
    arange,
    asarray,
    empty,
    empty_like,
    eye,
    from_dlpack,
    full,
    full_like,
    linspace,
    ones,
    ones_like,
    zeros,
    zeros_like,
)
from weft.errors import WeftError
from weft.graph.dtype import (
    DType,
    bfloat16,
    complex64,
    complex128,
    float16,
    float32,
    float64,
    int8,
    int16,
    int32,
    int64,
    uint8,
    uint16,
    uint32,
    uint64,
)
from weft.graph.dtype import bool_ as bool
from weft.graph.text import tensor_text as text
from weft.inspection import __array_namespace_info__, astype, can_cast, finfo, iinfo, isdtype, result_type
from weft.nn.summary import summary
from weft.ops.accumulation import cumulative_prod, cumulative_sum, cumulative_trapezoid, diff, trapezoid
from weft.ops.arithmetic import (
    abs,
    add,
    ceil,
    clip,
    copysign,
    divide,
    floor,
    floor_divide,
    fmod,
    gcd,
    heaviside,
    lcm,
    maximum,
    minimum,
    multiply,
    negative,
    nextafter,
    positive,
    reciprocal,
    remainder,
    round,
    sign,
    square,
    subtract,
    trunc,
)
from weft.ops.assembling import concat, meshgrid, repeat, split, stack, tile, unstack
from weft.ops.comparison import (
    bitwise_and,
    bitwise_invert,
    bitwise_left_shift,
    bitwise_or,
    bitwise_right_shift,
    bitwise_xor,
    equal,
    greater,
    greater_equal,
    isfinite,
    isinf,
    isnan,
    less,
    less_equal,
    logical_and,
    logical_not,
    logical_or,
    logical_xor,
    not_equal,
    signbit,
    where,
)
from weft.ops.conversion import complex_of as complex
from weft.ops.conversion import conj, imag, real
from weft.ops.counting import bincount, bucketize, histogram
from weft.ops.covariance import corrcoef, cov
from weft.ops.creation import tril, triu
from weft.ops.exponential import (
    cbrt,
    erf,
    exp,
    exp2,
    expm1,
    hypot,
    ldexp,
    log,
    log1p,
    log2,
    log10,
    logaddexp,
    logaddexp2,
    relu,
    rsqrt,
    sigmoid,
    softplus,
    sqrt,
)
from weft.ops.exponential import power as pow
from weft.ops.joining import (
    array_split,
    atleast_1d,
    atleast_2d,
    atleast_3d,
    block_diag,
    column_stack,
    dstack,
    hstack,
    kron,
    rot90,
    vstack,
)
from weft.ops.linalg import einsum, matmul, outer, tensordot, vecdot
from weft.ops.manipulation import (
    broadcast_arrays,
    broadcast_tensors,
    broadcast_to,
    expand_dims,
    flatten,
    flip,
    matrix_transpose,
    moveaxis,
    permute_dims,
    reshape,
    roll,
    squeeze,
    swapaxes,
)
from weft.ops.matrices import diag
from weft.ops.missing import allclose, fmax, fmin, isclose, isneginf, isposinf, isreal, nan_to_num, nanmean, nansum
from weft.ops.padding import pad
from weft.ops.quantiles import median, nanmedian, nanquantile, quantile
from weft.ops.rules import broadcast_shapes
from weft.ops.running import cumulative_logsumexp
from weft.ops.searching import nonzero, one_hot, take, take_along_axis
from weft.ops.segments import segment_max, segment_mean, segment_min, segment_prod, segment_sum
from weft.ops.selection import cummax, cummin, kthvalue, mode, topk
from weft.ops.sets import isin, unique_all, unique_counts, unique_inverse, unique_values
from weft.ops.sorting import argsort, searchsorted, sort
from weft.ops.special import digamma, erfc, erfinv, lgamma
from weft.ops.statistics import all, any, argmax, argmin, count_nonzero, logsumexp, max, mean, min, prod, std, sum, var
from weft.ops.trigonometry import (
    acos,
    acosh,
    angle,
    asin,
    asinh,
    atan,
    atan2,
    atanh,
    cos,
    cosh,
    deg2rad,
    rad2deg,
    sin,
    sinh,
    tan,
    tanh,
)
from weft.ops.windows import sliding_windows
from weft.overfit import Diagnosis, Evidence, diagnose
from weft.runtime.compiled import compile
from weft.runtime.devices import Device, devices
from weft.runtime.explanation import RecompileWarning, explain
from weft.runtime.log import device, realize
from weft.runtime.mesh import Mesh
from weft.studies import (
    Population,
    bias_variance,
    compare,
    cross_validate,
    learning_curve,
    prescribe,
    validation_curve,
)
from weft.tensor import Tensor, as_tensor, tensor
from weft.train import callbacks, metrics
from weft.train.callback import Callback, SkipBatch, StopTraining
from weft.train.finder import find_learning_rate
from weft.train.history import History
from weft.train.metrics import Metric
from weft.train.run import Run
from weft.train.sanity import sanity_check
from weft.train.saving import load, save
from weft.train.trainer import Trainer, fit
from weft.transforms import (
    checkpoint,
    custom_gradient,
    grad,
    gradients,
    hessian,
    hvp,
    jacobian,
    jvp,
    no_grad,
    value_and_grad,
    vjp,
    vmap,
)
from weft.view.graph.svg import Drawing, draw

__version__ = "0.1.0"
__array_api_version__ = "2024.12"
newaxis = None

# fmt: off
__all__ = [
    "Callback", "DType", "Device", "Diagnosis", "Drawing", "Evidence", "History", "Mesh", "Metric", "Population",
    "RecompileWarning", "Run", "SkipBatch", "StopTraining", "Tensor", "Trainer", "WeftError",
    "__array_namespace_info__", "abs", "acos", "acosh", "add", "all", "allclose", "angle", "any", "arange",
    "argmax", "argmin", "argsort", "array_split", "as_tensor", "asarray", "asin", "asinh", "astype", "atan",
    "atan2", "atanh", "atleast_1d", "atleast_2d", "atleast_3d", "augment", "bfloat16", "bias_variance", "bincount",
    "bitwise_and", "bitwise_invert", "bitwise_left_shift", "bitwise_or", "bitwise_right_shift", "bitwise_xor",
    "block_diag", "bool", "broadcast_arrays", "broadcast_shapes", "broadcast_tensors", "broadcast_to", "bucketize",
    "callbacks", "can_cast", "cbrt", "ceil", "checkpoint", "clip", "column_stack", "compare", "compile", "complex",
    "complex64", "complex128", "concat", "cond", "conj", "control", "copysign", "corrcoef", "cos", "cosh",
    "count_nonzero", "cov", "cross_validate", "cummax", "cummin", "cumulative_logsumexp", "cumulative_prod",
    "cumulative_sum", "cumulative_trapezoid", "custom_gradient", "data", "deg2rad", "device", "devices", "diag",
    "diagnose", "diff", "digamma", "divide", "draw", "dstack", "e", "einsum", "empty", "empty_like", "equal", "erf",
    "erfc", "erfinv", "errors", "exp", "exp2", "expand_dims", "explain", "expm1", "eye", "fft",
    "find_learning_rate", "finfo", "fit", "flatten", "flip", "float16", "float32", "float64", "floor",
    "floor_divide", "fmax", "fmin", "fmod", "from_dlpack", "full", "full_like", "gcd", "grad", "gradients",
    "greater", "greater_equal", "heaviside", "hessian", "histogram", "hstack", "hvp", "hypot", "iinfo", "imag",
    "inf", "int8", "int16", "int32", "int64", "interop", "isclose", "isdtype", "isfinite", "isin", "isinf", "isnan",
    "isneginf", "isposinf", "isreal", "jacobian", "jvp", "kron", "kthvalue", "lcm", "ldexp", "learning_curve",
    "less", "less_equal", "lgamma", "linalg", "linspace", "load", "log", "log1p", "log2", "log10", "logaddexp",
    "logaddexp2", "logical_and", "logical_not", "logical_or", "logical_xor", "logsumexp", "matmul",
    "matrix_transpose", "max", "maximum", "mean", "median", "meshgrid", "metrics", "min", "minimum", "mode",
    "moveaxis", "multiply", "nan", "nan_to_num", "nanmean", "nanmedian", "nanquantile", "nansum", "negative",
    "newaxis", "nextafter", "nn", "no_grad", "nonzero", "not_equal", "one_hot", "ones", "ones_like", "optim",
    "outer", "overfit", "pad", "permute_dims", "pi", "positive", "pow", "prescribe", "prod", "quantile", "rad2deg",
    "random", "real", "realize", "reciprocal", "relu", "remainder", "repeat", "reshape", "result_type", "roll",
    "rot90", "round", "rsqrt", "sanity_check", "save", "scan", "searchsorted", "segment_max", "segment_mean",
    "segment_min", "segment_prod", "segment_sum", "sigmoid", "sign", "signbit", "sin", "sinh", "sliding_windows",
    "softplus", "sort", "special", "split", "sqrt", "square", "squeeze", "stack", "std", "subtract", "sum",
    "summary", "swapaxes", "take", "take_along_axis", "tan", "tanh", "tensor", "tensordot", "text", "tile", "topk",
    "trapezoid", "tril", "triu", "trunc", "uint8", "uint16", "uint32", "uint64", "unique_all", "unique_counts",
    "unique_inverse", "unique_values", "unstack", "validation_curve", "value_and_grad", "var", "vecdot", "view", "vjp",
    "vmap", "vstack", "where", "while_loop", "zeros", "zeros_like",
]
# fmt: on
