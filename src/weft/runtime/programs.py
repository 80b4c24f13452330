"""Programs: a graph lowered by XLA, kept by its structure, so that only structure ever compiles.

A program takes the graph's inputs and, packed into one array per data type, the Python numbers among them.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import cached_property
from itertools import count
from typing import Any, NamedTuple

import numpy as np

from weft.graph.check import entry_specs
from weft.graph.dtype import DType
from weft.graph.function import interpret
from weft.graph.lowering import lowering
from weft.graph.recording import Graph
from weft.runtime import explanation
from weft.runtime.devices import Place
from weft.runtime.engine import jax, loaded_from_disk, wide_types
from weft.runtime.host import HostProgram, runs_on_host
from weft.runtime.interrupt import held_back
from weft.runtime.mappings import running_out
from weft.runtime.mesh import Axes, Mesh, axes_of

# XLA's new CPU kernels make most products faster (an MLP's step 2.1 instead of 2.5 ms) and sums twice as fast, but
# convolutions slower (5.1 instead of 2.5 ms for 64 images of 32 × 14 × 14 and 64 kernels of 3 × 3) and the products of
# a recurrence too (an LSTM's step 4.5 instead of 3.9 ms): a program with one of these takes them for sums alone.
_OLD_KERNELS = {"xla_cpu_experimental_ynn_fusion_type": "LIBRARY_FUSION_TYPE_REDUCE"}
# A long chain of tiny values: 1,000 scalars that are all kept take 7.8 s to compile with a kernel fused for each, and
# 1.1 s without; running them takes the same time.
_QUICK_COMPILE = {"xla_cpu_use_fusion_emitters": False}
_LONG, _TINY = 200, 1 << 13
CAPACITY = 1024  # programs kept; the least recently used one goes first
LOOKED = 8  # programs from one look at the mappings of memory to the next: a look takes up to 30 ms


Kept = tuple[tuple[int, int], ...]  # a result that lies as an input does: new state in the place of the old


class Memory(NamedTuple):
    """Bytes of a launch: arguments and results (one that takes over the memory of the other counts once), and what is
    needed in between.
    """

    held: int
    temporary: int


class Layout(NamedTuple):
    """How the operands and results of a program lie on a mesh, in the engine's words; None where it chooses."""

    inputs: Sequence[Any]
    numbers: Any = None
    results: Sequence[Any] | None = None


class Program:
    """A compiled graph: call it with the graph's inputs."""

    def __init__(self, graph: Graph, place: Place, donated: tuple[int, ...] = (), layout: Layout | None = None) -> None:
        self.packs = _packs(graph)
        packed = {slot for _, slots in self.packs for slot in slots}
        self.buffers = tuple(slot for slot in range(len(graph.inputs)) if slot not in packed)
        # The engine looks at its switch for 64-bit types at every call, but only arguments of such a type need it.
        self.wide = any(spec.dtype.itemsize >= 8 for spec in graph.inputs)
        self.run = self._compile(graph, place, donated, layout or Layout([None] * len(graph.inputs)))

    def _compile(self, graph: Graph, place: Place, donated: tuple[int, ...], layout: Layout) -> Callable[..., Any]:
        started = time.perf_counter()
        first = len(self.packs)
        places = {slot: first + k for k, slot in enumerate(self.buffers)}

        def program(*operands: Any) -> Any:
            arguments: list[Any] = [None] * len(graph.inputs)
            for slot, at in places.items():
                arguments[slot] = operands[at]
            for pack, (_, slots) in zip(operands, self.packs, strict=False):
                for k, slot in enumerate(slots):
                    arguments[slot] = pack[k]
            with lowering.on(place.kind):
                made = interpret(graph, arguments)
            if place.kind == "cpu" and lowering.older_kernels and layout.results is None:
                made = [_laid_out(y) for y in made]
            return made

        describe = jax().ShapeDtypeStruct
        shapes = [describe((len(slots),), dtype.numpy, sharding=layout.numbers) for dtype, slots in self.packs]
        specs = ((graph.inputs[s], layout.inputs[s]) for s in self.buffers)
        shapes += [describe(spec.shape, spec.dtype.numpy, sharding=sharding) for spec, sharding in specs]
        how = {} if layout.results is None else {"out_shardings": list(layout.results)}
        with wide_types(), jax().default_device(place.engine):
            jitted = jax().jit(program, donate_argnums=tuple(places[s] for s in donated), keep_unused=True, **how)
            lowering.older_kernels = False
            loaded_from_disk()  # forget what was noted before
            lowered = jitted.lower(*shapes)
            options = _options(graph) if place.kind == "cpu" else {}
            compiled = lowered.compile(compiler_options=options or None)
        explanation.compiled(graph, time.perf_counter() - started, loaded=loaded_from_disk())
        return compiled

    @cached_property
    def memory(self) -> Memory:
        """How many bytes a launch needs, as the compiler has planned it."""
        found = self.run.memory_analysis()  # type: ignore[attr-defined]
        if found is None:
            return Memory(0, 0)
        held = found.argument_size_in_bytes + found.output_size_in_bytes - found.alias_size_in_bytes
        return Memory(int(held), int(found.temp_size_in_bytes))

    def __call__(self, arguments: Sequence[Any]) -> Any:
        """Launch it; the results come back as JAX arrays that may still be in the making."""
        operands = arguments
        if self.packs:
            operands = [np.array([arguments[s] for s in slots], d.numpy) for d, slots in self.packs]
            operands += [arguments[s] for s in self.buffers]
        if not self.wide:
            return self.run(*operands)
        with wide_types():
            return self.run(*operands)


class MeshProgram:
    """A graph on a mesh: a program for each way in which its inputs are divided among the devices."""

    def __init__(self, graph: Graph, mesh: Mesh, donated: tuple[int, ...], kept: Kept) -> None:
        self.graph, self.mesh, self.donated, self.kept = graph, mesh, donated, dict(kept)
        self.programs: dict[tuple[Axes, ...], Program] = {}

    def __call__(self, arguments: Sequence[Any]) -> Any:
        ways = tuple(axes_of(a, len(spec.shape)) for a, spec in zip(arguments, self.graph.inputs, strict=True))
        program = self.programs.get(ways)
        if program is None:
            with held_back():
                program = self.programs[ways] = self.compiled(ways)
        return program(arguments)

    def compiled(self, ways: tuple[Axes, ...]) -> Program:
        """The program for inputs that are divided in these ways; new state is divided as the old is."""
        inputs = [self.mesh.sharding(axes) for axes in ways]
        results = [inputs[self.kept[k]] if k in self.kept else None for k in range(len(self.graph.outputs))]
        return Program(self.graph, self.mesh, self.donated, Layout(inputs, self.mesh.sharding(), results))

    @property
    def memory(self) -> Memory:
        """How many bytes the largest of its programs needs on each device."""
        return max((program.memory for program in self.programs.values()), key=sum, default=Memory(0, 0))


AnyProgram = Program | MeshProgram | HostProgram


def _laid_out(y: Any) -> Any:
    """A result whose elements the kernel that computes it puts in their order.

    XLA lets what follows a convolution keep its layout, channels last, and copies each result of several once more.
    Seen as one row it has no layout to keep. A result of a recurrence is in its order already, and stays as it is.
    """
    if y.ndim < 3:
        return y
    return jax().lax.optimization_barrier(y.reshape(-1)).reshape(y.shape)


def _options(graph: Graph) -> dict[str, Any]:
    """How XLA should compile for the CPU."""
    options: dict[str, Any] = dict(_OLD_KERNELS) if lowering.older_kernels else {}
    if len(graph.entries) > _LONG and all(s.nbytes <= _TINY for specs in entry_specs(graph) for s in specs):
        options |= _QUICK_COMPILE
    return options


def _packs(graph: Graph) -> list[tuple[DType, tuple[int, ...]]]:
    """The slots of Python numbers by data type."""
    groups: dict[DType, list[int]] = {}
    for slot in graph.numbers:
        groups.setdefault(graph.inputs[slot].dtype, []).append(slot)
    return [(dtype, tuple(slots)) for dtype, slots in groups.items()]


_programs: OrderedDict[tuple[Graph, Place, tuple[int, ...], Kept], AnyProgram] = OrderedDict()
_lock = threading.Lock()
_remembering = count(1)


def program_for(graph: Graph, place: Place, donated: tuple[int, ...] = (), kept: Kept = ()) -> AnyProgram:
    """The program of ``graph`` on ``place``, compiled if its structure is new and not trivial.

    ``kept`` are the results that lie on a mesh as an input does.
    """
    key = (graph, place, donated, kept)
    with _lock:
        found = _programs.get(key)
        if found is not None:
            _programs.move_to_end(key)
            return found
    if isinstance(place, Mesh):
        return _remembered(key, MeshProgram(graph, place, donated, kept))
    if not donated and runs_on_host(graph, place.kind):
        return _remembered(key, HostProgram(graph))
    with held_back():  # the engine, interrupted while it traces, may be left half initialised
        return _remembered(key, Program(graph, place, donated))


def _remembered(key: Any, program: AnyProgram) -> AnyProgram:
    with _lock:
        if next(_remembering) % LOOKED == 0 and running_out():
            for _ in range(len(_programs) // 2):
                _programs.popitem(last=False)
        _programs[key] = program
        while len(_programs) > CAPACITY:
            _programs.popitem(last=False)
    return program
