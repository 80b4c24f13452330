"""PyTorch's gradcheck and gradgradcheck on Weft's functions: our rules against differences taken by somebody else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import weft as wf
from weft import fft, linalg
from weft.nn import functional as F
from weft.ops import joining, missing, quantiles, running, selection, special
from weft.transforms import vjp

pytestmark = pytest.mark.filterwarnings("ignore::weft.RecompileWarning")  # one line runs every function


class Weft(torch.autograd.Function):
    """A function of Weft as one of PyTorch's; its gradient is another such function, to any order."""

    @staticmethod
    def forward(ctx: Any, f: Callable[..., Any], *xs: torch.Tensor) -> Any:
        ctx.f = f
        ctx.save_for_backward(*xs)
        made = f(*(wf.tensor(x.detach().numpy()) for x in xs))
        results = made if isinstance(made, tuple) else (made,)
        wf.realize(*results)
        return tuple(torch.tensor(np.array(y.numpy())) for y in results)

    @staticmethod
    def backward(ctx: Any, *cotangents: torch.Tensor) -> Any:
        xs = ctx.saved_tensors

        def pulled(*operands: Any) -> Any:
            _, pullback = vjp(lambda *args: tuple_of(ctx.f(*args)), *operands[: len(xs)])
            found = pullback(operands[len(xs) :])
            return found if isinstance(found, tuple) else (found,)

        return None, *Weft.apply(pulled, *xs, *cotangents)


def tuple_of(made: Any) -> tuple[Any, ...]:
    return tuple(made) if isinstance(made, tuple) else (made,)


rng = np.random.default_rng(0)


def real(*shape: int, low: float = -2.0, high: float = 2.0) -> np.ndarray:
    """Numbers in a range, no two of which are close and none close to a whole number or a half."""
    size = int(np.prod(shape))
    steps = (rng.permutation(size) + 0.37) / size
    return (low + (high - low) * steps).reshape(shape)


def complex_numbers(*shape: int) -> np.ndarray:
    return real(*shape, low=0.3, high=1.5) * np.exp(1j * real(*shape, low=-1.2, high=1.2))


def positive(*shape: int) -> np.ndarray:
    return real(*shape, low=0.2, high=2.0)


X, Y, P, Z = real(2, 3), real(2, 3) + 0.11, positive(2, 3), complex_numbers(2, 3)
SQUARE = real(3, 3) + 3 * np.eye(3)
BATCH = real(2, 3, 3) + 3 * np.eye(3)
TALL = real(4, 3)
SIGNAL, KERNEL = real(1, 2, 5), real(3, 2, 2)
IMAGE, FILTER = real(1, 2, 4, 4), real(2, 2, 2, 2)
LABELS = wf.tensor(np.array([2, 0]))
ROWS = wf.tensor(np.array([[2, 0], [1, 1]]))
MASK = wf.tensor(np.array([[True, False, True], [False, True, True]]))


def symmetric(x: Any) -> Any:
    return (x + x.mT) / 2


def hermitian(z: Any) -> Any:
    return (z + wf.conj(z.mT)) / 2


CASES: dict[str, tuple[Callable[..., Any], tuple[np.ndarray, ...]]] = {
    # elementwise
    "arithmetic": (lambda x, y: x * y - x / y + wf.square(x), (X, Y)),
    "pow": (lambda x, y: x**y, (P, Y)),
    "exponential": (lambda x: wf.exp(x) + wf.expm1(x) * wf.exp2(x), (X,)),
    "logarithms": (lambda x: wf.log(x) * wf.log1p(x) + wf.log2(x) * wf.log10(x), (P,)),
    "roots": (lambda x: wf.sqrt(x) + wf.rsqrt(x) * wf.cbrt(x), (P,)),
    "trigonometric": (lambda x: wf.sin(x) * wf.cos(x) + wf.tan(x / 4), (X,)),
    "inverse trigonometric": (lambda x: wf.asin(x / 3) + wf.acos(x / 3) * wf.atan(x), (X,)),
    "hyperbolic": (lambda x: wf.sinh(x) + wf.cosh(x) * wf.tanh(x), (X,)),
    "inverse hyperbolic": (lambda x: wf.asinh(x) + wf.acosh(x + 4) * wf.atanh(x / 3), (X,)),
    "atan2 and hypot": (lambda x, y: wf.atan2(x, y) * wf.hypot(x, y), (X, Y)),
    "extremes": (lambda x, y: wf.maximum(x, y) ** 2 + wf.minimum(x, y) ** 3 + wf.clip(x, -1, 1) ** 2, (X, Y)),
    "remainders": (lambda x, y: wf.remainder(x, y) ** 2 + wf.fmod(x, y) ** 2, (X, positive(2, 3) + 1)),
    "sizes": (lambda x: wf.abs(x) ** 3 + wf.sign(x) * x**2, (X,)),
    "logaddexp": (wf.logaddexp, (X, Y)),
    "error functions": (lambda x: wf.erf(x) + special.erfc(x) * special.ndtr(x), (X,)),
    "inverse error functions": (lambda x: special.erfinv(x / 3) + special.ndtri(x), (real(2, 3, low=0.1, high=0.9),)),
    "gamma functions": (lambda x: special.lgamma(x) + special.digamma(x) * special.polygamma(1, x), (P,)),
    "bessel functions": (lambda x: special.i0(x) + special.i1(x) + special.i0e(x) * special.i1e(x), (X,)),
    "entropies": (lambda x, y: special.xlogy(x, y) + special.entr(y) + special.xlog1py(x, y), (X, P)),
    "sinc and logit": (lambda x: special.sinc(x) + special.logit(x), (real(2, 3, low=0.1, high=0.9),)),
    # reductions, order
    "sums": (lambda x: wf.sum(x**2, axis=1) * wf.mean(x**3, axis=1), (X,)),
    "products": (lambda x: wf.prod(x, axis=1), (X,)),
    "spread": (lambda x: wf.var(x, axis=1, correction=1) * wf.std(x, axis=1), (X,)),
    "logsumexp": (lambda x: wf.logsumexp(x, axis=0), (X,)),
    "max and min": (lambda x: wf.max(x, axis=1) ** 2 * wf.min(x, axis=1), (X,)),
    "running": (lambda x: wf.cumulative_sum(x**2, axis=1) + wf.cumulative_prod(x, axis=1), (X,)),
    "running logsumexp": (lambda x: running.cumulative_logsumexp(x, axis=1), (X,)),
    "order": (lambda x: wf.sort(x**2, axis=1) * selection.topk(x, 3)[0], (X,)),
    "quantiles": (lambda x: quantiles.quantile(x**2, [0.3, 0.8], axis=1), (X,)),
    "nan-aware": (lambda x: missing.nansum(x**2, axis=1) * missing.nanmean(x, axis=1), (X,)),
    # arranging, positions
    "shapes": (lambda x: wf.permute_dims(x.reshape(3, 2), (1, 0)) * wf.flip(wf.roll(x, 1, axis=1), axis=0), (X,)),
    "joining": (lambda x, y: joining.vstack([x**2, y]) * wf.concat([y, x], axis=0), (X, Y)),
    "repeating": (lambda x: wf.tile(x**2, (2, 1)) * wf.repeat(x, 2, axis=0), (X,)),
    "padding": (lambda x: wf.pad(x**2, ((1, 0), (1, 1)), mode="reflect") * wf.pad(x, ((1, 0), (0, 2)), 0.5), (X,)),
    "triangles": (lambda x: wf.tril(x) ** 2 + wf.triu(x, k=1) ** 3 + joining.rot90(x), (SQUARE,)),
    "positions": (lambda x: wf.take(x**2, ROWS, axis=1), (X,)),
    "positions along": (lambda x: wf.take_along_axis(x**2, ROWS, axis=1), (X,)),
    "writing": (lambda x, y: x.at[:, 1].set(y[:, 0] ** 2).at[0].add(y[1] * x[0]), (X, Y)),
    "writing twice": (lambda x, y: x.at[wf.tensor(np.array([1, 1]))].set(y**2), (X, Y)),
    "masks": (lambda x, y: wf.where(MASK, x**2, y**3), (X, Y)),
    # linear algebra
    "matmul": (lambda a, b: a @ b, (BATCH, TALL.T[:, :2].copy())),
    "einsum": (lambda a, b: wf.einsum("bij,jk->bk", a, b), (BATCH, TALL.T.copy())),
    "inverse": (linalg.inv, (BATCH,)),
    "solve": (linalg.solve, (SQUARE, TALL.T.copy())),
    "determinants": (lambda a: linalg.det(a) + linalg.slogdet(a)[1], (BATCH,)),
    "cholesky": (lambda a: linalg.cholesky(a @ a.mT + wf.eye(3, dtype="float64")), (SQUARE,)),
    "qr": (lambda a: tuple(linalg.qr(a)), (TALL,)),
    "eigh": (lambda a: linalg.eigh(symmetric(a))[0], (SQUARE,)),
    "singular values": (linalg.svdvals, (TALL,)),
    "pinv": (linalg.pinv, (TALL,)),
    "norms": (lambda a: linalg.vector_norm(a, axis=1, ord=3) * linalg.matrix_norm(a), (TALL,)),
    "expm": (linalg.expm, (SQUARE / 4,)),
    "matrix power": (lambda a: linalg.matrix_power(a, 3) + linalg.matrix_power(a, -1), (SQUARE,)),
    # networks
    "conv1d": (F.conv1d, (SIGNAL, KERNEL)),
    "conv2d": (lambda x, w: F.conv2d(x, w, stride=2, padding=1), (IMAGE, FILTER)),
    "conv_transpose2d": (lambda x, w: F.conv_transpose2d(x, w, stride=2), (IMAGE[..., :2, :2].copy(), FILTER)),
    "pooling": (lambda x: F.avg_pool2d(x**2, 2) + F.max_pool2d(x, 2) ** 2, (IMAGE,)),
    "interpolate": (lambda x: F.interpolate(x**2, (6, 5), mode="bilinear"), (IMAGE,)),
    "activations": (lambda x: F.gelu(x) + F.silu(x) * F.mish(x) + F.elu(x) * F.softplus(x), (X,)),
    "softmax": (lambda x: F.softmax(x) + F.log_softmax(x, axis=0), (X,)),
    "layer_norm": (lambda x, w, b: F.layer_norm(x, 3, w, b), (X, real(3), real(3))),
    "group_norm": (lambda x: F.group_norm(x, 2), (real(2, 4, 3),)),
    "cross_entropy": (lambda x: F.cross_entropy(x, LABELS, label_smoothing=0.1), (X,)),
    "binary_cross_entropy": (lambda x, t: F.binary_cross_entropy_with_logits(x, t), (X, real(2, 3, low=0.1, high=0.9))),
    "regression losses": (lambda x, y: F.huber_loss(x, y, delta=0.7) + F.mse_loss(x, y), (X, Y)),
    "distances": (lambda x, y: F.cdist(x, y) * F.cosine_similarity(x, y).sum(), (X, Y)),
    # complex numbers
    "complex arithmetic": (lambda z, w: z * w - z / w + wf.conj(z) * w, (Z, complex_numbers(2, 3))),
    "complex functions": (lambda z: wf.exp(z) * wf.sin(z) + wf.log(z) * wf.sqrt(z), (Z,)),
    "complex powers": (lambda z, w: z**w, (Z, complex_numbers(2, 3))),
    "complex parts": (lambda z: wf.real(z) * wf.imag(z) + wf.abs(z) ** 3, (Z,)),
    "complex sign": (lambda z: wf.sign(z) * wf.abs(z) ** 2, (Z,)),
    "complex from parts": (lambda x, y: wf.complex(x * y, x - y), (X, Y)),
    "complex matmul": (lambda a, b: a @ b.mT, (Z, complex_numbers(2, 3))),
    "complex inverse": (linalg.inv, (complex_numbers(3, 3) + 3 * np.eye(3),)),
    "complex eigh": (lambda z: linalg.eigh(hermitian(z))[0], (complex_numbers(3, 3),)),
    "fft": (lambda z: fft.fft(z**2), (Z,)),
    "rfft": (lambda x: fft.rfft(x**2, n=4), (X,)),
    "irfft": (lambda z: fft.irfft(z**2, n=5), (Z,)),
    "fftn": (lambda z: fft.ifftn(fft.fftn(z) ** 2), (Z,)),
}


@pytest.mark.parametrize("name", CASES)
def test_gradients_of_both_orders(name: str) -> None:
    f, operands = CASES[name]
    xs = [torch.tensor(x, requires_grad=True) for x in operands]
    call = lambda *xs: Weft.apply(f, *xs)
    assert torch.autograd.gradcheck(call, xs, fast_mode=True)
    assert torch.autograd.gradgradcheck(call, xs, fast_mode=True)


def test_a_gradient_wrong_by_one_percent_is_caught() -> None:
    from weft.transforms import custom_gradient

    @custom_gradient
    def wrong(x: Any) -> Any:
        return wf.sin(x), lambda g: 1.01 * g * wf.cos(x)

    x = torch.tensor(X, requires_grad=True)
    with pytest.raises(RuntimeError, match="Jacobian mismatch"):
        torch.autograd.gradcheck(lambda x: Weft.apply(wrong, x), [x], fast_mode=True)
