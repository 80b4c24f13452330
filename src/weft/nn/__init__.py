"""Layers, losses and first values of parameters."""

from weft.nn import functional, init
from weft.nn.activations import (
    ELU,
    GELU,
    SELU,
    Hardtanh,
    LeakyReLU,
    LogSoftmax,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Tanh,
)
from weft.nn.containers import ModuleDict, ModuleList, Residual, Sequential
from weft.nn.linear import Flatten, Identity, Linear, Unflatten
from weft.nn.module import Module
from weft.nn.parameter import Buffer, Parameter
