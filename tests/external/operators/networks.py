"""Functions of layers of PyTorch's operator database: attention, normalisation, bags, bilinear maps."""

from __future__ import annotations

from typing import Any

from weft.nn import functional as F

from .bridge import Mapped

DRAWS = {"random numbers, which no two libraries share": lambda *_, dropout_p=0.0, **__: dropout_p > 0}


def _instance_norm(
    x: Any,
    running_mean: Any = None,
    running_var: Any = None,
    weight: Any = None,
    bias: Any = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    kept = (None, None) if use_input_stats else (running_mean, running_var)
    return F.instance_norm(x, *kept, weight, bias, eps=eps)


def _embedding_bag(weight: Any, indices: Any, max_norm: Any = None, sparse: bool = False, **options: Any) -> Any:
    padding = options.get("padding_idx")
    if padding is not None and padding < 0:
        options["padding_idx"] = weight.shape[0] + padding
    return F.embedding_bag(indices, weight, **options)


OPERATORS: dict[str, Any] = {
    "nn.functional.bilinear": F.bilinear,
    "nn.functional.embedding_bag": Mapped(
        _embedding_bag,
        skip={
            "a largest norm, which is the layer's matter": lambda *_, max_norm=None, **__: max_norm is not None,
            "PyTorch halves the gradient of an index that occurs once": lambda *_, scale_grad_by_freq=False, **__: (
                scale_grad_by_freq
            ),
        },
    ),
    "nn.functional.instance_norm": _instance_norm,
    "nn.functional.local_response_norm": F.local_response_norm,
    "nn.functional.scaled_dot_product_attention": Mapped(F.scaled_dot_product_attention, skip=DRAWS),
}
