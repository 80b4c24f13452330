"""Model: the calls of layers between some inputs and some outputs, as one module."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from types import EllipsisType
from typing import Any, NamedTuple

from weft.errors import ArgumentError, FileError
from weft.graph.dtype import DType, dtype
from weft.nn.lookup import find
from weft.nn.module import Module
from weft.nn.registry import register
from weft.nn.symbol import (
    ATTRIBUTES,
    FUNCTIONS,
    METHODS,
    Input,
    Step,
    Symbol,
    check_input,
    perform,
    record,
    substitute,
    symbols,
)


class Ref(NamedTuple):
    """A result of a step, by number."""

    step: int
    result: int


class Planned(NamedTuple):
    """A step whose symbols are numbers and whose module is the name of an attribute."""

    kind: str  # layer, method, attribute or function
    name: Any
    args: tuple[Any, ...]
    options: dict[str, Any]


@register
class Model(Module):
    """The layers and operations that lead from ``inputs`` to ``outputs``, each a symbol or several of them.

    A layer that was called twice is one layer, with one set of parameters. Several inputs are given one after the
    other; several outputs come as a tuple, or in the dict that was given. Layers are attributes named after their
    class and the order of the calls: ``linear1``, ``linear2``.

    >>> from weft import nn
    >>> x = nn.Input((4,))
    >>> h = nn.Linear(16)(x).relu()
    >>> model = nn.Model(x, nn.Linear(3)(nn.concat([h, x])))
    >>> model.build((1, 4)).linear2.weight.shape
    (3, 20)
    """

    def __init__(self, inputs: Any, outputs: Any) -> None:
        self._inputs = _inputs(inputs)
        self._outputs: Any = None
        self._plan: list[Planned] = []
        if not symbols(outputs) or any(not isinstance(s, Symbol) for s in _flat(outputs)):
            raise ArgumentError(
                f"Model: outputs={outputs!r}",
                expected="what layers give when they are called with nn.Input",
                cure="x = nn.Input((4,)); nn.Model(x, nn.Linear(3)(x))",
            )
        steps = _order(outputs, self._inputs)
        numbers = {id(step): k for k, step in enumerate((*self._inputs, *steps))}

        def refer(x: Any) -> Any:
            return Ref(numbers[id(x.step)], x.index) if isinstance(x, Symbol) else x

        names: dict[int, str] = {}
        kinds: Counter[str] = Counter()
        for step in steps:
            kind, name = ("layer", self._named(step.what, names, kinds)) if isinstance(step.what, Module) else step.what
            self._plan.append(Planned(kind, name, substitute(step.args, refer), substitute(step.options, refer)))
        self._outputs = substitute(outputs, refer)

    def _named(self, layer: Module, names: dict[int, str], kinds: Counter[str]) -> str:
        """The name of the attribute that holds a layer, which is made when it is first met."""
        if id(layer) not in names:
            kind = type(layer).__name__.lower()
            kinds[kind] += 1
            names[id(layer)] = name = f"{kind}_{kinds[kind]}" if kind[-1].isdigit() else f"{kind}{kinds[kind]}"
            setattr(self, name, layer)
        return names[id(layer)]

    def forward(self, *inputs: Any) -> Any:
        if len(inputs) != len(self._inputs):
            raise ArgumentError(
                f"a Model of {len(self._inputs)} inputs called with {len(inputs)}",
                expected=", ".join(f"(batch, {', '.join(map(str, step.args[0]))})" for step in self._inputs),
            )
        made: list[Any] = [[check_input(x, s, f"input {k}")] for k, (x, s) in enumerate(zip(inputs, self._inputs))]  # noqa: B905

        def fetch(x: Any) -> Any:
            return made[x.step][x.result] if isinstance(x, Ref) else x

        for kind, name, args, options in self._plan:
            what = getattr(self, name) if kind == "layer" else (kind, name)
            made.append(_flat(perform(what, _filled(args, fetch), _filled(options, fetch))))
        return _filled(self._outputs, fetch)

    # ── as data ─────────────────────────────────────────────────────────────────────────────────────────────

    def described(self) -> dict[str, Any]:
        """Inputs, layers, calls and outputs, as `weft.nn.describe` holds them."""
        return {
            "inputs": [[list(step.args[0]), step.specs[0].dtype.name] for step in self._inputs],
            "layers": dict(self.named_children()),
            "calls": [[p.kind, _name_of(p), _plain(p.args), _plain(p.options)] for p in self._plan],
            "outputs": _plain(self._outputs),
        }

    def rebuild(self, arguments: Mapping[str, Any]) -> None:
        """Become the model that `described` describes, by calling its layers again."""
        try:
            inputs = [Input(shape, dtype(name)) for shape, name in arguments["inputs"]]
            made: list[Any] = [[x] for x in inputs]
            for kind, name, args, options in arguments["calls"]:
                what = arguments["layers"][name] if kind == "layer" else _known(kind, name)
                made.append(_flat(record(what, _value(args, made), _value(options, made))))
            outputs = _value(arguments["outputs"], made)
        except (KeyError, TypeError, ValueError) as error:
            raise FileError(f"the description of a Model lacks or garbles {error}") from error
        Model.__init__(self, inputs, outputs)


def _inputs(given: Any) -> list[Step]:
    found = [given] if isinstance(given, Symbol) else list(given) if isinstance(given, tuple | list) else []
    for x in found:
        if not isinstance(x, Symbol) or x.step.what is not None:
            raise ArgumentError(f"Model: the input {x!r}", expected="what nn.Input gives", cure="x = nn.Input((4,))")
    if not found or len({id(x.step) for x in found}) != len(found):
        raise ArgumentError(f"Model: inputs={given!r}", expected="one nn.Input or several different ones")
    return [x.step for x in found]


def _order(outputs: Any, inputs: Sequence[Step]) -> list[Step]:
    """The steps that lead to ``outputs``, each after those whose results it takes."""
    done = {id(step) for step in inputs}
    order: list[Step] = []
    stack = [s.step for s in reversed(symbols(outputs))]
    while stack:
        step = stack[-1]
        before = [s.step for s in symbols((step.args, step.options)) if id(s.step) not in done]
        if id(step) in done:
            stack.pop()
        elif step.what is None:
            raise ArgumentError(
                f"Model: an output depends on an Input of shape {step.args[0]} that is not among the inputs",
                expected="all inputs from which the outputs are computed",
                cure="nn.Model([x, other], outputs)",
            )
        elif before:
            stack.extend(reversed(before))
        else:
            done.add(id(step))
            order.append(stack.pop())
    return order


def _flat(value: Any) -> list[Any]:
    """What is in tuples, lists and dicts."""
    if isinstance(value, dict):
        value = list(value.values())
    return [x for part in value for x in _flat(part)] if type(value) in (tuple, list) else [value]


def _filled(value: Any, fetch: Any) -> Any:
    if isinstance(value, Ref):
        return fetch(value)
    if type(value) in (tuple, list):
        return type(value)(_filled(part, fetch) for part in value)
    return {k: _filled(part, fetch) for k, part in value.items()} if isinstance(value, dict) else value


# ── arguments of calls as data ──────────────────────────────────────────────────────────────────────────────


def _name_of(planned: Planned) -> str:
    if planned.kind != "function":
        return str(planned.name)
    name = getattr(planned.name, "__name__", "")
    if FUNCTIONS.get(name) is not planned.name:
        raise ArgumentError(
            f"the model calls {planned.name!r}, which a description cannot hold",
            expected="a function of weft.nn.functional, or one of " + ", ".join(sorted(set(FUNCTIONS) - _of_layers())),
            cure="a layer of your own with @nn.register",
        )
    return name


def _of_layers() -> set[str]:
    from weft.nn import functional

    return set(functional.__all__)


def _known(kind: str, name: str) -> tuple[str, Any]:
    if kind == "function":
        return kind, find(FUNCTIONS, name, "function")
    if name not in {"method": METHODS, "attribute": ATTRIBUTES}.get(kind, frozenset()):
        raise FileError(f"a Model calls the {kind} {name!r}", expected="a method of tensors that computes")
    return kind, name


def _plain(value: Any) -> Any:
    """An argument as lists and numbers, each list with a word for what it is."""
    if isinstance(value, Ref):
        return ["result", value.step, value.result]
    if isinstance(value, tuple | list):
        return [type(value).__name__, *(_plain(part) for part in value)]
    if isinstance(value, dict):
        return ["dict", *([k, _plain(part)] for k, part in value.items())]
    if isinstance(value, slice):
        return ["slice", value.start, value.stop, value.step]
    if isinstance(value, EllipsisType):
        return ["..."]
    if isinstance(value, DType):
        return ["dtype", value.name]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise ArgumentError(
        f"the model is called with {type(value).__name__}, which a description cannot hold",
        expected="numbers, text and data types, or a layer with a parameter or buffer",
    )


def _value(value: Any, made: Sequence[Sequence[Any]]) -> Any:
    if not isinstance(value, list):
        return value
    kind, *parts = value
    if kind == "result":
        step, index = parts
        if not 0 <= step < len(made):
            raise FileError(
                f"a call of a Model takes the result of call {step}, which is not before it",
                expected="calls without a cycle, each after those whose results it takes",
            )
        return made[step][index]
    if kind in ("tuple", "list"):
        return (tuple if kind == "tuple" else list)(_value(part, made) for part in parts)
    if kind == "dict":
        return {k: _value(part, made) for k, part in parts}
    if kind == "slice":
        return slice(*parts)
    if kind == "...":
        return ...
    if kind == "dtype":
        return dtype(parts[0])
    raise FileError(f"an argument of the kind {kind!r} in the description of a Model")
