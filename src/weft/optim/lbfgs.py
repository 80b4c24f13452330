"""L-BFGS: Newton's direction from the last steps and changes of the gradient."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from weft.errors import ArgumentError
from weft.nn.check import number, positive, sizes
from weft.optim.linesearch import Point, strong_wolfe
from weft.optim.optimizer import parameters_of
from weft.tensor import Tensor
from weft.transforms import gradients

Array = np.ndarray[Any, Any]


class LBFGS:
    """Limited-memory BFGS (Nocedal & Wright 2006, Algorithms 7.4 and 7.5), for whole data sets and few parameters.

    d = −H·g from the last ``history`` pairs s = Δw, y = Δg by the two-loop recursion, H₀ = (sᵀy / yᵀy)·I;
    w ← w + t·d, with t from a line search that satisfies the strong Wolfe conditions, or t = learning_rate with
    ``line_search=None``. The first step is min(1, 1/‖g‖₁)·learning_rate long.

    Each `step` makes up to ``iterations`` iterations and ``evaluations`` evaluations, and stops where no element of the
    gradient is above ``tolerance_gradient``, or where step or loss change by less than ``tolerance_change``. What it
    remembers is on the host; it cannot serve a Trainer, which trains on batches.

    >>> import weft as wf
    >>> from weft import optim
    >>> w = wf.tensor([-1.0, 2.0], wf.float64, requires_grad=True)
    >>> rosenbrock = lambda: (1 - w[0]) ** 2 + 100 * (w[1] - w[0] ** 2) ** 2
    >>> opt = optim.LBFGS(iterations=60)
    >>> loss = opt.step([w], rosenbrock)
    >>> [round(x, 4) for x in w.tolist()]
    [1.0, 1.0]
    """

    def __init__(
        self,
        learning_rate: float = 1.0,
        *,
        iterations: int = 20,
        evaluations: int | None = None,
        history: int = 100,
        tolerance_gradient: float = 1e-7,
        tolerance_change: float = 1e-9,
        line_search: str | None = "strong_wolfe",
    ) -> None:
        if line_search not in ("strong_wolfe", None):
            raise ArgumentError(f"LBFGS(line_search={line_search!r})", expected='"strong_wolfe" or None')
        positive("LBFGS", finite=True, learning_rate=learning_rate)
        number("LBFGS", 0, tolerance_gradient=tolerance_gradient, tolerance_change=tolerance_change)
        sizes("LBFGS", iterations=iterations, history=history)
        sizes("LBFGS", evaluations=evaluations, optional=True)
        self.learning_rate, self.iterations, self.history = learning_rate, iterations, history
        self.evaluations = iterations * 5 // 4 if evaluations is None else evaluations
        self.tolerance_gradient, self.tolerance_change = tolerance_gradient, tolerance_change
        self.line_search = line_search
        self.steps = 0
        self.pairs: list[tuple[Array, Array]] = []  # (s, y)
        self.scale = 1.0  # H₀
        self.moved: Array | None = None  # the last step, t·d
        self.gradient: Array | None = None  # where that step began

    def step(self, parameters: Any, closure: Callable[[], Any]) -> float:
        """Minimize ``closure()``, which computes the loss from the parameters; the loss before.

        The gradients are computed here: the closure neither clears them nor calls ``backward``.
        """
        wanted = parameters_of(parameters)
        space = Space(wanted, closure)
        first = loss = space.evaluate()
        g, count = space.gradient, 1
        if np.abs(g).max() <= self.tolerance_gradient:
            return first
        for k in range(self.iterations):
            d = self.direction(g)
            self.steps += 1
            t = min(1.0, 1.0 / float(np.abs(g).sum())) * self.learning_rate if self.steps == 1 else self.learning_rate
            self.gradient, before = g, loss
            slope = float(g @ d)
            if slope > -self.tolerance_change:
                self.moved = np.zeros_like(d)
                break
            if self.line_search is not None:
                start = Point(0.0, loss, slope, g)
                point, used = strong_wolfe(
                    space.along(d), start, t, size=float(np.abs(d).max()), most=self.evaluations - count
                )
                t, loss, g = point.t, point.value, point.gradient
                count += used
                space.move(t, d)
            else:
                space.move(t, d)
                if k + 1 < self.iterations:
                    loss, g, count = space.evaluate(), space.gradient, count + 1
            self.moved = d * np.asarray(t, d.dtype)
            if (
                count >= self.evaluations
                or np.abs(g).max() <= self.tolerance_gradient
                or np.abs(self.moved).max() <= self.tolerance_change
                or abs(loss - before) < self.tolerance_change
            ):
                break
        return first

    def direction(self, g: Array) -> Array:
        """−H·g by the two-loop recursion, after the last step has been taken into the history."""
        if self.moved is None or self.gradient is None:
            return -g
        s, y = self.moved, g - self.gradient
        curvature = float(y @ s)
        if curvature > 1e-10:
            self.pairs = [*self.pairs, (s, y)][-self.history :]
            self.scale = curvature / float(y @ y)
        q, alphas = -g, []
        for s, y in reversed(self.pairs):
            alphas.append(float(s @ q) / float(y @ s))
            q -= y * np.asarray(alphas[-1], q.dtype)
        q *= np.asarray(self.scale, q.dtype)
        for (s, y), alpha in zip(self.pairs, reversed(alphas), strict=True):
            q += s * np.asarray(alpha - float(y @ q) / float(y @ s), q.dtype)
        return q

    def state_dict(self) -> dict[str, Array]:
        """All that is remembered, as arrays."""
        found = {"steps": np.array(self.steps), "scale": np.array(self.scale)}
        found |= {f"pairs/{k}": np.stack(pair) for k, pair in enumerate(self.pairs)}
        if self.moved is not None and self.gradient is not None:
            found |= {"moved": self.moved.copy(), "gradient": self.gradient.copy()}
        return found

    def load_state_dict(self, values: Mapping[str, Any]) -> None:
        """Take over what `state_dict` gave."""
        self.steps, self.scale = int(values["steps"]), float(values["scale"])
        count = sum(name.startswith("pairs/") for name in values)
        self.pairs = [(np.array(values[f"pairs/{k}"][0]), np.array(values[f"pairs/{k}"][1])) for k in range(count)]
        known = "moved" in values
        self.moved = np.array(values["moved"]) if known else None
        self.gradient = np.array(values["gradient"]) if known else None


class Space:
    """The parameters as one vector, and the loss as a function of it."""

    def __init__(self, parameters: Sequence[Tensor], closure: Callable[[], Any]) -> None:
        self.parameters, self.closure = parameters, closure
        kinds = {p.dtype for p in parameters}
        if len(kinds) != 1:
            raise ArgumentError(f"parameters of {len(kinds)} types", expected="one type for all parameters of L-BFGS")
        self.place = self.now()
        self.gradient = np.zeros_like(self.place)

    def now(self) -> Array:
        """The parameters, laid end to end."""
        return np.concatenate([p.numpy().ravel() for p in self.parameters])

    def evaluate(self) -> float:
        """The loss where the parameters are; its gradient is left in ``gradient``."""
        loss = self.closure()
        if not isinstance(loss, Tensor):
            raise ArgumentError(f"the closure returned {type(loss).__name__}", expected="the loss, a tensor")
        parts = gradients(loss, list(self.parameters), unused="zeros")
        self.gradient = np.concatenate([g.numpy().ravel() for g in parts])
        return float(loss)

    def put(self, vector: Array) -> None:
        """Give the parameters the values of a vector."""
        start = 0
        for p in self.parameters:
            p.assign(Tensor(vector[start : start + p.size].reshape(p.shape)))
            start += p.size

    def along(self, d: Array) -> Callable[[float], Point]:
        """The loss as a function of the step length along ``d``."""

        def at(t: float) -> Point:
            self.put(self.place + np.asarray(t, d.dtype) * d)
            value = self.evaluate()
            return Point(t, value, float(self.gradient @ d), self.gradient)

        return at

    def move(self, t: float, d: Array) -> None:
        """Go by t·d from where the line search began, to stay."""
        self.place = self.place + np.asarray(t, d.dtype) * d
        self.put(self.place)
