"""From the name and the keywords of PyTorch's optimizers to ours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from weft import optim

# What their keywords are called here; keywords that are not named keep their names.
WORDS = {
    "lr": "learning_rate",
    "eps": "epsilon",
    "rho": "rho",
    "lr_decay": "rate_decay",
    "initial_accumulator_value": "start",
    "decoupled_weight_decay": "decoupled",
    "d": "clipping",
    "ns_steps": "iterations",
    "ns_coefficients": "coefficients",
    "line_search_fn": "line_search",
    "tolerance_grad": "tolerance_gradient",
    "max_iter": "iterations",
}


def ours(name: str, given: dict[str, Any]) -> Any:
    """Our optimizer of that name with the same numbers, defaults of theirs included where ours differ."""
    words: dict[str, Any] = {}
    for key, value in given.items():
        value = float(value) if hasattr(value, "item") else value
        if key == "etas":
            words["eta_minus"], words["eta_plus"] = value
        elif key == "step_sizes":
            words["least"], words["most"] = value
        elif key == "beta2_decay":
            words["decay_rate"] = -value
        elif key == "betas":
            words["beta1"], words["beta2"] = value
        else:
            words[WORDS.get(key, key)] = value
    if name == "SGD":
        words.setdefault("learning_rate", 1e-3)  # theirs; ours is 1e-2
    if name == "LBFGS":
        words.setdefault("line_search", None)
    make: Callable[..., Any] = getattr(optim, name)
    return make(**words)
