"""Compiled functions: recorded once for each kind of argument, replayed without Python.

State that the function reads or assigns (parameters, buffers, gradients, random keys) becomes argument and
result; what it assigns is donated, so a training step needs no second copy of the model.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Sequence
from typing import Any
from weakref import ref

import numpy as np

from weft.errors import ArgumentError
from weft.graph.closure import Closure, close_over
from weft.graph.derived import spec_at
from weft.graph.dtype import dtype
from weft.graph.node import Handle, Node, leaf, wrap
from weft.graph.recording import Graph, context, whereabouts
from weft.graph.source import user_source
from weft.graph.spec import Spec
from weft.graph.structure import LEAF, unflatten
from weft.ops.calling import call_op
from weft.runtime.devices import Place
from weft.runtime.interrupt import hold
from weft.runtime.log import USED_BEFORE, Log, run, to_device, where_all_are
from weft.runtime.programs import AnyProgram, Memory, MeshProgram, Program, program_for

_NUMBER = (float, int, bool, complex)


def compile(f: Callable[..., Any] | None = None, *, donate: bool = True) -> Any:
    """``f`` as one program: recorded at the first call with arguments of a kind, replayed at later ones.

    Tensors, arrays and Python numbers among the arguments are run-time values; anything else is static. Numbers
    and arrays that ``f`` takes from elsewhere are fixed when it is recorded; tensors from elsewhere are read anew
    at each call. It runs where its tensors are. A value needed inside (``float``, ``if x > 0``) is an error that
    names the line and the cure.

    >>> import weft as wf
    >>> w = wf.tensor(1.0, requires_grad=True)
    >>> @wf.compile
    ... def step(x):
    ...     loss = (w * x - 6) ** 2
    ...     w.assign_sub(0.1 * wf.gradients(loss, w))
    ...     return loss
    >>> [float(step(2.0)) for _ in range(3)][0], round(float(w), 3)
    (16.0, 2.984)
    """
    if f is None:
        return lambda g: compile(g, donate=donate)
    return functools.wraps(f, updated=())(Compiled(f, donate))


class Compiled:
    """A function and its recorded variants."""

    def __init__(self, f: Callable[..., Any], donate: bool) -> None:
        self.f, self.donate = f, donate
        self.variants: dict[Any, list[Variant]] = {}
        self.away: Log | None = None  # where it ran last, if its tensors live elsewhere than the block says

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        here = context.recording
        if not isinstance(here, Log):
            return self.f(*args, **kwargs)  # inside another recording it is part of that
        away = self.away
        if away is None or here.chosen:
            return self.call(args, kwargs, here)
        with context.set(recording=away):
            return self.call(args, kwargs, away)

    def call(self, args: tuple[Any, ...], kwargs: dict[str, Any], here: Log) -> Any:
        """Find the variant for these arguments, or record it, and run it."""
        leaves: Sequence[Any]
        if kwargs or not all(isinstance(x, Handle) or type(x) in _NUMBER for x in args):
            leaves, structure = take_apart((args, kwargs))
        else:
            leaves, structure = args, _plain(len(args))
        tracking, tracked = context.tracking, False
        kinds: list[Any] = [structure, tracking, here.home]
        for x in leaves:
            if isinstance(x, Handle):
                node = x.node
                kinds += node.spec, node.tracked
                tracked = tracked or node.tracked
            else:
                kinds.append((x.shape, x.dtype) if isinstance(x, np.ndarray) else type(x))
        key = tuple(kinds)
        try:
            variants = self.variants.setdefault(key, [])
        except TypeError:
            raise ArgumentError(
                f"an argument of the compiled function {self.name} cannot be hashed",
                expected="tensors, arrays, numbers, and static arguments that are hashable",
                where=whereabouts(),
            ) from None
        for variant in variants:
            if variant.holds():
                break
        else:
            variant = Variant(self, leaves, structure)
            variants.append(variant)
        if tracking and variant.pure and (tracked or variant.reads_tracked):  # somebody may want its gradient
            return variant.record(leaves)
        try:
            return variant.replay(leaves)
        except ValueError:  # of the engine: the program is for another device than the tensors are on
            there = where_all_are([*(x for x in leaves if isinstance(x, Handle)), *variant.closure.captured], here)
            if there is here:
                raise
        with context.set(recording=there):
            result = self.call(args, kwargs, there)
        self.away = there
        return result

    @property
    def memory(self) -> Memory:
        """How many bytes the largest of its programs needs; nothing where none has been compiled."""
        programs = [v.held() for found in self.variants.values() for v in found]
        return max((p.memory for p in programs if isinstance(p, Program | MeshProgram)), key=sum, default=Memory(0, 0))

    @property
    def name(self) -> str:
        return getattr(self.f, "__name__", type(self.f).__name__)


@functools.cache
def _plain(count: int) -> Any:
    """The structure of so many positional arguments, each a tensor or a number."""
    return take_apart(((0,) * count, {}))[1]


def take_apart(value: Any) -> tuple[list[Any], Any]:
    """Arguments as run-time leaves (tensors, arrays, Python numbers) and the static rest."""
    leaves: list[Any] = []

    def strip(v: Any) -> Any:
        if isinstance(v, Handle | np.ndarray) or type(v) in _NUMBER:
            leaves.append(v)
            return LEAF
        if isinstance(v, np.generic) and v.dtype.kind in "biufc":  # NumPy's numbers are Python's to an operation
            leaves.append(v.item())
            return LEAF
        if isinstance(v, tuple | list):
            return (type(v), tuple(strip(x) for x in v))
        if isinstance(v, dict):
            return (dict, tuple((k, strip(x)) for k, x in v.items()))
        return (None, v)

    return leaves, strip(value)


def spec_of(x: Any) -> Spec:
    if isinstance(x, Handle):
        return x.node.spec
    return Spec(x.shape, dtype(x.dtype)) if isinstance(x, np.ndarray) else Spec((), dtype(type(x)))


class Variant:
    """One recording of a compiled function, for one kind of arguments and one state of what it reads."""

    def __init__(self, owner: Compiled, leaves: Sequence[Any], structure: Any) -> None:
        log = context.recording
        assert isinstance(log, Log)
        log.cut()  # what the function captures must be a leaf, so that a replay can read it anew

        def rebuild(arguments: list[Any]) -> Any:
            args, kwargs = unflatten(structure, arguments)
            return [functools.partial(owner.f, **kwargs), *args]

        operands = [(spec_of(x), isinstance(x, Handle) and x.node.tracked) for x in leaves]
        self.closure = close_over(lambda f, *args: f(*args), operands, rebuild, f"{owner.name}()")
        self.log = log
        self.fetch = _fetchers(self.closure, log.device)
        graph, first = self.closure.graph, self.closure.arguments
        numbers = tuple(k for k, x in enumerate(leaves) if type(x) in _NUMBER)
        self.donated = tuple(first + k for k in self.closure.written_slots) if owner.donate else ()
        self.graph = Graph(graph.inputs, graph.entries, graph.outputs, graph.notes, numbers)
        self.tracking = tuple(h.node.tracked for h in self.closure.captured)
        self.reads_tracked = any(self.tracking)
        closure = self.closure
        self.unconditional = not (closure.guards or closure.grads_before or closure.captured)
        self.pure = not closure.written and not closure.graded and closure.smooth
        self.specs = tuple(spec_at(graph, r) for r in graph.outputs[: self.closure.results])
        kept = tuple((closure.results + k, first + slot) for k, slot in enumerate(closure.written_slots))
        self.find = functools.partial(program_for, self.graph, log.device, self.donated, kept)
        self.held = ref(self.find())  # the cache decides how long it is kept: trainers may live by the hundred

    @property
    def program(self) -> AnyProgram:
        """The compiled program, made again if it had to make room for others."""
        program = self.held()
        if program is None:
            program = self.find()
            self.held = ref(program)
        return program

    def holds(self) -> bool:
        """Whether what the recording took for granted is still so."""
        if self.unconditional:
            return True
        return (
            all(getattr(obj, name) == value for obj, name, value in self.closure.guards)
            and all(
                (owner._grad is None) == (grad is None)  # type: ignore[attr-defined]
                for owner, grad in self.closure.grads_before
            )
            and tuple(h.node.tracked for h in self.closure.captured) == self.tracking
        )

    def record(self, leaves: Sequence[Any]) -> Any:
        """Take part in what is being recorded, as one entry that can be differentiated."""
        keys = {id(source) for source in self.closure.keys}
        captured: list[Any] = [h.generator.key() if id(h) in keys else h for h in self.closure.captured]  # type: ignore[attr-defined]
        return unflatten(self.closure.structure, call_op(*leaves, *captured, graph=self.closure.graph))

    def replay(self, leaves: Sequence[Any]) -> Any:
        """Launch the program on these arguments and the state as it is now; put the new state in its place."""
        arguments = [self.value(x.node) if isinstance(x, Handle) else x for x in leaves]
        arguments += [fetch() for fetch in self.fetch]
        for slot in self.donated:
            # Four owners: the node, this list, the loop's name and the call. Anybody else needs a copy.
            arguments[slot] = own(arguments[slot])
        program = self.program
        if not self.donated:
            return self.put_in_place(program(arguments))
        release = hold()
        try:
            made = self.put_in_place(program(arguments))
        except BaseException:
            release(False)
            raise
        release(True)
        return made

    def value(self, node: Node) -> Any:
        """The value of an argument; one that lies on the host moves to the device when it comes a second time."""
        data = node.data
        if data is None:
            data = run(node)
        if type(data) is np.ndarray:
            if node.number == USED_BEFORE:
                return to_device(node, self.log.device)
            if node.number == -1:
                node.number = USED_BEFORE
        return data

    def put_in_place(self, results: Sequence[Any]) -> Any:
        """The results as tensors, and the state that comes after them where it belongs."""
        closure = self.closure
        made = [wrap(leaf(data, spec)) for data, spec in zip(results, self.specs)]  # noqa: B905  # state comes after
        rest = iter(results[closure.results :])
        source = user_source() if closure.written else None
        for handle in closure.written:
            old = handle.node
            old.ended = source
            handle.node = leaf(next(rest), old.spec, tracked=old.tracked)
            handle.node.owner = old.owner
        for owner, has_grad in closure.graded:
            data = next(rest) if has_grad else None
            owner._grad = wrap(leaf(data, owner.node.spec)) if has_grad else None  # type: ignore[attr-defined]
        return unflatten(closure.structure, made)


def run_on(node: Node, device: Place) -> Any:
    """The value of state: on the device, where every replay wants it."""
    data = node.data
    if data is None:
        data = run(node)
    return to_device(node, device) if type(data) is np.ndarray else data


def own(data: Any) -> Any:
    """``data`` if nothing else refers to it, else a copy: a donated buffer is gone after the launch."""
    shared = isinstance(data, np.ndarray) or sys.getrefcount(data) > _SOLE_OWNER
    return np.array(data) if shared else data


_SOLE_OWNER = 4


def _fetchers(closure: Closure, device: Place) -> list[Callable[[], Any]]:
    """For each captured tensor, how a replay gets its value."""
    grads = {id(grad): owner for owner, grad in closure.grads_before if grad is not None}
    keys = {id(source) for source in closure.keys}

    def fetcher(handle: Any) -> Callable[[], Any]:
        if id(handle) in keys:
            return lambda: handle.generator.next_words()
        if id(handle) in grads:
            owner: Any = grads[id(handle)]
            return lambda: run(owner._grad.node)
        return lambda: run_on(handle.node, device)

    return [fetcher(handle) for handle in closure.captured]
