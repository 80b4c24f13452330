"""A look at a model before it is trained: what of it can learn, from one evaluation and one gradient of a few examples.

Nothing is changed: the model is looked at in evaluation mode, and no random number is drawn that something else waits
for.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from weft.graph.closure import close_over
from weft.graph.gradient import backpropagate
from weft.graph.node import Node, wrap
from weft.graph.recording import Trace, context
from weft.nn.losses import Loss, get_loss
from weft.nn.mode import evaluation_mode
from weft.nn.module import Module
from weft.ops.assembling import stack
from weft.ops.exponential import sqrt
from weft.random import hashed, using, wrap_key
from weft.runtime.compiled import compile
from weft.tensor import Tensor
from weft.transforms.tracked import one_for

Array = np.ndarray[Any, Any]
ROWS, NUMBERS = 256, 1 << 18  # of the sample are looked at: at most so many examples, and numbers of them
FAR = 3.0  # times the constant predictor's loss (and 1 more): worse than an untrained model has any reason to be
PASSING = {"astype", "expand_dims", "flatten", "permute_dims", "reshape", "slice", "squeeze", "broadcast_to"}
RANGES = {"relu": (0.0, math.inf), "sigmoid": (0.0, 1.0), "softmax": (0.0, 1.0), "softplus": (0.0, math.inf)}
RANGES |= {"tanh": (-1.0, 1.0)}  # of what may come last
CLASSES = {"cross_entropy", "focal", "multi_margin", "categorical_hinge"}
LOGITS = {"binary_cross_entropy_with_logits", "binary_focal_with_logits", "multilabel_soft_margin"}
SCORES = {"hinge", "squared_hinge", "soft_margin"}
SHARES = {"binary_cross_entropy", "dice", "iou", "tversky"}
SHOWN = 6


@dataclass(frozen=True)
class Look:
    """What one evaluation and one gradient tell.

    ``loss``      the mean loss of the examples
    ``norms``     ‖∂loss/∂w‖ of each parameter that is to be trained, by path; None where no way leads to the loss
    ``dead``      for each ReLU, by the path of its layer, the share of its units that are zero for every example
    ``spread``    the largest standard deviation of an output over the examples
    ``low, high`` the least and the largest output
    ``last``      the name of the last operation of the model that is not only a change of shape
    """

    loss: float
    norms: Mapping[str, float | None]
    dead: Mapping[str, float]
    spread: float
    low: float
    high: float
    last: str


def look_at(model: Module, loss: Any, x: Any, y: Any) -> Look:
    """Evaluate ``model`` on the examples (x, y) and differentiate the loss, in one program and without any effect.

    Targets are as the loss takes them.

    >>> from weft import nn
    >>> found = look_at(nn.Linear(2, 1), "mse", np.zeros((4, 2), np.float32), np.ones((4, 1), np.float32))
    >>> found.norms["weight"], found.spread
    (0.0, 0.0)
    """
    judged, found = get_loss(loss), _Found()
    inputs = Tensor(np.asarray(x)), Tensor(np.asarray(y))
    with evaluation_mode(model):
        model.build(inputs[0])
        parameters = {path: p for path, p in model.named_parameters() if p.requires_grad}

        def look(x: Tensor, y: Tensor) -> Any:
            prediction, value, grads = found.recorded(model, judged, parameters, x, y)
            shares = [dead_share(layer) for layer in found.relus]
            rows = prediction.detach().astype("float32").reshape(prediction.shape[0] if prediction.ndim else 1, -1)
            norms = [norm(g) for g in grads if g is not None]
            facts = [value.detach(), rows.std(axis=0).max(), rows.min(), rows.max()]
            return stack([v.astype("float32") for v in (*facts, *norms, *shares)])

        numbers = compile(look)(*inputs).numpy().tolist()
    rest = iter(numbers[4:])
    norms = {path: next(rest) if path in found.reached else None for path in parameters}
    dead = dict(zip(found.paths, rest, strict=True))
    return Look(numbers[0], norms, dead, numbers[1], numbers[2], numbers[3], found.last)


def glance_at(model: Module, loss: Loss, x: Array, y: Array, before: float) -> Look:
    """What the recording alone shows, for a model that has this loss before training; no number is computed."""
    found, unknown = _Found(), math.nan
    with evaluation_mode(model):
        parameters = {path: p for path, p in model.named_parameters() if p.requires_grad}

        def look(x: Tensor, y: Tensor) -> Any:
            return found.recorded(model, loss, parameters, x, y)[1]

        specs = [Tensor(a[:2]).node.spec for a in (x, y)]
        close_over(look, [(spec, False) for spec in specs], lambda given: given, "a look at the model")
    norms = {path: unknown if path in found.reached else None for path in parameters}
    return Look(before, norms, {}, unknown, unknown, unknown, found.last)


def few(x: Any, y: Any) -> tuple[Array, Array]:
    """The first examples, as many as cost little: 256, and of large ones fewer.

    >>> few(np.zeros((300, 4)), np.zeros(300))[0].shape, few(np.zeros((9, 3, 224, 224)), np.zeros(9))[0].shape
    ((256, 4), (8, 3, 224, 224))
    """
    inputs = np.asarray(x)
    rows = min(ROWS, max(8, NUMBERS // max(1, inputs[:1].size)))
    return inputs[:rows], np.asarray(y)[:rows]


class _Found:
    """What the recording of a forward pass shows."""

    def __init__(self) -> None:
        self.relus: list[Tensor] = []
        self.paths: list[str] = []
        self.reached: set[str] = set()  # the parameters from which a way leads to the loss
        self.last = ""

    def recorded(self, model: Module, loss: Loss, parameters: Mapping[str, Tensor], x: Any, y: Any) -> Any:
        """Prediction, loss, and its gradients (None where there is no way), while they are recorded."""
        with using(wrap_key(np.array([hashed(0, "a look"), 0], np.uint32))):
            prediction = model(x)
            value = loss.function(prediction, y)
        self.note(prediction)
        grads = backpropagate([value], [one_for(value)], [p.node for p in parameters.values()])
        self.reached = {path for path, g in zip(parameters, grads, strict=True) if g is not None}
        return prediction, value, grads

    def note(self, prediction: Tensor) -> None:
        trace = context.recording
        assert isinstance(trace, Trace)
        self.relus = relus_of(trace)
        self.paths = unique([layer.node.path for layer in self.relus])
        self.last = last_of(prediction.node)


def relus_of(trace: Trace) -> list[Tensor]:
    """The results of all ReLUs that a recording holds, in order."""
    nodes = [node for made in trace.nodes if (node := made()) is not None]
    return [wrap(node) for node in nodes if node.op is not None and node.op.name == "relu" and node.spec.shape]


def unique(paths: Sequence[str]) -> list[str]:
    """The same names, with a number where one comes again.

    >>> unique(["model.1", "model.1"])
    ['model.1', 'model.1 (2)']
    """
    seen: dict[str, int] = {}
    for path in paths:
        seen[path] = seen.get(path, 0) + 1
    counts = dict.fromkeys(seen, 0)
    named = []
    for path in paths:
        counts[path] += 1
        named.append(path if counts[path] == 1 else f"{path} ({counts[path]})")
    return named


def last_of(node: Node) -> str:
    """The operation that made a node, seen through changes of its shape."""
    while node.op is not None and node.op.name in PASSING and node.inputs:
        node = node.inputs[0]
    return node.op.name if node.op is not None else ""


def dead_share(layer: Tensor) -> Any:
    """The share of a ReLU's units that are zero for every example (N, units, …): of an image a unit is a channel."""
    axes = (0, *range(2, layer.ndim)) if layer.ndim > 3 else (0,)
    return (layer.detach().max(axis=axes) <= 0).astype("float32").mean()


def norm(g: Any) -> Any:
    """√Σg², in single precision."""
    wide = g.astype("float32")
    return sqrt((wide * wide).sum())


# ── in words ────────────────────────────────────────────────────────────────────────────────────────────────


def first_checks(model: Module, loss: Any, sample: Any, baseline: float, *, before: float | None = None) -> list[str]:
    """What a look before training finds wrong, a sentence each; nothing where all is well.

    ``sample`` is a data set or a pair (x, y) with targets as the loss takes them, ``baseline`` the loss of the best
    constant prediction. Where the loss ``before`` training is known already, nothing is computed: what the recording
    shows has to be enough.

    >>> from weft import nn
    >>> x, y = np.eye(4, dtype=np.float32), np.full((4, 1), 1001.0, np.float32)
    >>> first_checks(nn.Linear(4, 1), "mse", (x, y), baseline=1.0)[0].partition(",")[0]
    'before training the loss is 1e+06'
    """
    judged = get_loss(loss)
    x, y = sample if isinstance(sample, tuple) else (sample.x, sample.y)
    x, y = few(x, y)
    found = look_at(model, judged, x, y) if before is None else glance_at(model, judged, x, y, before)
    return [
        *far(found.loss, baseline, judged),
        *out_of_reach(found),
        *constant_inputs(x, getattr(sample, "features", ())),
        *disagreement(found, judged, y),
    ]


def far(value: float, baseline: float, loss: Loss) -> list[str]:
    """A loss much worse than that of a constant; of targets that are all alike the constant is no measure."""
    if baseline == 0 or not (
        math.isfinite(value) and math.isfinite(baseline) and value > max(FAR * baseline, baseline + 1)
    ):
        return []
    cure = ("scale_target=True, and " if loss.kind == "regression" else "") + 'scale="standard"'
    facts = f"before training the loss is {value:.3g}, that of a constant prediction {baseline:.3g}"
    return [f"{facts}: inputs or targets are on another scale than the weights; {cure}"]


def out_of_reach(found: Look) -> list[str]:
    """Parameters that no gradient reaches."""
    apart = [path for path, n in found.norms.items() if n is None]
    zero = [path for path, n in found.norms.items() if n == 0.0]
    notes = []
    if apart:
        why = "the model does not use it, or detach() or an operation on whole numbers comes between"
        notes.append(f"no way leads from {listed(apart)} to the loss: {why}")
    if zero:
        dead = [f"{path or 'a ReLU'}: {share:.0%}" for path, share in found.dead.items() if share == 1.0]
        why = f" (units that are zero for every example: {', '.join(dead)})" if dead else ""
        notes.append(f"the gradient of {listed(zero)} is exactly zero before training{why}")
    return notes


def constant_inputs(x: Array, features: Sequence[str]) -> list[str]:
    """Inputs that are the same in every example."""
    if len(x) < 2 or x.dtype.kind not in "biuf":
        return []
    same = (x == x[:1]).all(axis=0)
    if same.all():
        return [f"all {len(x)} examples looked at have the same inputs"]
    if x.ndim != 2 or x.shape[1] > 64 or not same.any():
        return []
    names = [repr(features[k]) if k < len(features) else str(k) for k in np.flatnonzero(same).tolist()]
    return [f"the same number in each of {len(x)} examples, which tells nothing: column {listed(names)}"]


def disagreement(found: Look, loss: Loss, y: Array) -> list[str]:
    """A last layer that does not give what the loss takes."""
    last, name, between = found.last, loss.name, f"between {found.low:.3g} and {found.high:.3g}"
    squashing = {"softmax", "sigmoid", "relu"} | ({"tanh"} if name not in SCORES else set())
    if name in CLASSES | LOGITS | SCORES and last in squashing:
        return [f"{name} takes any numbers (logits), and a {last} comes last: leave it out of the model"]
    if name == "nll" and found.high > 1e-4:
        return [f"nll takes logarithms of probabilities, and outputs reach {found.high:.3g}: loss='cross_entropy'"]
    if name in SHARES and (found.low < 0 or found.high > 1):
        cure = "nn.Sigmoid() as the last layer, or a loss with logits"
        return [f"{name} takes probabilities, and outputs lie {between}: {cure}"]
    if loss.kind != "regression" or last not in RANGES or not y.size or y.dtype.kind not in "biuf":
        return []
    low, high = RANGES[last]
    if low <= y.min() and y.max() <= high:
        return []
    bounds = f"numbers in [{low:g}, {high:g}]" if math.isfinite(high) else f"numbers ≥ {low:g}"
    targets = f"targets lie between {y.min():.3g} and {y.max():.3g}"
    return [f"{targets}, and a {last} as the last layer gives {bounds} only: leave it out of the model"]


def listed(names: Sequence[str]) -> str:
    """Names side by side, the first few of many.

    >>> listed(["a", "b"])
    'a, b'
    """
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
