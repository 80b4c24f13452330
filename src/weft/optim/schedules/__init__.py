"""Schedules: numbers that depend on how many steps have been taken."""

from weft.optim.schedules.composition import Function, Product, Sequence
from weft.optim.schedules.decay import (
    Exponential,
    InverseSquareRoot,
    Linear,
    MultiStep,
    Piecewise,
    Polynomial,
    Step,
)
from weft.optim.schedules.plateau import Plateau
from weft.optim.schedules.schedule import Constant, Schedule
from weft.optim.schedules.waves import Cosine, CosineRestarts, Cyclic, OneCycle

__all__ = [
    "Constant",
    "Cosine",
    "CosineRestarts",
    "Cyclic",
    "Exponential",
    "Function",
    "InverseSquareRoot",
    "Linear",
    "MultiStep",
    "OneCycle",
    "Piecewise",
    "Plateau",
    "Polynomial",
    "Product",
    "Schedule",
    "Sequence",
    "Step",
]
