"""Fourier transforms as people call them: along which axes, to which lengths, divided by what."""

from __future__ import annotations

from collections.abc import Sequence
from operator import index
from typing import Any

from weft.errors import ArgumentError, DTypeError
from weft.graph.dtype import DType, float32, int64
from weft.graph.dtype import dtype as data_type
from weft.graph.op import tensor_like
from weft.graph.recording import whereabouts
from weft.ops.comparison import where
from weft.ops.conversion import conj
from weft.ops.creation import iota_op
from weft.ops.fourier import TURNED, check_real, fft_op, irfft_op, rfft_op
from weft.ops.matrices import check_floating
from weft.ops.rules import Axes, normalize_axes, normalize_axis
from weft.ops.shape import pad_op, roll_op, slice_op

# ── what is transformed ─────────────────────────────────────────────────────────────────────────────────────


def _operand(name: str, x: Any, norm: str, *, real: bool = False) -> Any:
    if norm not in TURNED:
        raise ArgumentError(
            f"{name} with norm={norm!r}", expected="'backward', 'ortho' or 'forward'", where=whereabouts()
        )
    x = tensor_like(x)
    (check_real if real else check_floating)(name, x.node.spec)
    return x


def _length(name: str, axis: int, n: int) -> int:
    if n < 1:
        raise ArgumentError(
            f"{name} of {n} numbers along axis {axis}",
            expected="at least one",
            where=whereabouts(),
            cure="n=1, or more",
        )
    return n


def _fitted(x: Any, axis: int, n: int) -> Any:
    """``x`` cut, or filled with zeros, to ``n`` elements along ``axis``."""
    size = x.shape[axis]
    if n < size:
        return slice_op(x, bounds=tuple((0, n if k == axis else m, 1) for k, m in enumerate(x.shape)))
    if n > size:
        return pad_op(x, 0, widths=tuple((0, n - size if k == axis else 0) for k in range(x.ndim)))
    return x


def _plan(name: str, x: Any, s: Sequence[int] | None, axes: Sequence[int] | None) -> tuple[tuple[int, ...], list[int]]:
    """The axes of a transform over several, and for each the length asked for, or -1."""
    if axes is not None:
        chosen = normalize_axes(tuple(axes), x.ndim)
    elif s is None or len(s) <= x.ndim:
        chosen = tuple(range(x.ndim))[-len(s) if s else None :]
    else:
        chosen = ()
    lengths = [-1] * len(chosen) if s is None else [index(n) for n in s]
    if not chosen or len(lengths) != len(chosen):
        raise ArgumentError(
            f"{name} of a tensor of shape {x.shape} with s={s}, axes={axes}",
            expected="at least one axis, and a length in s for each",
            where=whereabouts(),
        )
    return chosen, lengths


def _whole(name: str, x: Any, axes: tuple[int, ...], lengths: list[int]) -> Any:
    """``x`` cut or filled to these lengths; -1 leaves an axis as it is."""
    for axis, n in zip(axes, lengths, strict=True):
        x = _fitted(x, axis, _length(name, axis, x.shape[axis] if n == -1 else n))
    return x


# ── the functions that people call ──────────────────────────────────────────────────────────────────────────


def fft(x: Any, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Any:
    """The spectrum Σⱼ xⱼ exp(−2πi·jk/n) for k = 0 … n − 1 along ``axis``, cut or filled with zeros to ``n``.

    ``norm`` says which way divides by n: "backward", "forward", or both by √n: "ortho".

    >>> from weft import fft
    >>> fft.fft([1.0, 0.0, 0.0, 0.0]).real.tolist()
    [1.0, 1.0, 1.0, 1.0]
    """
    return _transformed("fft", x, n, axis, norm, inverse=False)


def ifft(x: Any, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Any:
    """The inverse of `fft`: Σₖ xₖ exp(2πi·jk/n) / n along ``axis``.

    >>> from weft import fft
    >>> fft.ifft(fft.fft([1.0, 2.0])).real.tolist()
    [1.0, 2.0]
    """
    return _transformed("ifft", x, n, axis, norm, inverse=True)


def _transformed(name: str, x: Any, n: int | None, axis: int, norm: str, *, inverse: bool) -> Any:
    x = _operand(name, x, norm)
    at = normalize_axis(axis, x.ndim)
    whole = _whole(name, x, (at,), [-1 if n is None else _length(name, axis, n)])
    return fft_op(whole, axes=(at,), inverse=inverse, norm=norm)


def fftn(
    x: Any, /, *, s: Sequence[int] | None = None, axes: Sequence[int] | None = None, norm: str = "backward"
) -> Any:
    """`fft` over each of ``axes`` (by default all, or the last len(s)), cut or filled to the lengths ``s``.

    >>> from weft import fft
    >>> fft.fftn([[1.0, 0.0], [0.0, 0.0]]).real.tolist()
    [[1.0, 1.0], [1.0, 1.0]]
    """
    x = _operand("fftn", x, norm)
    chosen, lengths = _plan("fftn", x, s, axes)
    return fft_op(_whole("fftn", x, chosen, lengths), axes=chosen, inverse=False, norm=norm)


def ifftn(
    x: Any, /, *, s: Sequence[int] | None = None, axes: Sequence[int] | None = None, norm: str = "backward"
) -> Any:
    """The inverse of `fftn`.

    >>> from weft import fft
    >>> fft.ifftn(fft.fftn([[1.0, 2.0]])).real.tolist()
    [[1.0, 2.0]]
    """
    x = _operand("ifftn", x, norm)
    chosen, lengths = _plan("ifftn", x, s, axes)
    return fft_op(_whole("ifftn", x, chosen, lengths), axes=chosen, inverse=True, norm=norm)


def rfft(x: Any, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Any:
    """The first n//2 + 1 elements of `fft` of real numbers; the others are their conjugates.

    >>> from weft import fft
    >>> fft.rfft([1.0, 1.0, 1.0, 1.0]).real.tolist()
    [4.0, 0.0, 0.0]
    """
    x = _operand("rfft", x, norm, real=True)
    at = normalize_axis(axis, x.ndim)
    return rfft_op(_whole("rfft", x, (at,), [-1 if n is None else _length("rfft", axis, n)]), axis=at, norm=norm)


def irfft(x: Any, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Any:
    """The inverse of `rfft`: ``n`` real numbers, by default 2(m − 1) of a half spectrum of m.

    >>> from weft import fft
    >>> fft.irfft(fft.rfft([1.0, 2.0, 3.0]), n=3).round().tolist()
    [1.0, 2.0, 3.0]
    """
    return _from_half("irfft", _operand("irfft", x, norm), -1 if n is None else n, axis, norm)


def _from_half(name: str, x: Any, n: int, axis: int, norm: str) -> Any:
    at = normalize_axis(axis, x.ndim)
    length = _length(name, axis, 2 * (x.shape[at] - 1) if n == -1 else n)
    return irfft_op(_fitted(x, at, length // 2 + 1), n=length, axis=at, norm=norm)


def rfftn(
    x: Any, /, *, s: Sequence[int] | None = None, axes: Sequence[int] | None = None, norm: str = "backward"
) -> Any:
    """`rfft` over the last of ``axes``, then `fft` over the others.

    >>> from weft import fft
    >>> fft.rfftn([[1.0, 0.0, 0.0, 0.0]]).real.tolist()
    [[1.0, 1.0, 1.0]]
    """
    x = _operand("rfftn", x, norm, real=True)
    chosen, lengths = _plan("rfftn", x, s, axes)
    half = rfft_op(_whole("rfftn", x, chosen, lengths), axis=chosen[-1], norm=norm)
    return fft_op(half, axes=chosen[:-1], inverse=False, norm=norm) if chosen[:-1] else half


def irfftn(
    x: Any, /, *, s: Sequence[int] | None = None, axes: Sequence[int] | None = None, norm: str = "backward"
) -> Any:
    """The inverse of `rfftn`; the last of the lengths ``s`` is that of the real result.

    >>> from weft import fft
    >>> fft.irfftn(fft.rfftn([[1.0, 2.0], [3.0, 4.0]])).round().tolist()
    [[1.0, 2.0], [3.0, 4.0]]
    """
    x = _operand("irfftn", x, norm)
    chosen, lengths = _plan("irfftn", x, s, axes)
    if chosen[:-1]:
        x = fft_op(_whole("irfftn", x, chosen[:-1], lengths[:-1]), axes=chosen[:-1], inverse=True, norm=norm)
    return _from_half("irfftn", x, lengths[-1], chosen[-1], norm)


def hfft(x: Any, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Any:
    """The real spectrum of ``n`` numbers with x₋ₖ = x̄ₖ, of which ``x`` holds the first n//2 + 1.

    >>> from weft import fft
    >>> fft.hfft([1.0, 1.0, 1.0]).tolist()
    [4.0, 0.0, 0.0, 0.0]
    """
    x = _operand("hfft", x, norm)
    return _from_half("hfft", conj(x), -1 if n is None else n, axis, TURNED[norm])


def ihfft(x: Any, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Any:
    """The inverse of `hfft`: the first n//2 + 1 numbers whose spectrum is the real ``x``.

    >>> from weft import fft
    >>> fft.ihfft([4.0, 0.0, 0.0, 0.0]).real.tolist()
    [1.0, 1.0, 1.0]
    """
    x = _operand("ihfft", x, norm, real=True)
    return conj(rfft(x, n=n, axis=axis, norm=TURNED[norm]))


def frequencies(n: int, d: float, dtype: Any, *, half: bool) -> Any:
    """The frequencies k / (n·d) of a spectrum, or of its half, of ``n`` samples at distance ``d``."""
    to: DType = float32 if dtype is None else data_type(dtype)
    name = "rfftfreq" if half else "fftfreq"
    if not to.is_floating:
        raise DTypeError(f"{name} with dtype={to.name}", expected="a real floating-point type", cure="wf.float32")
    _length(name, 0, index(n))
    k = iota_op(shape=(n // 2 + 1 if half else n,), axis=0, dtype=int64)
    signed = k if half else where(k > (n - 1) // 2, k - n, k)
    return signed.astype(to) / (n * d)


def fftshift(x: Any, /, *, axes: Axes = None) -> Any:
    """``x`` turned along ``axes`` (by default all) so that frequency zero is in the middle.

    >>> from weft import fft
    >>> fft.fftshift([0.0, 1.0, -1.0]).tolist()
    [-1.0, 0.0, 1.0]
    """
    return _shifted(x, axes, lambda n: n // 2)


def ifftshift(x: Any, /, *, axes: Axes = None) -> Any:
    """The inverse of `fftshift`.

    >>> from weft import fft
    >>> fft.ifftshift([-1.0, 0.0, 1.0]).tolist()
    [0.0, 1.0, -1.0]
    """
    return _shifted(x, axes, lambda n: -(n // 2))


def _shifted(x: Any, axes: Axes, by: Any) -> Any:
    x = tensor_like(x)
    chosen = normalize_axes(tuple(axes) if isinstance(axes, Sequence) else axes, x.ndim)
    return roll_op(x, shift=tuple(by(x.shape[a]) for a in chosen), axis=chosen) if chosen else x
