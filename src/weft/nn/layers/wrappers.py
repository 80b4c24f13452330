"""Wrappers: a layer whose weight is computed from others, or kept as it is, instead of flags of every layer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from threading import RLock
from typing import Any

import numpy as np

from weft.errors import ArgumentError
from weft.graph.function import function
from weft.graph.op import floating
from weft.graph.recording import context
from weft.graph.spec import Spec
from weft.nn import functional
from weft.nn.check import positive, sizes
from weft.nn.layers.collections import checked
from weft.nn.layers.linear import Linear
from weft.nn.module import Module
from weft.nn.parameter import LateBuffer, Parameter
from weft.nn.registry import register
from weft.ops.exponential import sqrt
from weft.ops.rules import normalize_axis
from weft.tensor import Tensor

# ── what is computed instead of the weight ──────────────────────────────────────────────────────────────────


def _other_axes(ndim: int, axis: int | None) -> tuple[int, ...]:
    return tuple(k for k in range(ndim) if k != axis)


@function(takes=floating)
def _weight_norm(g: Any, v: Any, *, axis: int | None) -> Any:
    length = sqrt((v * v).sum(axis=_other_axes(v.ndim, axis), keepdims=axis is not None))
    return v * (g / length)


def _matrix(weight: Any, axis: int) -> Any:
    """The weight as a matrix with one row for each index of ``axis``."""
    order = (axis, *_other_axes(weight.ndim, axis))
    return weight.permute_dims(order).reshape(weight.shape[axis], -1)


def _unit(v: Any, eps: float) -> Any:
    return functional.normalize(v, axis=0, eps=eps)


@function(takes=floating)
def _over_largest(weight: Any, u: Any, v: Any, *, axis: int) -> Any:
    return weight / (u * (_matrix(weight, axis) @ v)).sum()


class Lengths:
    """The first value of g: the lengths of v, so that the weight begins as v itself."""

    def __init__(self, v: Parameter, axis: int | None) -> None:
        self.v, self.axis = v, axis

    def __call__(self, *_: Any, **fans: Any) -> Tensor:
        v = np.asarray(self.v.numpy(), np.float64)
        return Tensor(np.sqrt((v * v).sum(axis=_other_axes(v.ndim, self.axis), keepdims=self.axis is not None)))


class Singular:
    """The first values of u and v: the directions in which the weight stretches most, by fifteen power iterations."""

    def __init__(self, weight: Parameter, axis: int, left: bool) -> None:
        self.weight, self.axis, self.left = weight, axis, left

    def __call__(self) -> np.ndarray:
        weight = np.asarray(self.weight.numpy(), np.float64)
        w = np.moveaxis(weight, self.axis, 0).reshape(weight.shape[self.axis], -1)
        v = np.random.Generator(np.random.Philox(key=w.shape[1])).normal(size=w.shape[1])
        for _ in range(15):
            u = w @ v
            u /= max(float(np.linalg.norm(u)), 1e-12)
            v = w.T @ u
            v /= max(float(np.linalg.norm(v)), 1e-12)
        return u if self.left else v


# ── the wrappers ────────────────────────────────────────────────────────────────────────────────────────────


class Wrapper(Module, ABC):
    """What they have in common: the layer, whose state keeps its names, and whose sizes may wait for an input."""

    _saved_as = {"layer": ""}
    layer: Module

    def hold(self, layer: Any, name: str) -> None:
        """Take the layer, and its weight as soon as its size is known."""
        self.layer, self.name = checked(type(self).__name__, layer), name
        if not isinstance(vars(layer).get(name), Parameter):
            raise ArgumentError(
                f"{type(self).__name__} of {type(layer).__name__}, which has no parameter {name!r}",
                expected="a layer with a weight: Linear, Conv, ConvTranspose, Embedding, …",
            )
        self._sized = layer._sized
        if self._sized:
            self.take(vars(layer)[name])

    def infer(self, *inputs: Any) -> None:
        self.layer.infer(*inputs)
        object.__setattr__(self.layer, "_sized", True)
        self.take(vars(self.layer)[self.name])

    @abstractmethod
    def take(self, weight: Parameter) -> None:
        """Make what the weight is computed from."""

    @abstractmethod
    def computed(self) -> Any:
        """The weight that the layer is to use now."""

    @property
    def weight(self) -> Any:
        """The weight that the layer uses."""
        return self.computed()

    @contextmanager
    def in_place(self, weight: Any) -> Iterator[None]:
        """The layer with this weight for the length of a block, in which no other thread has the layer."""
        attributes = vars(self.layer)
        with attributes.setdefault("_lock", RLock()):
            own = attributes.get(self.name)
            attributes[self.name] = weight
            try:
                yield
            finally:
                if own is None:
                    del attributes[self.name]
                else:
                    attributes[self.name] = own

    def forward(self, *inputs: Any, **options: Any) -> Any:
        with self.in_place(self.computed()):
            return self.layer(*inputs, **options)

    def merge(self) -> Module:
        """The plain layer with the weight as it is now; it shares nothing with this one."""
        for p in self.layer.parameters():
            p.numpy()  # a first value that is still to be drawn is that of the name here
        with context.set(tracking=False), self.in_place(Parameter(self.computed().numpy())):
            made: Module = deepcopy(self.layer)
        return made.unfreeze()


def _axis(name: str, axis: Any, weight: Parameter) -> int:
    shape = weight.known_shape or weight.shape
    if not isinstance(axis, int) or not -len(shape) <= axis < len(shape):
        raise ArgumentError(
            f"{name}: axis={axis!r} of a weight of shape {shape}", expected=f"{-len(shape)} ≤ axis < {len(shape)}"
        )
    return normalize_axis(axis, len(shape))


@register
class WeightNorm(Wrapper):
    """A layer whose weight is g · v / ‖v‖, length and direction trained apart: Salimans and Kingma 2016.

    ``axis`` is the axis of the weight along which each slice has its own length; None gives the whole weight one.
    The names in the state are those of torch.nn.utils.parametrizations.weight_norm: ``parametrizations.weight.
    original0`` is g, ``original1`` is v. ``merge()`` gives the plain layer.

    >>> from weft import nn
    >>> sorted(nn.WeightNorm(nn.Linear(4, 3)).state_dict())
    ['bias', 'parametrizations.weight.original0', 'parametrizations.weight.original1']
    """

    def __init__(self, layer: Any, name: str = "weight", axis: int | None = 0) -> None:
        self.axis = axis
        self.hold(layer, name)

    def take(self, weight: Parameter) -> None:
        axis = None if self.axis is None else _axis("WeightNorm", self.axis, weight)
        shape = weight.known_shape or weight.shape
        lengths = () if axis is None else tuple(n if k == axis else 1 for k, n in enumerate(shape))
        original = f"parametrizations.{self.name}.original"
        object.__setattr__(self, "_saved_as", {"layer": "", "g": original + "0", "v": original + "1"})
        delattr(self.layer, self.name)
        self.v = weight
        self.g = Parameter.drawn(lengths, Lengths(weight, axis), dtype=weight.known_dtype)

    def computed(self) -> Any:
        return _weight_norm(self.g, self.v, axis=None if self.axis is None else self.axis % self.v.ndim)

    def extra_repr(self) -> str:
        return f"name={self.name!r}, axis={self.axis}"


@register
class SpectralNorm(Wrapper):
    """A layer whose weight is divided by its largest singular value: Miyato et al. 2018.

    The value is u · W v, with directions u and v (buffers) that each call in training mode improves by
    ``n_power_iterations`` power iterations. The weight counts as a matrix with a row for each index of ``axis``: by
    default that of the outputs. The names in the state are those of torch.nn.utils.parametrizations.spectral_norm:
    ``parametrizations.weight.original``, ``parametrizations.weight.0._u`` and ``….0._v``. ``merge()`` gives the plain
    layer.

    >>> import weft as wf
    >>> from weft import nn
    >>> layer = nn.SpectralNorm(nn.Linear(4, 3))
    >>> round(float(wf.linalg.matrix_norm(layer.weight, ord=2)), 2)
    1.0
    """

    def __init__(
        self,
        layer: Any,
        name: str = "weight",
        n_power_iterations: int = 1,
        eps: float = 1e-12,
        axis: int | None = None,
    ) -> None:
        sizes("SpectralNorm", 1, n_power_iterations=n_power_iterations)
        positive("SpectralNorm", eps=eps)
        self.n_power_iterations, self.eps, self.axis = n_power_iterations, eps, axis
        self.hold(layer, name)

    def take(self, weight: Parameter) -> None:
        shape = weight.known_shape or weight.shape
        if len(shape) < 2:
            raise ArgumentError(
                f"SpectralNorm of a weight of shape {shape}",
                expected="a weight of at least two axes",
                cure="WeightNorm",
            )
        usual = 1 if getattr(self.layer, "transposed", False) else 0
        self._row = _axis("SpectralNorm", usual if self.axis is None else self.axis, weight)
        rows, n = shape[self._row], int(np.prod(shape)) // shape[self._row]
        own = f"parametrizations.{self.name}"
        names = {"layer": "", "original": f"{own}.original", "u": f"{own}.0._u", "v": f"{own}.0._v"}
        object.__setattr__(self, "_saved_as", names)
        delattr(self.layer, self.name)
        self.original = weight
        self.u = LateBuffer(Spec((rows,), weight.known_dtype), Singular(weight, self._row, left=True))
        self.v = LateBuffer(Spec((n,), weight.known_dtype), Singular(weight, self._row, left=False))

    def reset_buffers(self) -> None:
        if self._sized:
            for buffer, left in ((self.u, True), (self.v, False)):
                buffer.settle(Singular(self.original, self._row, left)().astype(buffer.known_spec.dtype.numpy))

    def computed(self) -> Any:
        return _over_largest(self.original, self.u, self.v, axis=self._row)

    def forward(self, *inputs: Any, **options: Any) -> Any:
        if self.training:
            self.iterate()
        return super().forward(*inputs, **options)

    def iterate(self) -> None:
        """Turn u and v further towards the directions in which the weight stretches most."""
        with context.set(tracking=False):
            u, v, w = self.u, self.v, _matrix(self.original, self._row)
            for _ in range(self.n_power_iterations):
                u = _unit(w @ v, self.eps)
                v = _unit(w.T @ u, self.eps)
            self.u.assign(u)
            self.v.assign(v)

    def extra_repr(self) -> str:
        return f"name={self.name!r}, n_power_iterations={self.n_power_iterations}"


@register
class LoRA(Wrapper):
    """A frozen layer plus a trained change of low rank: W + alpha / rank · B A, as B begins at zero: Hu et al. 2021.

    Shapes: A (rank, in · …), B (out, rank), for the weight (out, in, …). The state of the layer keeps its names, so
    that of the plain layer loads with ``strict=False``; A and B are ``lora_A`` and ``lora_B``. ``merge()`` gives the
    plain layer with the change in its weight.

    >>> from weft import nn
    >>> layer = nn.LoRA(nn.Linear(4, 3), rank=2)
    >>> [name for name, p in layer.named_parameters() if p.requires_grad]
    ['lora_A', 'lora_B']
    >>> layer.merge()
    Linear(in_features=4, out_features=3, bias=True)
    """

    _fixed = ("layer",)

    def __init__(self, layer: Any, rank: int = 8, alpha: float | None = None, name: str = "weight") -> None:
        sizes("LoRA", 1, rank=rank)
        if alpha is not None:
            positive("LoRA", alpha=alpha)
        self.rank, self.alpha = rank, alpha
        self.hold(layer, name)
        layer.freeze()

    def take(self, weight: Parameter) -> None:
        shape = weight.known_shape or weight.shape
        if len(shape) < 2:
            raise ArgumentError(f"LoRA of a weight of shape {shape}", expected="a weight of at least two axes")
        n = int(np.prod(shape[1:]))
        self.lora_A = Parameter.drawn((self.rank, n), "fan_uniform", dtype=weight.known_dtype)
        self.lora_B = Parameter.drawn((shape[0], self.rank), "zeros", dtype=weight.known_dtype)

    @property
    def scale(self) -> float:
        """The factor of the change."""
        return 1.0 if self.alpha is None else self.alpha / self.rank

    def computed(self) -> Any:
        weight = vars(self.layer)[self.name]
        return weight + (self.lora_B @ self.lora_A).reshape(weight.shape) * self.scale

    def forward(self, *inputs: Any, **options: Any) -> Any:
        if type(self.layer) is Linear and self.name == "weight":  # two thin products instead of one as large as W
            x = inputs[0]
            return self.layer(x) + ((x @ self.lora_A.T) @ self.lora_B.T) * self.scale
        return super().forward(*inputs, **options)

    def extra_repr(self) -> str:
        return f"rank={self.rank}, alpha={self.alpha}"


@register
class Frozen(Module):
    """A layer or model that is not trained: no gradients for its parameters, in evaluation mode whatever the outer.

    Gradients with respect to its inputs pass. The state keeps the names of what is inside.

    >>> from weft import nn
    >>> model = nn.Sequential(nn.Frozen(nn.Linear(4, 3)), nn.Linear(3, 2)).unfreeze()
    >>> [name for name, p in model.named_parameters() if p.requires_grad]
    ['1.weight', '1.bias']
    """

    _fixed = ("layer",)
    _saved_as = {"layer": ""}

    def __init__(self, layer: Any) -> None:
        self.layer = checked("Frozen", layer)
        layer.freeze()
        layer.eval()

    def forward(self, *inputs: Any, **options: Any) -> Any:
        return self.layer(*inputs, **options)
