"""How much work a recording is: multiply-adds, found from its entries, so that any layer counts."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from weft.graph.derived import value_specs
from weft.graph.function import Function
from weft.graph.recording import Graph, Literal
from weft.graph.spec import Spec


def _of_dot(inputs: Sequence[Spec], out: Spec, params: dict[str, Any]) -> int:
    return out.size * inputs[0].shape[-2 if params["ta"] else -1]


def _of_conv(inputs: Sequence[Spec], out: Spec, params: dict[str, Any]) -> int:
    return out.size * math.prod(inputs[1].shape[1:])


def _of_conv_gradient(inputs: Sequence[Spec], out: Spec, params: dict[str, Any]) -> int:
    # Each element of the results of the convolution meets each element of the kernel that belongs to it.
    kernel = math.prod(params["kernel"]) if "kernel" in params else math.prod(inputs[1].shape[2:])
    g = inputs[0] if "spatial" in params else inputs[1]
    per_group = (out.shape[1] // params["groups"]) if "spatial" in params else out.shape[1]
    return g.size * kernel * per_group


def _of_einsum(inputs: Sequence[Spec], out: Spec, params: dict[str, Any]) -> int:
    sizes: dict[str, int] = {}
    for labels, spec in zip(params["equation"].split("->")[0].split(","), inputs, strict=True):
        sizes.update(zip(labels, spec.shape, strict=True))
    return math.prod(sizes.values()) if len(inputs) > 1 else 0


def _of_attention(inputs: Sequence[Spec], out: Spec, params: dict[str, Any]) -> int:
    # Each query meets each key, and takes its share of each value.
    q, k = inputs[:2]
    return math.prod(out.shape[:-1]) * k.shape[-2] * (q.shape[-1] + out.shape[-1])


RULES: dict[str, Callable[..., int]] = {
    "dot": _of_dot,
    "einsum": _of_einsum,
    "attention": _of_attention,
    "conv": _of_conv,
    "conv_input_gradient": _of_conv_gradient,
    "conv_kernel_gradient": _of_conv_gradient,
}


def multiply_adds(op: Any, inputs: tuple[Spec, ...], outputs: Sequence[Spec], params: dict[str, Any]) -> int:
    """The multiply-adds of one entry: of matrix products and convolutions, in it or in the graph that it applies."""
    rule = RULES.get(op.name)
    if rule is not None:
        return rule(inputs, outputs[0], params)
    body = getattr(op.lower, "__self__", None)
    if isinstance(body, Function):
        return of_graph(body.graph(inputs, params))
    times = params[REPEATED[op.name]] if op.name in REPEATED else 1
    return int(times) * sum(of_graph(value) for value in params.values() if isinstance(value, Graph))


REPEATED = {"scan": "length", "vmap": "size"}  # ops that apply a graph several times, and the parameter that says so


@lru_cache(maxsize=256)
def of_graph(graph: Graph) -> int:
    """The multiply-adds of a graph."""
    return sum(work for _, work in by_entry(graph))


def by_entry(graph: Graph) -> list[tuple[int, int]]:
    """For each entry with work its position, and the multiply-adds."""
    specs, number, found = value_specs(graph), 0, []

    def spec_of(r: Any) -> Spec:
        return Spec((), r.dtype) if isinstance(r, Literal) else specs[r] if r >= 0 else graph.inputs[~r]

    for position, (op, refs, params, results) in enumerate(graph.entries):
        work = multiply_adds(op, tuple(map(spec_of, refs)), specs[number : number + results], dict(params))
        number += results
        if work:
            found.append((position, work))
    return found
