"""The bridge to PyTorch's module database: the same layer in both libraries, with the same weights and inputs.

Compared are the results, the gradients with respect to inputs and parameters, and the buffers afterwards.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch.utils._pytree import tree_map

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from torch.testing._internal.common_modules import module_db

import weft as wf
from weft import nn

from ..operators.bridge import agree, array, is_tracked, leaves, numbers, ours, paired, seed

PER_MODULE = 16  # samples of each class in each mode, spread evenly over the database's
DATABASE = {info.name.removeprefix("nn."): info for info in module_db}


@dataclass(frozen=True)
class Sample:
    """The arguments of a constructor, and those of a call: what both libraries are given."""

    arguments: tuple[Any, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)
    inputs: tuple[Any, ...] = ()
    named: dict[str, Any] = field(default_factory=dict)  # inputs by name

    def __str__(self) -> str:
        made = (self.arguments, self.options, self.inputs, self.named)
        return str(tree_map(lambda x: tuple(x.shape) if isinstance(x, torch.Tensor) else x, made))


@dataclass(frozen=True)
class Mapped:
    """A class of PyTorch in the words of Weft.

    ``make``    takes what PyTorch's constructor takes and gives our layer
    ``call``    applies our layer to what PyTorch's is applied to
    ``see``     of the results, what both must agree on: a pair (of ours, of theirs), or one for both
    ``random``  whether a sample draws random numbers in training: then only what is not random about it is compared
    ``skip``    reasons to leave out samples, each with a question about the sample
    """

    make: Callable[..., nn.Module]
    call: Callable[..., Any] = lambda layer, *inputs, **named: layer(*inputs, **named)
    see: Any = None
    random: Callable[[Sample], bool] = lambda sample: False
    skip: dict[str, Callable[[Sample], bool]] = field(default_factory=dict)


def noise(*shape: int, at: int = 0) -> torch.Tensor:
    """A tensor of normal numbers that requires a gradient, for samples of one's own."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(at)).requires_grad_()


def samples(name: str, mapped: Mapped, own: list[Sample], training: bool) -> tuple[list[Sample], int]:
    """The samples of a class, the same ones each time, and how many of the database's were left out for a reason."""
    every = list(own)
    if info := DATABASE.get(name):
        seed()
        given = info.module_inputs_func(info, "cpu", torch.float32, requires_grad=True, training=training)
        pairs = [(s.constructor_input, s.forward_input) for s in given]
        every += [Sample(c.args, c.kwargs, f.args, f.kwargs) for c, f in pairs]
    kept = [s for s in every if not any(skip(s) for skip in mapped.skip.values())]
    step = max(1.0, len(kept) / PER_MODULE)
    return [kept[int(k * step)] for k in range(min(PER_MODULE, len(kept)))], len(every) - len(kept)


# ── one sample by both libraries ────────────────────────────────────────────────────────────────────────────


def compare(name: str, mapped: Mapped, sample: Sample, training: bool) -> None:
    """Build both, give ours the state of theirs, and compare what they compute and what changes."""
    inputs = (tuple(sample.inputs), dict(sample.named))
    mine = tree_map(ours, inputs)
    theirs = peer(name, sample).train(training)
    layer = mapped.make(*tree_map(ours, tuple(sample.arguments)), **tree_map(ours, dict(sample.options)))
    layer.train(training)
    if any(p.known_shape is None for p in layer.parameters()):
        layer.build(*mine[0])
    layer.load_state_dict(theirs.state_dict())
    see_ours, see_theirs = mapped.see if isinstance(mapped.see, tuple) else (mapped.see, mapped.see)
    y, expected = mapped.call(layer, *mine[0], **mine[1]), theirs(*inputs[0], **inputs[1])
    found, wanted = leaves(see_ours(y) if see_ours else y), leaves(see_theirs(expected) if see_theirs else expected)
    assert len(found) == len(wanted), f"{len(found)} results instead of {len(wanted)}"
    if training and mapped.random(sample):
        resemble(found, wanted)
        return
    named = dict(layer.named_parameters())
    pairs = gradients(
        [*leaves(mine), *(named[path] for path, _ in theirs.named_parameters())],
        [*leaves(inputs), *theirs.parameters()],
        found,
        wanted,
    )
    wf.realize(*(t for t in (*found, *(g for g, _ in pairs), *layer.buffers()) if isinstance(t, wf.Tensor)))
    for a, b in zip(found, wanted, strict=True):
        if b is None:
            assert a is None
        else:
            agree(a, b, 1e-4, 1e-5, "value")
    for a, b in pairs:
        agree(a, b, 1e-3, 1e-4, "gradient")
    buffers = dict(theirs.named_buffers())
    assert set(dict(layer.named_buffers())) >= set(theirs.state_dict()) - set(named)
    for path, buffer in layer.named_buffers():
        agree(buffer, buffers[path], 1e-4, 1e-5, path)


def peer(name: str, sample: Sample) -> torch.nn.Module:
    """PyTorch's module; one that waits for the size of its input has seen one."""
    torch.manual_seed(0)
    made: torch.nn.Module = getattr(torch.nn, name)(*sample.arguments, **sample.options)
    if isinstance(made, torch.nn.modules.lazy.LazyModuleMixin):
        with torch.no_grad():
            made(*sample.inputs, **sample.named)
    return made.to(torch.float32)  # as PyTorch's own tests do: constructors may be given float64


def gradients(mine: list[Any], theirs: list[Any], found: list[Any], wanted: list[Any]) -> list[tuple[Any, Any]]:
    """Our gradient and PyTorch's for each input or parameter that requires one, for the same random cotangents."""
    smooth = [k for k, y in enumerate(wanted) if is_tracked(y)]
    inputs = [(x, y) for x, y in zip(mine, theirs, strict=True) if is_tracked(y)]
    if not smooth or not inputs:
        return []
    xs, originals = [x for x, _ in inputs], [y for _, y in inputs]
    generator = torch.Generator().manual_seed(1)
    cotangents = [torch.randn(wanted[k].shape, dtype=wanted[k].dtype, generator=generator) for k in smooth]
    given = torch.autograd.grad([wanted[k] for k in smooth], originals, cotangents, allow_unused=True)
    expected = [torch.zeros_like(y) if g is None else g for g, y in zip(given, originals, strict=True)]
    return list(paired([found[k] for k in smooth], xs, [wf.tensor(array(c)) for c in cotangents], expected))


def resemble(found: list[Any], wanted: list[Any]) -> None:
    """Random results: the same shape, and nearly the same share of zeros and the same mean and scale of the rest."""
    for a, b in zip(map(numbers, found), map(numbers, wanted), strict=True):
        assert a.shape == b.shape
        assert a.dtype == b.dtype
        near = 4 / a.size**0.5  # four standard deviations of a mean
        shares = [float((y == 0).mean()) for y in (a, b)]
        assert abs(shares[0] - shares[1]) <= near, f"shares of zeros: {shares}"
        scales = [float(np.sqrt((y * y).mean())) for y in (a, b)]
        assert abs(scales[0] - scales[1]) <= 2 * near * max(scales), f"scales: {scales}"
        means = [float(y.mean()) for y in (a, b)]
        assert abs(means[0] - means[1]) <= near * max(scales), f"means: {means}"
