"""Layers and losses as functions of tensors: one entry of a recording each."""

from weft.nn.functional.activation import (
    gelu,
    glu,
    logsigmoid,
    mish,
    sigmoid,
    silu,
    softplus,
    softsign,
    tanh,
    tanhshrink,
)
from weft.nn.functional.adaptive_pooling import (
    adaptive_average_pool,
    adaptive_avg_pool1d,
    adaptive_avg_pool2d,
    adaptive_avg_pool3d,
    adaptive_max_pool1d,
    adaptive_max_pool2d,
    adaptive_max_pool3d,
    fractional_max_pool2d,
    fractional_max_pool3d,
    global_average_pool,
    global_max_pool,
)
from weft.nn.functional.attention import (
    causal_mask,
    scaled_dot_product_attention,
)
from weft.nn.functional.bilinear import bilinear
from weft.nn.functional.binary import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    multilabel_soft_margin_loss,
)
from weft.nn.functional.classification import cross_entropy, nll_loss
from weft.nn.functional.convolution import (
    conv,
    conv1d,
    conv2d,
    conv3d,
)
from weft.nn.functional.convolution_transpose import (
    conv_transpose1d,
    conv_transpose2d,
    conv_transpose3d,
)
from weft.nn.functional.distance import cdist, cosine_similarity, normalize, pairwise_distance, pdist, renorm
from weft.nn.functional.dropout import alpha_dropout, dropout, gaussian_noise
from weft.nn.functional.embedding import embedding, embedding_bag
from weft.nn.functional.interpolation import (
    interpolate,
)
from weft.nn.functional.likelihood import (
    gaussian_nll_loss,
    kl_div,
    poisson_nll_loss,
)
from weft.nn.functional.linear import (
    linear,
    one_hot,
)
from weft.nn.functional.margins import (
    categorical_hinge_loss,
    hinge_embedding_loss,
    hinge_loss,
    margin_ranking_loss,
    multi_margin_loss,
    multilabel_margin_loss,
    soft_margin_loss,
    squared_hinge_loss,
)
from weft.nn.functional.normalization import (
    batch_norm,
    batch_norm_train,
    group_norm,
    instance_norm,
    layer_norm,
    local_response_norm,
    rms_norm,
)
from weft.nn.functional.overlap import (
    binary_focal_loss_with_logits,
    dice_loss,
    focal_loss,
    iou_loss,
    tversky_loss,
)
from weft.nn.functional.padding import pad
from weft.nn.functional.pixels import (
    channel_shuffle,
    pixel_shuffle,
    pixel_unshuffle,
)
from weft.nn.functional.pooling import (
    average_pool,
    avg_pool1d,
    avg_pool2d,
    avg_pool3d,
    lp_pool1d,
    lp_pool2d,
    lp_pool3d,
    max_pool,
    max_pool1d,
    max_pool2d,
    max_pool3d,
)
from weft.nn.functional.positions import (
    rotary,
    sinusoidal_positions,
)
from weft.nn.functional.rectifiers import (
    celu,
    elu,
    hardshrink,
    hardsigmoid,
    hardswish,
    hardtanh,
    leaky_relu,
    prelu,
    relu,
    relu6,
    rrelu,
    selu,
    softshrink,
    threshold,
)
from weft.nn.functional.regression import (
    huber_loss,
    l1_loss,
    mse_loss,
    smooth_l1_loss,
)
from weft.nn.functional.sampling import (
    affine_grid,
    grid_sample,
)
from weft.nn.functional.sequences import (
    ctc_loss,
)
from weft.nn.functional.similarity import (
    cosine_embedding_loss,
    triplet_margin_loss,
    triplet_margin_with_distance_loss,
)
from weft.nn.functional.softmax import (
    gumbel_softmax,
    log_softmax,
    softmax,
    softmin,
)
from weft.nn.functional.unpooling import (
    max_unpool1d,
    max_unpool2d,
    max_unpool3d,
)
from weft.nn.functional.windows import (
    fold,
    unfold,
)

__all__ = [
    "adaptive_average_pool",
    "adaptive_avg_pool1d",
    "adaptive_avg_pool2d",
    "adaptive_avg_pool3d",
    "adaptive_max_pool1d",
    "adaptive_max_pool2d",
    "adaptive_max_pool3d",
    "affine_grid",
    "alpha_dropout",
    "average_pool",
    "avg_pool1d",
    "avg_pool2d",
    "avg_pool3d",
    "batch_norm",
    "batch_norm_train",
    "bilinear",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "binary_focal_loss_with_logits",
    "categorical_hinge_loss",
    "causal_mask",
    "cdist",
    "celu",
    "channel_shuffle",
    "conv",
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
    "cosine_embedding_loss",
    "cosine_similarity",
    "cross_entropy",
    "ctc_loss",
    "dice_loss",
    "dropout",
    "elu",
    "embedding",
    "embedding_bag",
    "focal_loss",
    "fold",
    "fractional_max_pool2d",
    "fractional_max_pool3d",
    "gaussian_nll_loss",
    "gaussian_noise",
    "gelu",
    "global_average_pool",
    "global_max_pool",
    "glu",
    "grid_sample",
    "group_norm",
    "gumbel_softmax",
    "hardshrink",
    "hardsigmoid",
    "hardswish",
    "hardtanh",
    "hinge_embedding_loss",
    "hinge_loss",
    "huber_loss",
    "instance_norm",
    "interpolate",
    "iou_loss",
    "kl_div",
    "l1_loss",
    "layer_norm",
    "leaky_relu",
    "linear",
    "local_response_norm",
    "log_softmax",
    "logsigmoid",
    "lp_pool1d",
    "lp_pool2d",
    "lp_pool3d",
    "margin_ranking_loss",
    "max_pool",
    "max_pool1d",
    "max_pool2d",
    "max_pool3d",
    "max_unpool1d",
    "max_unpool2d",
    "max_unpool3d",
    "mish",
    "mse_loss",
    "multi_margin_loss",
    "multilabel_margin_loss",
    "multilabel_soft_margin_loss",
    "nll_loss",
    "normalize",
    "one_hot",
    "pad",
    "pairwise_distance",
    "pdist",
    "pixel_shuffle",
    "pixel_unshuffle",
    "poisson_nll_loss",
    "prelu",
    "relu",
    "relu6",
    "renorm",
    "rms_norm",
    "rotary",
    "rrelu",
    "scaled_dot_product_attention",
    "selu",
    "sigmoid",
    "silu",
    "sinusoidal_positions",
    "smooth_l1_loss",
    "soft_margin_loss",
    "softmax",
    "softmin",
    "softplus",
    "softshrink",
    "softsign",
    "squared_hinge_loss",
    "tanh",
    "tanhshrink",
    "threshold",
    "triplet_margin_loss",
    "triplet_margin_with_distance_loss",
    "tversky_loss",
    "unfold",
]
