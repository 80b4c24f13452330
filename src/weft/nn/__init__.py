"""Modules, layers, losses, and the first values of parameters."""

from weft.nn import functional, init
from weft.nn.layers.activations import (
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
from weft.nn.layers.containers import ModuleDict, ModuleList, Residual, Sequential
from weft.nn.layers.convolution import Conv1d, Conv2d, Conv3d
from weft.nn.layers.dropout import Dropout
from weft.nn.layers.embedding import Embedding
from weft.nn.layers.linear import Flatten, Identity, Linear, Unflatten
from weft.nn.layers.losses import (
    BCELoss,
    BCEWithLogitsLoss,
    CrossEntropyLoss,
    HuberLoss,
    L1Loss,
    MSELoss,
    NLLLoss,
    SmoothL1Loss,
)
from weft.nn.layers.normalization import BatchNorm1d, BatchNorm2d, GroupNorm, LayerNorm, RMSNorm
from weft.nn.layers.pooling import (
    AdaptiveAvgPool2d,
    AvgPool1d,
    AvgPool2d,
    GlobalAveragePool,
    MaxPool1d,
    MaxPool2d,
)
from weft.nn.losses import LOSSES, Loss, get_loss
from weft.nn.module import Module
from weft.nn.parameter import Buffer, Parameter
from weft.nn.registry import construct, describe, register
from weft.nn.summary import Summary, summary

__all__ = [
    "ELU",
    "GELU",
    "LOSSES",
    "SELU",
    "AdaptiveAvgPool2d",
    "AvgPool1d",
    "AvgPool2d",
    "BCELoss",
    "BCEWithLogitsLoss",
    "BatchNorm1d",
    "BatchNorm2d",
    "Buffer",
    "Conv1d",
    "Conv2d",
    "Conv3d",
    "CrossEntropyLoss",
    "Dropout",
    "Embedding",
    "Flatten",
    "GlobalAveragePool",
    "GroupNorm",
    "Hardtanh",
    "HuberLoss",
    "Identity",
    "L1Loss",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "LogSoftmax",
    "Loss",
    "MSELoss",
    "MaxPool1d",
    "MaxPool2d",
    "Module",
    "ModuleDict",
    "ModuleList",
    "NLLLoss",
    "Parameter",
    "RMSNorm",
    "ReLU",
    "Residual",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "SmoothL1Loss",
    "Softmax",
    "Softplus",
    "Summary",
    "Tanh",
    "Unflatten",
    "construct",
    "describe",
    "functional",
    "get_loss",
    "init",
    "register",
    "summary",
]
