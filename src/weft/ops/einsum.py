"""Sums of products by Einstein's convention."""

from __future__ import annotations

from typing import Any

from weft.errors import ArgumentError, ShapeError
from weft.graph.op import Op, tensor_like
from weft.graph.recording import whereabouts
from weft.graph.spec import Spec
from weft.ops.creation import eye
from weft.ops.engine import jnp
from weft.ops.matrices import check_numbers
from weft.ops.shape import broadcast_to_op, reshape_op

_LABELS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

# ── the op: every term names each label once ────────────────────────────────────────────────────────────────


def _einsum(*xs: Spec, equation: str) -> Spec:
    check_numbers("einsum", *xs)
    inputs, output = equation.split("->")
    sizes = _label_sizes(inputs.split(","), [x.shape for x in xs], equation)
    return Spec(tuple(sizes[label] for label in output), xs[0].dtype)


def _label_sizes(terms: list[str], shapes: list[tuple[int, ...]], equation: str) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for term, shape in zip(terms, shapes, strict=True):
        for label, n in zip(term, shape, strict=True):
            if sizes.setdefault(label, n) != n:
                raise ShapeError(
                    f"einsum {equation!r} of shapes {', '.join(map(str, shapes))}: {label!r} is {sizes[label]} and {n}",
                    expected="one size for each label",
                )
    return sizes


def _einsum_vjp(g: Any, y: Any, *xs: Any, equation: str) -> tuple[Any, ...]:
    inputs, output = equation.split("->")
    terms = inputs.split(",")
    grads = []
    for k, (term, x) in enumerate(zip(terms, xs, strict=True)):
        others = [(t, o) for j, (t, o) in enumerate(zip(terms, xs, strict=True)) if j != k]
        known = set(output).union(*(t for t, _ in others))
        kept = "".join(label for label in term if label in known)
        grad = einsum_op(g, *(o for _, o in others), equation=",".join([output, *(t for t, _ in others)]) + "->" + kept)
        # A label that only this operand had was summed.
        shape = tuple(n if label in known else 1 for label, n in zip(term, x.shape, strict=True))
        grads.append(broadcast_to_op(reshape_op(grad, shape=shape), shape=x.shape))
    return tuple(grads)


einsum_op = Op(
    "einsum",
    shape=_einsum,
    lower=lambda *xs, equation: jnp.einsum(equation, *xs, optimize="optimal" if len(xs) < 6 else "greedy"),
    vjp=_einsum_vjp,
)

# ── the function that people call ───────────────────────────────────────────────────────────────────────────


def einsum(equation: str, /, *xs: Any) -> Any:
    """Sums of products by Einstein's convention: labels that the result does not name are summed.

    ``"ij,jk->ik"`` is a matrix product, ``"ii->"`` the trace, ``"bij,bjk->bik"`` a batch of products; without
    ``->`` the result names, in order, the labels that occur once; ``...`` stands for axes that broadcast.

    >>> import weft as wf
    >>> wf.einsum("ij,j->i", wf.eye(2), wf.tensor([3.0, 4.0])).tolist()
    [3.0, 4.0]
    """
    if not isinstance(equation, str):
        raise _wrong(f"a {type(equation).__name__}", "the labels as a string, then the operands", '"ij,jk->ik", a, b')
    operands = [tensor_like(x) for x in xs]
    terms, output, dots = _parse(equation, [x.shape for x in operands])
    _drop_broadcast(terms, operands, dots)
    free = iter(sorted(set(_LABELS) - set("".join(terms)) - set(output)))
    for k, term in enumerate(terms):
        fresh = ""
        for label in term:
            if label in fresh:  # a diagonal: multiply by the identity of two labels
                other = next(free)
                terms.append(label + other)
                operands.append(eye(operands[k].shape[len(fresh)], dtype=operands[k].dtype))
                label = other
            fresh += label
        terms[k] = fresh
    return einsum_op(*operands, equation=",".join(terms) + "->" + output)


def _drop_broadcast(terms: list[str], operands: list[Any], dots: str) -> None:
    """Take away the axes of … that have size 1 and stretch, so that a label has one size."""
    sizes = dict.fromkeys(dots, 1)
    for term, x in zip(terms, operands, strict=True):
        sizes |= {label: n for label, n in zip(term, x.shape, strict=True) if label in sizes and n != 1}
    for k, (term, x) in enumerate(zip(terms, operands, strict=True)):
        stays = [sizes.get(label, n) == n for label, n in zip(term, x.shape, strict=True)]
        kept = "".join(label for label, s in zip(term, stays, strict=True) if s)
        if kept != term and all(n == 1 for n, s in zip(x.shape, stays, strict=True) if not s):
            terms[k] = kept
            operands[k] = reshape_op(x, shape=tuple(n for n, s in zip(x.shape, stays, strict=True) if s))


def _parse(equation: str, shapes: list[tuple[int, ...]]) -> tuple[list[str], str, str]:
    """The term of each operand and of the result, in letters alone, and the letters that stand for …."""
    inputs, arrow, output = equation.replace(" ", "").partition("->")
    terms = inputs.split(",")
    if not shapes or len(terms) != len(shapes):
        raise _wrong(
            f"{equation!r}, which names {len(terms)} operands, of {len(shapes)}", "as many terms as operands", None
        )
    letters = "".join([*terms, output]).replace("...", "")
    if strange := sorted({c for c in letters if c not in _LABELS}):
        raise _wrong(f"{equation!r} with {strange[0]!r}", "letters, commas, one -> and …, written ...", None)
    spare = [label for label in reversed(_LABELS) if label not in letters]
    lengths = [
        _dots_length(equation, term, shape, k) for k, (term, shape) in enumerate(zip(terms, shapes, strict=True))
    ]
    dots = "".join(spare[: max(lengths)])
    terms = [term.replace("...", dots[len(dots) - n :]) for term, n in zip(terms, lengths, strict=True)]
    labels = "".join(terms)
    if not arrow:
        output = "..." + "".join(sorted(c for c in set(labels) - set(dots) if labels.count(c) == 1))
    elif output.count("...") > 1 or len(set(bare := output.replace("...", ""))) != len(bare):
        raise _wrong(
            f"{equation!r}, whose result {output!r} names an axis twice", "each label once in the result", None
        )
    elif dots and "..." not in output:
        raise _wrong(f"{equation!r}, whose result lacks …", "… in the result too", f"...{output}")
    output = output.replace("...", dots)
    if unknown := sorted(set(output) - set(labels)):
        raise _wrong(f"{equation!r}: the label {unknown[0]!r} is unknown", "a result made of labels of operands", None)
    return terms, output, dots


def _dots_length(equation: str, term: str, shape: tuple[int, ...], position: int) -> int:
    """How many axes … stands for in one term."""
    named, dotted = len(term.replace("...", "")), term.count("...")
    rest = len(shape) - named
    if dotted > 1 or rest < 0 or (rest and not dotted):
        raise ShapeError(
            f"einsum {equation!r}: the term {term!r} names {named} axes, operand {position} of shape {shape} "
            f"has {len(shape)}",
            expected="a label for each axis, or one … for all that are left",
            where=whereabouts(),
        )
    return rest


def _wrong(what: str, expected: str, cure: str | None) -> ArgumentError:
    return ArgumentError(f"einsum of {what}", expected=expected, where=whereabouts(), cure=cure)
