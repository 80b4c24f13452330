"""What all optimizers share: their numbers, and one op that applies a formula to every parameter."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, TypedDict

import numpy as np

from weft.errors import ArgumentError, GradientError, ShapeError
from weft.graph.op import Op
from weft.graph.recording import context
from weft.graph.source import user_source
from weft.graph.spec import Spec
from weft.nn.lessons import ARGUMENTS
from weft.optim.groups import path_of
from weft.optim.numbers import NEUTRAL, Numbers, Rate, is_zero
from weft.optim.plan import Rule, op_of
from weft.optim.schedules.schedule import Constant, say
from weft.optim.state import Group, State
from weft.runtime.log import Log
from weft.tensor import Tensor, as_tensor

Array = np.ndarray[Any, Any]


class Common(TypedDict, total=False):
    """Settings that every optimizer takes.

    ``maximize``    climb instead of descend
    ``clip_norm``   the largest norm of all gradients together; they are scaled down to it
    ``clip_value``  the largest size of any element of a gradient; comes before ``clip_norm``
    ``decay``       what the weight decay is for: "all", or "matrices" (no decay of biases and norms: of parameters
                    with less than two axes)
    ``l1``, ``l2``  penalties l1·‖w‖₁ + l2·‖w‖²/2: their gradient is added after clipping
    ``max_norm``    the largest norm of the weights into any one unit (over all axes but the first), kept after a step
    ``groups``      other settings for some parameters: {pattern of paths: {setting: number or schedule}}; where several
                    patterns hold the last one wins; "scale" multiplies the learning rate that holds otherwise
    """

    maximize: bool
    clip_norm: Rate | None
    clip_value: Rate | None
    decay: str
    l1: Rate
    l2: Rate
    max_norm: Rate | None
    groups: Mapping[str, Mapping[str, Any]]


class Optimizer(ABC):
    """A formula with its numbers; the same object serves a `Trainer` and a loop written by hand.

    A subclass says which state it keeps for each parameter (``slots`` or `first`) and how one parameter moves
    (`formula`). The numbers are run-time arguments: changing ``learning_rate`` compiles nothing, and a schedule in its
    place is computed in the program. By hand the state belongs to the optimizer and follows the parameters; a
    `Trainer` keeps a state of its own. Every optimizer also takes the settings of `Common`.
    """

    slots: tuple[str, ...] = ()
    numbers: ClassVar[tuple[str, ...]] = ("learning_rate", "weight_decay")
    options: ClassVar[tuple[str, ...]] = ()  # settings that change the formula itself
    shared: tuple[str, ...] = ()  # slots of one number, alike for parameters that are treated alike
    elementwise: bool = True  # whether the formula may be applied to many parameters laid end to end
    learning_rate: Rate
    weight_decay: Rate
    _op: ClassVar[Op]

    def __init__(self, common: Common, /, **numbers: Rate) -> None:
        unknown = set(common) - set(Common.__annotations__)
        if unknown:
            known = ", ".join((*self.numbers, *self.options, *Common.__annotations__))
            cures = [f"{name}: {ARGUMENTS[name]}" for name in sorted(unknown) if name in ARGUMENTS]
            raise ArgumentError(
                f"{type(self).__name__}({min(unknown)}=…)", expected=f"one of {known}", cure="\n".join(cures) or None
            )
        self.maximize = bool(common.get("maximize", False))
        self.numbers_of = Numbers(common.get("groups"), common.get("decay", "all"))
        self.state = State(shared=True)
        for name, value in numbers.items():
            self.numbers_of.set(type(self).__name__, name, value)
        for name in NEUTRAL:
            if common.get(name) is not None:
                self.numbers_of.set(type(self).__name__, name, common.get(name))
        self.numbers_of.complete(type(self).__name__)

    def __init_subclass__(cls) -> None:
        for name in (*cls.numbers, *NEUTRAL):
            setattr(cls, name, _number(name))
        for name in cls.options:
            setattr(cls, name, _option(name))
        cls._op = op_of(cls)

    @classmethod
    @abstractmethod
    def formula(cls, *operands: Any, **numbers: Any) -> Any:
        """``(w, g, state, t, **numbers)``: the parameter after step t (from 1) with gradient g, and its new state."""

    def first(self, spec: Spec) -> dict[str, Array]:
        """The slots of a parameter before its first step."""
        return {name: np.zeros(spec.shape, spec.dtype.numpy) for name in self.slots}

    @property
    def rule(self) -> Rule:
        """The formula with what it depends on besides numbers."""
        return Rule(type(self), self.numbers, tuple((name, getattr(self, name)) for name in self.options), self.shared)

    def uses(self, name: str) -> bool:
        """Whether a number is not the plain 0 for all parameters, so that what it is for must exist."""
        given = (self.numbers_of.values, *self.numbers_of.groups.values())
        return any(name in settings and not is_zero(settings[name]) for settings in given)

    # ── moving parameters ───────────────────────────────────────────────────────────────────────────────────

    def step(self, parameters: Any) -> None:
        """Move the parameters of a module (or of a list) by their ``.grad`` and run what was recorded."""
        wanted = parameters_of(parameters)
        pairs = [(p, g) for p in wanted if (g := p.grad) is not None]
        if not pairs:
            raise GradientError(
                "no parameter has a gradient",
                expected="loss.backward() before step()",
                cure="loss.backward(); optimizer.step(model); model.zero_grad()",
            )
        self.update([p for p, _ in pairs], [g for _, g in pairs])

    def update(self, parameters: Sequence[Tensor], gradients: Sequence[Any], state: State | None = None) -> None:
        """Move ``parameters`` by ``gradients`` in hand: one op for all of them, then a cut."""
        gradients = matched(parameters, gradients)
        kept = state or self.state
        group = kept.of(parameters, self)
        recording = context.recording
        if group.large and isinstance(recording, Log):
            group.launch(self, parameters, gradients)
            return
        self.record(group, parameters, gradients)
        if isinstance(recording, Log):
            recording.cut()

    def record(self, group: Group, parameters: Sequence[Tensor], gradients: Sequence[Any]) -> None:
        """Record the update of one group."""
        tracking, context.tracking = context.tracking, False
        try:
            moved = self._op(
                *parameters, *gradients, *group.slots, *group.late, *group.memories, group.clock,
                self.numbers_of.tensor, plan=group.plan,
            )  # fmt: skip
        finally:
            context.tracking = tracking
        recording, source = context.recording, user_source()
        for handle, value in zip((*parameters, *group.slots, group.clock), moved, strict=True):
            handle._become(value, recording, source)

    def observe(self, value: Any, state: State | None = None, *, when: Any = True) -> None:
        """Let schedules that wait for a measured value (`Plateau`) take note of one, if ``when`` holds."""
        kept = state or self.state
        for schedule in {id(s): s for s in self.numbers_of.remembering}.values():
            schedule.observe(value, kept.memory(schedule), when=when)

    # ── state ───────────────────────────────────────────────────────────────────────────────────────────────

    def new_state(self) -> State:
        """A state that has seen nothing yet, for a run of its own."""
        return State()

    def state_dict(self, parameters: Any, state: State | None = None) -> dict[str, Array]:
        """All that is remembered of the parameters of a module (or of a list), as arrays by path.

        >>> import weft as wf
        >>> from weft import optim
        >>> w, opt = wf.tensor([1.0], requires_grad=True), optim.SGD(0.1, momentum=0.9)
        >>> opt.update([w], [wf.ones(1)])
        >>> {name: value.tolist() for name, value in opt.state_dict([w]).items()}
        {'0/v': [1.0], '0/steps': 1, 'steps': 1}
        """
        return (state or self.state).state_dict(named(parameters), self.numbers_of.remembering)

    def load_state_dict(self, values: Mapping[str, Any], parameters: Any, state: State | None = None) -> None:
        """Take over what `state_dict` gave: what follows is the same, bit for bit."""
        kept = state or self.state
        kept.load_state_dict(values, named(parameters), self.numbers_of.remembering, self)

    # ── for people ──────────────────────────────────────────────────────────────────────────────────────────

    def settings(self) -> dict[str, Any]:
        """All settings by name, as they were given."""
        options = {name: getattr(self, name) for name in self.options}
        used = [*self.numbers, *(name for name in NEUTRAL if name in self.numbers_of.values)]
        found = {name: self.numbers_of.get(name) for name in used} | options
        if self.maximize:
            found["maximize"] = True
        if self.numbers_of.decay != "all":
            found["decay"] = self.numbers_of.decay
        if self.numbers_of.given_groups:
            found["groups"] = dict(self.numbers_of.given_groups)
        return found

    def describe(self) -> dict[str, Any]:
        """Its name and settings, for files and for people."""
        plain = {n: v if isinstance(v, int | float | str | None) else repr(v) for n, v in self.settings().items()}
        return {"name": type(self).__name__, **plain}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={say(value)}' for name, value in self.settings().items())})"


def check_optimizer(owner: str, optimizer: Any) -> None:
    """Refuse what is no optimizer, in the place of the one that ``owner`` is to wrap."""
    if not isinstance(optimizer, Optimizer):
        raise ArgumentError(
            f"{owner} of {optimizer!r}", expected="an optimizer", cure=f"optim.{owner}(optim.Adam(1e-3), …)"
        )


def matched(parameters: Sequence[Tensor], gradients: Sequence[Any]) -> list[Tensor]:
    """The gradients as tensors, one of its shape for each parameter."""
    if len(parameters) != len(gradients) or len({id(p) for p in parameters}) != len(parameters):
        raise ArgumentError(
            f"update of {len(parameters)} parameters, {len({id(p) for p in parameters})} of them different, by "
            f"{len(gradients)} gradients",
            expected="each parameter once, and a gradient for each",
        )
    given = []
    for p, g in zip(parameters, gradients, strict=True):
        if g is None:
            raise GradientError(
                f"None as the gradient of a parameter of shape {p.shape}",
                expected="a tensor or an array",
                cure="leave the parameter out, or give it wf.zeros_like(parameter)",
            )
        given.append(as_tensor(g))
        if p.node.spec.shape != given[-1].node.spec.shape:
            raise ShapeError(
                f"a gradient of shape {given[-1].shape} for a parameter of shape {p.shape}", expected="equal shapes"
            )
    return given


def penalized(g: Any, weight_decay: Any, w: Any) -> Any:
    """The gradient g + weight_decay·w; a decay that is the plain number 0 costs nothing."""
    return g if isinstance(weight_decay, int | float) and weight_decay == 0 else g + weight_decay * w


def _number(name: str) -> property:
    def get(self: Optimizer) -> Any:
        return self.numbers_of.get(name)

    def set_(self: Optimizer, value: Rate) -> None:
        if name not in NEUTRAL and name not in self.numbers_of.values:
            raise ArgumentError(
                f"{type(self).__name__} has no {name}",
                expected="one of " + ", ".join((*self.numbers_of.values, *NEUTRAL)),
            )
        if name in NEUTRAL and name not in self.numbers_of.values:
            self.numbers_of.values[name] = Constant(NEUTRAL[name])
            self.numbers_of.version += 1
        self.numbers_of.set(type(self).__name__, name, value)

    return property(get, set_)


def _option(name: str) -> property:
    def get(self: Optimizer) -> Any:
        return vars(self)[f"_{name}"]

    def set_(self: Optimizer, value: Any) -> None:
        vars(self)[f"_{name}"] = value
        self.numbers_of.version += 1

    return property(get, set_)


for _name in (*Optimizer.numbers, *NEUTRAL):
    setattr(Optimizer, _name, _number(_name))


def parameters_of(parameters: Any) -> list[Tensor]:
    """The tensors of a module, or of a list of tensors, that are to be trained."""
    if isinstance(parameters, Tensor):
        return [parameters]
    given: Iterable[Tensor] = parameters.parameters() if hasattr(parameters, "parameters") else parameters
    return list({id(p): p for p in given if p.requires_grad}.values())  # tied ones count once


def named(parameters: Any) -> dict[str, Tensor]:
    """The tensors of a module by path, of a list by their paths or else by their places."""
    if hasattr(parameters, "named_parameters"):
        return dict(parameters.named_parameters())
    given = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    return {path_of(p) or str(k): p for k, p in enumerate(given)}
