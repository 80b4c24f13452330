"""The bridge to PyTorch's operator database: its samples, run by both libraries, compared in value and gradient."""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import numpy as np
import torch
from torch.utils._pytree import tree_flatten, tree_map

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from torch.testing._internal.common_methods_invocations import op_db

import weft as wf
from weft.errors import GradientError

PER_OPERATOR = 8  # samples of each operator, spread evenly over the first of the database's
FIRST = 160
Skip = Callable[..., bool]


@dataclass(frozen=True)
class Mapped:
    """An operator of PyTorch in the words of Weft.

    ``call``       takes what PyTorch's operator takes and says it with Weft's public functions
    ``dtype``      the type of the samples: floating unless the operator has no floating-point form
    ``see``        of the results, what both libraries must agree on: a pair (of ours, of theirs), or one for both
    ``gradients``  whether PyTorch's gradients are compared as well
    ``prepare``    what both libraries do to the first argument before the operator sees it
    ``skip``       reasons to leave out samples, each with a question about the sample's arguments
    """

    call: Callable[..., Any]
    dtype: str = "float32"
    see: Any = None
    gradients: bool = True
    prepare: Callable[[Any], Any] = lambda x: x
    skip: dict[str, Skip] = field(default_factory=dict)


def name_of(op: Any) -> str:
    """The operator's name, with that of its variant if it has several."""
    return op.name + (f".{op.variant_test_name}" if op.variant_test_name else "")


DATABASE = {name_of(op): op for op in op_db}


def seed(value: int = 0) -> None:
    torch.manual_seed(value)
    random.seed(value)
    np.random.seed(value)  # noqa: NPY002  # the database's own generator


def samples(name: str, mapped: Mapped, most: int = PER_OPERATOR) -> tuple[list[Any], int]:
    """The samples of an operator, the same ones each time, and how many of the database's were left out."""
    seed()
    op, dtype = DATABASE[name], getattr(torch, mapped.dtype)
    wants = mapped.gradients and op.supports_autograd and (dtype.is_floating_point or dtype.is_complex)
    every = list(islice(op.sample_inputs("cpu", dtype, requires_grad=wants), FIRST))
    kept = [s for s in every if not any(skip(s.input, *s.args, **s.kwargs) for skip in mapped.skip.values())]
    step = max(1.0, len(kept) / most)
    return [kept[int(k * step)] for k in range(min(most, len(kept)))], len(every) - len(kept)


# ── from one library to the other ───────────────────────────────────────────────────────────────────────────


def ours(x: Any) -> Any:
    """A leaf of a sample in Weft's terms."""
    if isinstance(x, torch.Tensor):
        return wf.tensor(array(x), requires_grad=x.requires_grad)
    if isinstance(x, torch.dtype):
        return getattr(wf, str(x).removeprefix("torch."))
    return tuple(x) if isinstance(x, torch.Size) else x


def array(x: torch.Tensor) -> np.ndarray:
    return np.array(x.detach().resolve_conj().resolve_neg().numpy(force=True))


def leaves(x: Any) -> list[Any]:
    return tree_flatten(x)[0]


def numbers(x: Any) -> np.ndarray:
    """A result as an array, whichever library or kind of number it is."""
    if isinstance(x, torch.Tensor):
        return array(x)
    return x.numpy() if isinstance(x, wf.Tensor) else np.asarray(x)


# ── the comparison ──────────────────────────────────────────────────────────────────────────────────────────


def compare(name: str, mapped: Mapped, sample: Any) -> None:
    """One sample by both libraries: the values agree, and the gradients for one random cotangent."""
    arguments = (sample.input, tuple(sample.args), dict(sample.kwargs))
    mine = tree_map(ours, arguments)
    see_ours, see_theirs = mapped.see if isinstance(mapped.see, tuple) else (mapped.see, mapped.see)
    theirs = DATABASE[name](mapped.prepare(sample.input), *sample.args, **sample.kwargs)
    expected = leaves(see_theirs(theirs) if see_theirs else theirs)
    made = mapped.call(mapped.prepare(mine[0]), *mine[1], **mine[2])
    found = leaves(see_ours(made) if see_ours else made)
    assert len(found) == len(expected), f"{len(found)} results instead of {len(expected)}"
    pairs = list(gradients(arguments, mine, found, expected)) if mapped.gradients else []
    wf.realize(*(t for t in (*found, *(g for g, _ in pairs)) if isinstance(t, wf.Tensor)))
    for a, b in zip(found, expected, strict=True):
        agree(a, b, 1e-4, 1e-5, "value")
    for a, b in pairs:
        agree(a, b, 1e-3, 1e-4, "gradient")


def agree(found: Any, expected: Any, rtol: float, atol: float, what: str) -> None:
    """The same shape, the same kind of number, and the same numbers; whole numbers exactly."""
    a, b = numbers(found), numbers(expected)
    assert a.shape == b.shape, f"{what} of shape {a.shape} instead of {b.shape}"
    assert a.dtype.kind.replace("u", "i") == b.dtype.kind.replace("u", "i"), f"{what} of type {a.dtype}, not {b.dtype}"
    if b.dtype.kind in "fc":
        np.testing.assert_allclose(a, b, rtol=rtol, atol=atol, equal_nan=True, err_msg=what)
    else:
        np.testing.assert_array_equal(a, b, err_msg=what)


def gradients(arguments: Any, mine: Any, found: list[Any], expected: list[Any]) -> list[tuple[Any, Any]]:
    """For each input that requires one, our gradient and PyTorch's, for the same cotangents."""
    smooth = [k for k, y in enumerate(expected) if isinstance(y, torch.Tensor) and y.requires_grad]
    inputs = [(x, y) for x, y in zip(leaves(mine), leaves(arguments), strict=True) if is_tracked(y)]
    if not smooth or not inputs:
        return []
    xs, originals = [x for x, _ in inputs], [y for _, y in inputs]
    generator = torch.Generator().manual_seed(1)
    cotangents = [torch.randn(expected[k].shape, dtype=expected[k].dtype, generator=generator) for k in smooth]
    given = torch.autograd.grad([expected[k] for k in smooth], originals, cotangents, allow_unused=True)
    theirs = [torch.zeros_like(y) if g is None else g for g, y in zip(given, originals, strict=True)]
    return list(paired([found[k] for k in smooth], xs, [wf.tensor(array(c)) for c in cotangents], theirs))


def is_tracked(x: Any) -> bool:
    return isinstance(x, torch.Tensor) and x.requires_grad


def paired(ys: list[Any], xs: list[Any], cotangents: list[Any], theirs: list[Any]) -> Iterator[tuple[Any, Any]]:
    """Our gradients next to theirs; that a result does not depend on an input counts as zero, which theirs must be."""
    try:
        yield from zip(wf.gradients(ys, xs, cotangents=cotangents), theirs, strict=True)
    except GradientError as error:
        if not any(words in str(error) for words in ("does not depend", "depends on nothing")):
            raise
        if len(xs) > 1:
            for x, g in zip(xs, theirs, strict=True):
                yield from paired(ys, [x], cotangents, [g])
        elif theirs[0].any():
            raise AssertionError(f"no gradient where PyTorch has one: {error}") from error
