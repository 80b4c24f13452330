"""Linear algebra and Fourier transforms compute what PyTorch's do, with the same gradients to second order.

A loss is made of every result with random weights, so that it depends on all of it; of vectors with a free sign or
phase only what does not depend on that enters. PyTorch's convention for complex gradients is `wf.gradients`' too.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import weft as wf
from weft import fft, linalg

pytestmark = pytest.mark.filterwarnings("ignore::weft.RecompileWarning")  # one line calls them all
L, F = torch.linalg, torch.fft
rng = np.random.default_rng(11)


def matrices(*shape: int, like: type) -> np.ndarray:
    return rng.normal(size=shape) + (1j * rng.normal(size=shape) if like is complex else 0)


def gram(x: Any) -> Any:
    """A positive definite matrix, in either framework."""
    return x @ adjoint(x) + 1.0 * (x * 0 + x.shape[-1]) * _eye(x)


def adjoint(x: Any) -> Any:
    return x.mH if isinstance(x, torch.Tensor) else wf.conj(x.mT)


def _eye(x: Any) -> Any:
    return torch.eye(x.shape[-1], dtype=x.dtype) if isinstance(x, torch.Tensor) else wf.eye(x.shape[-1], dtype=x.dtype)


def squared(x: Any) -> Any:
    """|x|², which has no phase."""
    return (x * (x.conj() if isinstance(x, torch.Tensor) else wf.conj(x))).real


def projected(space: Any, x: Any) -> Any:
    """U S² Vh of a reduced singular value decomposition."""
    u, s, vh = space.svd(x, full_matrices=False)
    return s, (u * (s * s)[..., None, :]) @ vh


def eigen(space: Any, x: Any) -> Any:
    w, v = space.eigh(gram(x))
    return w, squared(v)


def any_eigen(space: Any, x: Any) -> Any:
    w, v = space.eig(x)
    return w.sum(), squared(w).sum(), (squared(v) * squared(w)[None, :]).sum(axis=-1)


BOTH: dict[str, tuple[Callable[[Any, Any], Any], tuple[int, ...]]] = {
    "cholesky": (lambda s, x: s.cholesky(gram(x)), (2, 3, 3)),
    "cholesky upper": (lambda s, x: s.cholesky(gram(x), upper=True), (3, 3)),
    "inv": (lambda s, x: s.inv(x), (2, 3, 3)),
    "det": (lambda s, x: s.det(x), (2, 3, 3)),
    "slogdet": (lambda s, x: tuple(s.slogdet(x)), (3, 3)),
    "solve": (lambda s, x: s.solve(x, adjoint(x)[..., :2]), (2, 3, 3)),
    "solve_triangular": (lambda s, x: s.solve_triangular(x, x @ x, upper=True), (3, 3)),
    "solve_triangular from the right": (lambda s, x: s.solve_triangular(x, x, upper=False, left=False), (3, 3)),
    "qr": (lambda s, x: tuple(s.qr(x)), (2, 4, 3)),
    "qr square": (lambda s, x: tuple(s.qr(x, mode="complete")), (3, 3)),
    "qr wide": (lambda s, x: tuple(s.qr(x)), (2, 4)),
    "svd": (projected, (2, 4, 3)),
    "svd wide": (projected, (2, 3)),
    "svdvals": (lambda s, x: s.svdvals(x), (2, 4, 3)),
    "eigh": (eigen, (3, 3)),
    "eigvalsh": (lambda s, x: s.eigvalsh(gram(x)), (3, 3)),
    "eig": (any_eigen, (3, 3)),
    "pinv": (lambda s, x: s.pinv(x), (4, 2)),
    "matrix_power": (lambda s, x: s.matrix_power(x, 3), (3, 3)),
    "matrix_power below zero": (lambda s, x: s.matrix_power(x, -2), (3, 3)),
    "vecdot": (lambda s, x: s.vecdot(x, x[0], **_along(s, -1)), (2, 3)),
    "cross": (lambda s, x: s.cross(x, x[:1] * x, **_along(s, -1)), (2, 3)),
    "diagonal": (lambda s, x: s.diagonal(x, offset=1), (2, 3, 4)),
    **{
        f"vector_norm {p}": (lambda s, x, p=p: s.vector_norm(x, ord=p), (2, 3))
        for p in (1, 2, 3, 0.5, -1.5, math.inf, -math.inf)
    },
    **{
        f"matrix_norm {p}": (lambda s, x, p=p: s.matrix_norm(x, ord=p), (2, 3))
        for p in ("fro", "nuc", 1, -1, 2, -2, math.inf)
    },
}


def _along(space: Any, axis: int) -> dict[str, int]:
    return {"dim" if space is L else "axis": axis}


TRANSFORMS: dict[str, dict[str, Any]] = {
    "fft": {"n": 5},
    "ifft": {"n": 3},
    "irfft": {},
    "hfft": {"norm": "forward"},
    "fftn": {"norm": "ortho"},
    "ifftn": {"s": (3, 4)},
    "irfftn": {"s": (3, 5)},
}
OF_REALS: dict[str, dict[str, Any]] = {"rfft": {"n": 5}, "ihfft": {"norm": "ortho"}, "rfftn": {"s": (3, 5)}}


def numbers(t: torch.Tensor) -> np.ndarray:
    return t.resolve_conj().numpy(force=True)


def compare(ours: Callable[[Any], Any], theirs: Callable[[Any], Any], data: np.ndarray) -> None:
    """Values, and the gradients of first and second order of a real loss."""
    x, t = wf.tensor(data, requires_grad=True), torch.tensor(data, requires_grad=True)
    y, z = (r if isinstance(r, tuple) else (r,) for r in (ours(x), theirs(t)))
    weights = [np.asarray(matrices(*part.shape, like=complex)) for part in y]
    for a, b in zip(y, z, strict=True):
        np.testing.assert_allclose(a.numpy(), numbers(b), rtol=1e-8, atol=1e-10)
    loss = sum((a * wf.tensor(w)).real.sum() for a, w in zip(y, weights, strict=True))
    other = sum((b * torch.tensor(w)).real.sum() for b, w in zip(z, weights, strict=True))
    g = wf.gradients(loss, x)
    (h,) = torch.autograd.grad(other, t, create_graph=True)
    np.testing.assert_allclose(g.numpy(), numbers(h), rtol=1e-7, atol=1e-9)
    if not h.requires_grad:  # a linear function: PyTorch knows that there is no more
        return
    direction = matrices(*data.shape, like=complex)
    again = wf.gradients((g * wf.tensor(direction)).real.sum(), x)
    (twice,) = torch.autograd.grad((h * torch.tensor(direction)).real.sum(), t, allow_unused=True)
    expected = 0 * data if twice is None else numbers(twice)
    np.testing.assert_allclose(again.numpy(), expected, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("like", [float, complex])
@pytest.mark.parametrize("name", BOTH)
def test_linalg(name: str, like: type) -> None:
    f, shape = BOTH[name]
    compare(lambda x: f(linalg, x), lambda x: f(L, x), matrices(*shape, like=like))


def test_expm() -> None:
    for like in (float, complex):
        compare(linalg.expm, torch.matrix_exp, matrices(2, 3, 3, like=like))


@pytest.mark.parametrize("name", TRANSFORMS)
def test_fft(name: str) -> None:
    options = TRANSFORMS[name]
    for like in (float, complex):
        compare(
            lambda x: getattr(fft, name)(x, **options),
            lambda x: getattr(F, name)(x, **options),
            matrices(2, 4, like=like),
        )


@pytest.mark.parametrize("name", OF_REALS)
def test_fft_of_reals(name: str) -> None:
    options = OF_REALS[name]
    ours, theirs = getattr(fft, name), getattr(F, name)
    compare(lambda x: ours(x, **options) ** 2, lambda x: theirs(x, **options) ** 2, matrices(2, 4, like=float))
