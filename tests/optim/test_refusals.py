"""What is no optimizer, no gradient, no number and no step is refused in the words of what was called."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import weft as wf
from weft import nn, optim
from weft.errors import ArgumentError, DTypeError, GradientError, ShapeError


def weight() -> Any:
    return wf.tensor([1.0, 2.0], requires_grad=True)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: optim.Accumulate(optim.SGD(0.1), 2.5), "whole number"),
        (lambda: optim.Accumulate("sgd", 2), "an optimizer"),
        (lambda: optim.EMA(0.99), "an optimizer"),
        (lambda: optim.SWA(optim.SGD, start=1), "an optimizer"),
        (lambda: optim.SGD(0.1, groups=[{"learning_rate": 1.0}]), "settings by patterns"),
        (lambda: optim.SGD(0.1, groups={"*": 0.1}), "settings by patterns"),
        (lambda: optim.Adadelta(rho=1.5), "rho"),
        (lambda: optim.Muon(iterations=-1), "iterations"),
        (lambda: optim.Muon(coefficients=(1.0, 2.0)), "three numbers"),
        (lambda: optim.Adafactor(epsilon1=-1.0), "epsilon1"),
        (lambda: optim.LBFGS("1"), "learning_rate"),
        (lambda: optim.LBFGS(math.inf), "learning_rate"),
        (lambda: optim.LBFGS(history=2.5), "history"),
        (lambda: optim.LBFGS(evaluations=-3), "evaluations"),
        (lambda: optim.LBFGS(tolerance_gradient=math.nan), "tolerance_gradient"),
        (lambda: optim.MultiStep(1.0, milestones=[1.5, 2]), "whole numbers"),
        (lambda: optim.MultiStep(1.0, milestones=["a"]), "whole numbers"),
        (lambda: optim.Piecewise({0: 1.0, 2.5: 2.0}), "whole numbers"),
        (lambda: optim.Piecewise([1.0, 2.0]), "values by steps"),
        (lambda: optim.Piecewise({0: "a"}), "value at 0"),
        (lambda: optim.Sequence([1.0, 2.0], milestones=[1.5]), "whole numbers"),
        (lambda: optim.Function(3), "a function"),
        (lambda: optim.Plateau(0.1).observe("a"), "one number"),
        (lambda: optim.Plateau(0.1).observe(wf.ones(2)), "one number"),
        (lambda: optim.clip_norm([wf.ones(2)], "1"), "most > 0"),
        (lambda: optim.penalty(nn.Linear(2, 1), l1=-1.0), "l1"),
        (lambda: optim.penalty(nn.Linear(2, 1), groups={"weight": {"l3": 1.0}}), "'l1' or 'l2'"),
        (lambda: optim.penalty(nn.Linear(2, 1), groups={"weight": {"l2": math.nan}}), "l2"),
    ],
)
def test_arguments_have_their_range(make: Any, says: str) -> None:
    with pytest.raises(ArgumentError, match=says):
        make()


@pytest.mark.parametrize("examples", [math.inf, math.nan, 0, "3", wf.ones(2)])
def test_examples_are_one_number(examples: Any) -> None:
    with pytest.raises(ArgumentError, match="a finite number > 0"):
        optim.Accumulate(optim.SGD(0.1), 2).update([weight()], [wf.ones(2)], examples=examples)


@pytest.mark.parametrize(
    ("given", "error"),
    [([None], GradientError), ([wf.ones((2, 1))], ShapeError), ([], ArgumentError)],
)
def test_a_gradient_is_refused_by_the_call_that_brings_it(given: Any, error: Any) -> None:
    opt = optim.Accumulate(optim.SGD(0.1), 2)
    with pytest.raises(error):
        opt.update([weight()], given)
    assert opt.flush() is False  # nothing of it was taken in


def test_clipping_by_hand_takes_arrays_and_refuses_whole_numbers() -> None:
    clipped, norm = optim.clip_norm([np.array([3.0, 4.0])], 1.0)
    assert float(norm) == 5.0
    assert clipped[0].numpy() == pytest.approx([0.6, 0.8], abs=1e-6)
    with pytest.raises(DTypeError, match="int64"):
        optim.clip_norm([wf.tensor([3, 4])], 1.0)
    with pytest.raises(GradientError, match="is not None"):
        optim.clip_value([None], 1.0)
