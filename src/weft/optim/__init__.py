"""Optimizers, each its formula; schedules, clipping, accumulation, averages of the weights."""

from weft.optim.accumulation import Accumulate
from weft.optim.adafactor import Adafactor
from weft.optim.adam import Adam, Adamax, AdamW, Lamb, NAdam, RAdam
from weft.optim.adaptive import Adadelta, Adagrad, RMSprop
from weft.optim.averaging import EMA, SWA, update_batch_statistics
from weft.optim.clipping import clip_norm, clip_value, penalty
from weft.optim.descent import ASGD, SGD, Lion, Rprop
from weft.optim.lbfgs import LBFGS
from weft.optim.muon import Muon
from weft.optim.optimizer import Optimizer
from weft.optim.schedules import (
    Constant,
    Cosine,
    CosineRestarts,
    Cyclic,
    Exponential,
    Function,
    InverseSquareRoot,
    Linear,
    MultiStep,
    OneCycle,
    Piecewise,
    Plateau,
    Polynomial,
    Product,
    Schedule,
    Sequence,
    Step,
)

__all__ = [
    "ASGD",
    "EMA",
    "LBFGS",
    "SGD",
    "SWA",
    "Accumulate",
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Constant",
    "Cosine",
    "CosineRestarts",
    "Cyclic",
    "Exponential",
    "Function",
    "InverseSquareRoot",
    "Lamb",
    "Linear",
    "Lion",
    "MultiStep",
    "Muon",
    "NAdam",
    "OneCycle",
    "Optimizer",
    "Piecewise",
    "Plateau",
    "Polynomial",
    "Product",
    "RAdam",
    "RMSprop",
    "Rprop",
    "Schedule",
    "Sequence",
    "Step",
    "clip_norm",
    "clip_value",
    "penalty",
    "update_batch_statistics",
]
