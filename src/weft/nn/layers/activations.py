"""Activations as layers: each names its function in `weft.nn.functional`, and the options that it keeps."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

from weft.errors import ArgumentError, ShapeError
from weft.graph.dtype import dtype as data_type
from weft.graph.dtype import float32
from weft.nn import functional
from weft.nn import init as initial
from weft.nn.check import ordered, positive, sizes
from weft.nn.functional.activation import gate_of, gelu_form
from weft.nn.module import Module
from weft.nn.parameter import Parameter
from weft.nn.registry import register
from weft.tensor import Tensor


class Activation(Module):
    """A function of one tensor, with those of the layer's attributes as options whose names stand in ``options``."""

    function: ClassVar[Callable[..., Tensor]]
    options: ClassVar[tuple[str, ...]] = ()

    def forward(self, x: Any) -> Tensor:
        return type(self).function(x, *[getattr(self, name) for name in self.options])

    def extra_repr(self) -> str:
        return ", ".join(f"{name}={getattr(self, name)!r}" for name in self.options)


# ── without options ─────────────────────────────────────────────────────────────────────────────────────────


@register
class ReLU(Activation):
    """max(x, 0)."""

    function = functional.relu


@register
class ReLU6(Activation):
    """x held between 0 and 6."""

    function = functional.relu6


@register
class Sigmoid(Activation):
    """1 / (1 + exp(−x)): into (0, 1). Give a loss ``…_with_logits`` what comes before it."""

    function = functional.sigmoid


@register
class LogSigmoid(Activation):
    """log sigmoid(x), without overflow."""

    function = functional.logsigmoid


@register
class Hardsigmoid(Activation):
    """x/6 + 1/2 held between 0 and 1."""

    function = functional.hardsigmoid


@register
class Tanh(Activation):
    """tanh x: into (−1, 1)."""

    function = functional.tanh


@register
class Tanhshrink(Activation):
    """x − tanh x."""

    function = functional.tanhshrink


@register
class Softsign(Activation):
    """x / (1 + |x|): into (−1, 1), more slowly than tanh."""

    function = functional.softsign


@register
class SiLU(Activation):
    """x·sigmoid(x), also called swish."""

    function = functional.silu


@register
class Hardswish(Activation):
    """x·hardsigmoid(x): Howard et al. 2019."""

    function = functional.hardswish


@register
class Mish(Activation):
    """x·tanh(softplus(x)): Misra 2019."""

    function = functional.mish


@register
class SELU(Activation):
    """The scaled ELU of self-normalising networks; start its weights with ``init.lecun_normal``."""

    function = functional.selu


# ── with options ────────────────────────────────────────────────────────────────────────────────────────────


@register
class LeakyReLU(Activation):
    """x where it is positive, ``slope``·x elsewhere."""

    function, options = functional.leaky_relu, ("slope",)

    def __init__(self, slope: float = 0.01) -> None:
        self.slope = slope


@register
class RReLU(Activation):
    """`LeakyReLU` with slopes drawn from [lower, upper) in training, with their mean otherwise: Xu et al. 2015."""

    function, options = functional.rrelu, ("lower", "upper")

    def __init__(self, lower: float = 1 / 8, upper: float = 1 / 3) -> None:
        if not lower <= upper:
            raise ArgumentError(f"RReLU: lower={lower!r}, upper={upper!r}", expected="lower ≤ upper")
        self.lower, self.upper = lower, upper

    def forward(self, x: Any) -> Tensor:
        return functional.rrelu(x, self.lower, self.upper, self.training)


@register
class PReLU(Module):
    """`LeakyReLU` with a trained slope, one for all channels (axis 1) or one for each: He et al. 2015.

    >>> import weft as wf
    >>> from weft import nn
    >>> nn.PReLU()(wf.tensor([-1.0, 2.0])).tolist()
    [-0.25, 2.0]
    """

    def __init__(self, num_parameters: int = 1, init: float = 0.25, dtype: Any = float32) -> None:
        sizes("PReLU", 1, num_parameters=num_parameters)
        self.num_parameters, self.init, self.dtype = num_parameters, init, data_type(dtype)
        self.weight = Parameter.drawn((num_parameters,), partial(initial.constant, value=init), dtype=dtype)

    def forward(self, x: Any) -> Tensor:
        return functional.prelu(x, self.weight)

    def extra_repr(self) -> str:
        return f"num_parameters={self.num_parameters}"


@register
class ELU(Activation):
    """x where it is positive, ``alpha``·(exp(x) − 1) elsewhere."""

    function, options = functional.elu, ("alpha",)

    def __init__(self, alpha: float = 1.0) -> None:
        positive("ELU", alpha=alpha)
        self.alpha = alpha


@register
class CELU(Activation):
    """x where it is positive, ``alpha``·(exp(x / alpha) − 1) elsewhere: Barron 2017."""

    function, options = functional.celu, ("alpha",)

    def __init__(self, alpha: float = 1.0) -> None:
        positive("CELU", alpha=alpha)
        self.alpha = alpha


@register
class GELU(Activation):
    """x·Φ(x) with Φ the normal distribution function; ``approximate="tanh"`` is the older formula."""

    function, options = functional.gelu, ("approximate",)

    def __init__(self, approximate: str = "none") -> None:
        gelu_form(approximate)
        self.approximate = approximate


@register
class Softplus(Activation):
    """log(1 + exp(βx)) / β: a smooth ReLU; x itself where βx exceeds ``threshold``, if one is given."""

    function, options = functional.softplus, ("beta", "threshold")

    def __init__(self, beta: float = 1.0, threshold: float | None = None) -> None:
        positive("Softplus", beta=beta)
        self.beta, self.threshold = beta, threshold


@register
class Threshold(Activation):
    """x above ``threshold``, ``value`` elsewhere."""

    function, options = functional.threshold, ("threshold", "value")

    def __init__(self, threshold: float, value: float) -> None:
        self.threshold, self.value = threshold, value


@register
class Hardtanh(Activation):
    """x held between ``low`` and ``high``."""

    function, options = functional.hardtanh, ("low", "high")

    def __init__(self, low: float = -1.0, high: float = 1.0) -> None:
        ordered("Hardtanh", low, high)
        self.low, self.high = low, high


@register
class Hardshrink(Activation):
    """0 where |x| ≤ ``size``, x elsewhere."""

    function, options = functional.hardshrink, ("size",)

    def __init__(self, size: float = 0.5) -> None:
        self.size = size


@register
class Softshrink(Activation):
    """0 where |x| ≤ ``size``, x moved towards 0 by ``size`` elsewhere."""

    function, options = functional.softshrink, ("size",)

    def __init__(self, size: float = 0.5) -> None:
        if not size >= 0:
            raise ArgumentError(f"Softshrink: size={size!r}", expected="size ≥ 0")
        self.size = size


# ── along an axis ───────────────────────────────────────────────────────────────────────────────────────────


@register
class GLU(Activation):
    """a·σ(b) for x = (a, b), two halves along ``axis``: a gated linear unit; Dauphin et al. 2016.

    ``activation`` is σ: "sigmoid", "silu" (SwiGLU), "gelu" (GEGLU), "relu" (ReGLU) or "identity"; Shazeer 2020.

    >>> import weft as wf
    >>> from weft import nn
    >>> nn.GLU(activation="relu")(wf.tensor([2.0, 3.0])).tolist()
    [6.0]
    """

    function, options = functional.glu, ("axis", "activation")

    def __init__(self, axis: int = -1, activation: str = "sigmoid") -> None:
        gate_of(activation)
        self.axis, self.activation = axis, activation


@register
class Softmax(Activation):
    """exp(x) / Σ exp(x) along ``axis``. Not before ``cross_entropy``, which takes logits and applies it itself."""

    function, options = functional.softmax, ("axis",)

    def __init__(self, axis: int = -1) -> None:
        self.axis = axis


@register
class Softmin(Activation):
    """`Softmax` of −x."""

    function, options = functional.softmin, ("axis",)

    def __init__(self, axis: int = -1) -> None:
        self.axis = axis


@register
class LogSoftmax(Activation):
    """log softmax(x) along ``axis``, for ``nll_loss``."""

    function, options = functional.log_softmax, ("axis",)

    def __init__(self, axis: int = -1) -> None:
        self.axis = axis


@register
class Softmax2d(Module):
    """`Softmax` over the channels at each place of (N, C, height, width) or (C, height, width)."""

    def forward(self, x: Any) -> Tensor:
        if x.ndim not in (3, 4):
            raise ShapeError(f"Softmax2d: an input of shape {x.shape}", expected="(N, C, height, width), or without N")
        return functional.softmax(x, -3)
