"""What a model consists of, layer by layer, found without computing anything."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from weft.graph.node import Handle
from weft.graph.recording import Graph
from weft.nn import building
from weft.nn.module import Module
from weft.nn.parameter import Parameter, Sketch, count
from weft.nn.work import by_entry


@dataclass(frozen=True)
class Row:
    """One layer: its path and depth in the model, its class, the shape that left it, and its own share of the rest.

    ``multiply_adds`` are those that it does itself, outside of the layers inside it; ``output_bytes`` is the memory of
    its results, if no layer is inside it.
    """

    path: str
    depth: int
    kind: str
    output: tuple[int, ...] | None
    parameters: int
    trainable: int
    output_bytes: int
    multiply_adds: int


@dataclass(frozen=True)
class Summary:
    """The layers of a model and their totals; ``print`` shows the table.

    ``parameters``, ``trainable``   how many numbers the model holds, and how many of them are trained
    ``parameter_bytes``             the memory of the parameters
    ``output_bytes``                the memory of what the layers without layers inside give, for this input
    ``multiply_adds``               of matrix products and convolutions, forward, for this input
    """

    rows: tuple[Row, ...]
    parameters: int
    trainable: int
    parameter_bytes: int
    output_bytes: int
    multiply_adds: int

    @property
    def flops(self) -> int:
        """Floating-point operations of these products: two for each multiply-add."""
        return 2 * self.multiply_adds

    def __str__(self) -> str:
        head = ("layer", "type", "output shape", "parameters", "multiply-adds", "memory")
        lines = [_cells(row) for row in self.rows]
        widths = [max(len(line[k]) for line in (head, *lines)) for k in range(len(head))]
        rule = "─" * (sum(widths) + 2 * len(head) - 2)
        table = [_line(head, widths), rule, *(_line(line, widths) for line in lines), rule]
        frozen = self.parameters - self.trainable
        totals = f"{self.parameters:,} parameters ({self.trainable:,} trainable, {frozen:,} frozen)"
        memory = f"{_bytes(self.parameter_bytes)} for parameters, {_bytes(self.output_bytes)} for outputs of layers"
        work = f"{self.multiply_adds:,} multiply-adds forward"
        return "\n".join([*table, totals, memory, work])


def summary(model: Module, *inputs: Any) -> Summary:
    """The table of ``model`` for inputs of these shapes (or for these tensors or arrays); nothing is computed.

    Sizes that the model was to learn from its first input are fixed by this.

    >>> from weft import nn
    >>> print(nn.summary(nn.Sequential(nn.Linear(16), nn.ReLU(), nn.Linear(3)), (32, 4)))
    layer  type        output shape  parameters  multiply-adds   memory
    ───────────────────────────────────────────────────────────────────
    model  Sequential  (32, 3)                –              –        –
      0    Linear      (32, 16)              80          2,048  2.0 KiB
      1    ReLU        (32, 16)               –              –  2.0 KiB
      2    Linear      (32, 3)               51          1,536    384 B
    ───────────────────────────────────────────────────────────────────
    131 parameters (131 trainable, 0 frozen)
    524 B for parameters, 4.4 KiB for outputs of layers
    3,584 multiply-adds forward
    """
    outputs: dict[int, list[Handle]] = {}
    recording = Sketch("summary")
    with _watching(model, outputs):
        building.trace(model, inputs, recording)
    work = _work(recording)
    rows = tuple(
        _row(path, module, outputs.get(id(module), []), work.get(module.path, 0))
        for path, module in model.named_modules()
    )
    parameters = list(model.parameters())
    return Summary(
        rows,
        count(parameters),
        count(p for p in parameters if p.requires_grad),
        sum(math.prod(p.known_shape or (0,)) * p.known_dtype.itemsize for p in parameters),
        sum(r.output_bytes for r in rows),
        sum(work.values()),
    )


def _work(recording: Sketch) -> dict[str, int]:
    """The multiply-adds of a recording by the path of the layer that asked for them."""
    found: dict[str, int] = {}
    graph = Graph(tuple(recording.specs), tuple(recording.entries), ())
    for position, amount in by_entry(graph):
        path = recording.notes[position][2]
        found[path] = found.get(path, 0) + amount
    return found


@contextmanager
def _watching(model: Module, outputs: dict[int, list[Handle]]) -> Iterator[None]:
    """Note what each module's forward returns during the block."""
    modules = [module for module in model.modules() if hasattr(module, "forward")]  # a list of parameters has none
    for module in modules:
        object.__setattr__(module, "forward", _noting(module, module.forward, outputs))
    try:
        yield
    finally:
        for module in modules:
            del vars(module)["forward"]


def _noting(module: Module, forward: Callable[..., Any], outputs: dict[int, list[Handle]]) -> Callable[..., Any]:
    @functools.wraps(forward)  # whose arguments a layer that waits for its sizes looks at
    def noted(*inputs: Any, **options: Any) -> Any:
        result = forward(*inputs, **options)
        given = result if isinstance(result, tuple | list) else [result]
        outputs.setdefault(id(module), []).extend(x for x in given if isinstance(x, Handle))
        return result

    return noted


def _row(path: str, module: Module, outputs: list[Handle], work: int) -> Row:
    own = [value for value in vars(module).values() if isinstance(value, Parameter)]
    innermost = not module.children
    return Row(
        path or "model",
        path.count(".") + 1 if path else 0,
        type(module).__name__,
        outputs[-1].node.spec.shape if outputs else None,
        count(own),
        count(p for p in own if p.requires_grad),
        sum(x.node.spec.nbytes for x in outputs) if innermost else 0,
        work,
    )


def _cells(row: Row) -> tuple[str, ...]:
    name = "  " * row.depth + row.path.rsplit(".", 1)[-1]
    shape = "not called" if row.output is None else str(row.output)
    memory = _bytes(row.output_bytes) if row.output_bytes else "–"
    return name, row.kind, shape, _number(row.parameters), _number(row.multiply_adds), memory


def _number(n: int) -> str:
    return f"{n:,}" if n else "–"


def _line(cells: tuple[str, ...], widths: list[int]) -> str:
    each = enumerate(zip(cells, widths, strict=True))
    return "  ".join(cell.ljust(w) if k < 3 else cell.rjust(w) for k, (cell, w) in each)


def _bytes(n: float) -> str:
    for unit in ("B", "KiB", "MiB", "GiB"):
        if n < 1024 or unit == "GiB":
            return f"{n:.0f} B" if unit == "B" else f"{n:.1f} {unit}"
        n /= 1024
    raise AssertionError
