"""Convolutions and transposed convolutions."""

from __future__ import annotations

from typing import Any

from weft import nn

from .bridge import Mapped, Sample, noise


def convolution(cls: type[nn.Module]) -> Any:
    """PyTorch takes all arguments by position too, and a device."""

    def make(*sizes: Any, device: Any = None, **options: Any) -> nn.Module:
        names = ("stride", "padding", "output_padding" if "Transpose" in cls.__name__ else "dilation")
        return cls(*sizes[:3], **dict(zip(names, sizes[3:], strict=False)), **options)

    return make


CLASSES = [f"{kind}{n}d" for kind in ("Conv", "ConvTranspose") for n in (1, 2, 3)]


def lazy(n: int) -> dict[str, Any]:
    """For classes over ``n`` axes: examples without a batch do not say which axis the channels are."""
    return {"one example for a layer that waits for its channels": lambda s: s.inputs[0].ndim == n + 1}


MODULES = {
    **{name: Mapped(convolution(getattr(nn, name))) for name in CLASSES},
    **{f"Lazy{name}": Mapped(convolution(getattr(nn, name)), skip=lazy(int(name[-2]))) for name in CLASSES},
}

PADDED = [
    Sample((4, 6, 3), {"padding": padding, "padding_mode": mode, "stride": stride, "groups": 2}, (noise(2, 4, 7, 6),))
    for mode in ("zeros", "reflect", "replicate", "circular")
    for padding, stride in ((1, 2), ((2, 1), 1), ("same", 1))
]
SAMPLES = {
    "Conv1d": [
        Sample((4, 6, 3), {"stride": 2, "padding": 2, "dilation": 2, "bias": False}, (noise(2, 4, 9),)),
        Sample((4, 6, 4), {"padding": "same", "padding_mode": "circular"}, (noise(4, 9),)),
    ],
    "Conv2d": [*PADDED, Sample((4, 8, (3, 2)), {"padding": "valid", "groups": 4}, (noise(2, 4, 7, 6),))],
    "Conv3d": [
        Sample((2, 4, 3), {"stride": (1, 2, 1), "padding": 1, "padding_mode": "replicate"}, (noise(2, 2, 4, 5, 4),)),
    ],
    "ConvTranspose1d": [
        Sample((4, 6, 3), {"stride": 3, "padding": 1, "output_padding": 2, "groups": 2}, (noise(2, 4, 5),)),
        Sample((4, 6, 3), {"stride": 2, "dilation": 2, "bias": False}, (noise(2, 4, 5),), {"output_size": (14,)}),
    ],
    "ConvTranspose2d": [
        Sample((4, 6, 3), {"stride": 2, "padding": 1, "groups": 2, "dilation": 2}, (noise(2, 4, 5, 4),)),
        Sample((4, 3, 3), {"stride": 2, "padding": 1}, (noise(2, 4, 5, 4),), {"output_size": (2, 3, 10, 8)}),
        Sample((4, 3, 3), {"stride": 2, "padding": 1}, (noise(4, 5, 4),), {"output_size": (9, 8)}),
    ],
    "ConvTranspose3d": [
        Sample((2, 4, 3), {"stride": 2, "padding": 1, "output_padding": (1, 0, 1)}, (noise(1, 2, 3, 2, 3),)),
    ],
}
