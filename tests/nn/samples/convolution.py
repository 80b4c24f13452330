"""Samples of convolutions."""

from weft import nn

from .sample import Sample

SIGNAL, IMAGE, VOLUME = (2, 4, 8), (2, 4, 6, 6), (1, 2, 3, 3, 3)

SAMPLES: dict[str, Sample] = {
    "Conv1d": Sample(lambda: nn.Conv1d(3, 3, stride=2, padding=1, padding_mode="circular"), SIGNAL),
    "Conv2d": Sample(lambda: nn.Conv2d(4, 6, 3, padding="same", groups=2, bias=False), IMAGE),
    "Conv3d": Sample(lambda: nn.Conv3d(2, 2, 2), VOLUME),
    "ConvTranspose1d": Sample(lambda: nn.ConvTranspose1d(3, 3, stride=2, padding=1, output_padding=1), SIGNAL),
    "ConvTranspose2d": Sample(lambda: nn.ConvTranspose2d(4, 6, 3, groups=2, dilation=2, bias=False), IMAGE),
    "ConvTranspose3d": Sample(lambda: nn.ConvTranspose3d(2, 2, 2), VOLUME),
}
