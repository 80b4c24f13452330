"""Optimizers: each is its formula."""

from weft.optim.formulas import SGD, Adam, AdamW, RMSprop
from weft.optim.optimizer import Optimizer

__all__ = ["SGD", "Adam", "AdamW", "Optimizer", "RMSprop"]
