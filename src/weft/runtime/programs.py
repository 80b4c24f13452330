"""Programs: a graph lowered by XLA, kept by its structure, so that only structure ever compiles.

A program takes the graph's inputs and, packed into one array per data type, the Python numbers among them.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from weft.graph.dtype import DType
from weft.graph.function import interpret
from weft.graph.lowering import lowering
from weft.graph.recording import Graph
from weft.runtime import explanation
from weft.runtime.engine import jax, wide_types

# XLA's new CPU kernels make products faster (an MLP's step 2.1 instead of 2.5 ms) and convolutions slower (5.1 instead
# of 2.5 ms for 64 images of 32 × 14 × 14 and 64 kernels of 3 × 3): a program with convolutions does without them.
_OLD_KERNELS = {"xla_cpu_experimental_ynn_fusion_type": ""}
CAPACITY = 1024  # programs kept; the least recently used one goes first


class Program:
    """A compiled graph: call it with the graph's inputs."""

    def __init__(self, graph: Graph, device: Any, donated: tuple[int, ...] = ()) -> None:
        self.packs = _packs(graph)
        packed = {slot for _, slots in self.packs for slot in slots}
        self.buffers = tuple(slot for slot in range(len(graph.inputs)) if slot not in packed)
        self.run = self._compile(graph, device, donated)

    def _compile(self, graph: Graph, device: Any, donated: tuple[int, ...]) -> Callable[..., Any]:
        started = time.perf_counter()
        first = len(self.packs)
        places = {slot: first + k for k, slot in enumerate(self.buffers)}

        def program(*operands: Any) -> Any:
            arguments: list[Any] = [None] * len(graph.inputs)
            for slot, place in places.items():
                arguments[slot] = operands[place]
            for pack, (_, slots) in zip(operands, self.packs, strict=False):
                for k, slot in enumerate(slots):
                    arguments[slot] = pack[k]
            with lowering.on(device.platform):
                return interpret(graph, arguments)

        shapes = [jax().ShapeDtypeStruct((len(slots),), dtype.numpy) for dtype, slots in self.packs]
        shapes += [jax().ShapeDtypeStruct(graph.inputs[s].shape, graph.inputs[s].dtype.numpy) for s in self.buffers]
        with wide_types(), jax().default_device(device):
            jitted = jax().jit(program, donate_argnums=tuple(places[s] for s in donated), keep_unused=True)
            lowering.convolved = False
            lowered = jitted.lower(*shapes)
            old = lowering.convolved and device.platform == "cpu"
            compiled = lowered.compile(compiler_options=_OLD_KERNELS if old else None)
        explanation.compiled(graph, time.perf_counter() - started)
        return compiled

    def __call__(self, arguments: Sequence[Any]) -> Any:
        """Launch it; the results come back as JAX arrays that may still be in the making."""
        operands: list[Any] = [np.array([arguments[s] for s in slots], d.numpy) for d, slots in self.packs]
        operands += [arguments[s] for s in self.buffers]
        with wide_types():
            return self.run(*operands)


def _packs(graph: Graph) -> list[tuple[DType, tuple[int, ...]]]:
    """The slots of Python numbers by data type."""
    groups: dict[DType, list[int]] = {}
    for slot in graph.numbers:
        groups.setdefault(graph.inputs[slot].dtype, []).append(slot)
    return [(dtype, tuple(slots)) for dtype, slots in groups.items()]


_programs: OrderedDict[tuple[Graph, Any, tuple[int, ...]], Program] = OrderedDict()
_lock = threading.Lock()


def program_for(graph: Graph, device: Any, donated: tuple[int, ...] = ()) -> Program:
    """The program of ``graph`` on ``device``, compiled if its structure is new."""
    key = (graph, device, donated)
    with _lock:
        found = _programs.get(key)
        if found is not None:
            _programs.move_to_end(key)
            return found
    made = Program(graph, device, donated)
    with _lock:
        _programs[key] = made
        while len(_programs) > CAPACITY:
            _programs.popitem(last=False)
    return made
