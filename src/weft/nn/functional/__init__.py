"""Layers and losses as functions of tensors: one entry of a recording each."""

from weft.nn.functional.activation import (
    elu,
    gelu,
    hardtanh,
    leaky_relu,
    log_softmax,
    relu,
    selu,
    sigmoid,
    silu,
    softmax,
    softplus,
    tanh,
)
from weft.nn.functional.classification import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cross_entropy,
    nll_loss,
)
from weft.nn.functional.convolution import (
    adaptive_average_pool,
    average_pool,
    conv,
    global_average_pool,
    max_pool,
)
from weft.nn.functional.dropout import dropout
from weft.nn.functional.linear import embedding, linear, one_hot
from weft.nn.functional.normalization import batch_norm, batch_norm_train, group_norm, layer_norm, rms_norm
from weft.nn.functional.regression import huber_loss, l1_loss, mse_loss, smooth_l1_loss

__all__ = [
    "adaptive_average_pool",
    "average_pool",
    "batch_norm",
    "batch_norm_train",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "conv",
    "cross_entropy",
    "dropout",
    "elu",
    "embedding",
    "gelu",
    "global_average_pool",
    "group_norm",
    "hardtanh",
    "huber_loss",
    "l1_loss",
    "layer_norm",
    "leaky_relu",
    "linear",
    "log_softmax",
    "max_pool",
    "mse_loss",
    "nll_loss",
    "one_hot",
    "relu",
    "rms_norm",
    "selu",
    "sigmoid",
    "silu",
    "smooth_l1_loss",
    "softmax",
    "softplus",
    "tanh",
]
