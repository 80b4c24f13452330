"""Samples of normalisation, dropout and tables."""

from weft import nn

from .sample import Sample

ROWS, SIGNAL, IMAGE, VOLUME = (4, 6), (2, 4, 8), (2, 4, 6, 6), (1, 2, 4, 4, 4)

SAMPLES: dict[str, Sample] = {
    "BatchNorm1d": Sample(lambda: nn.BatchNorm1d(), ROWS, modes=True),
    "BatchNorm2d": Sample(lambda: nn.BatchNorm2d(4, momentum=0.2), IMAGE, modes=True),
    "BatchNorm3d": Sample(lambda: nn.BatchNorm3d(momentum=None, bias=False), VOLUME, modes=True),
    "InstanceNorm1d": Sample(lambda: nn.InstanceNorm1d(4), SIGNAL),
    "InstanceNorm2d": Sample(lambda: nn.InstanceNorm2d(affine=True, track_running_stats=True), IMAGE, modes=True),
    "InstanceNorm3d": Sample(lambda: nn.InstanceNorm3d(affine=True), VOLUME),
    "GroupNorm": Sample(lambda: nn.GroupNorm(2), IMAGE),
    "LayerNorm": Sample(lambda: nn.LayerNorm(), ROWS),
    "RMSNorm": Sample(lambda: nn.RMSNorm(eps=1e-6), ROWS),
    "LocalResponseNorm": Sample(lambda: nn.LocalResponseNorm(3, alpha=0.5), SIGNAL),
    "Dropout": Sample(lambda: nn.Dropout(0.3), ROWS, random=True),
    "Dropout1d": Sample(lambda: nn.Dropout1d(0.5), SIGNAL, random=True),
    "Dropout2d": Sample(lambda: nn.Dropout2d(0.5), IMAGE, random=True),
    "Dropout3d": Sample(lambda: nn.Dropout3d(0.6), (4, *VOLUME[1:]), random=True),
    "AlphaDropout": Sample(lambda: nn.AlphaDropout(0.3), ROWS, random=True),
    "FeatureAlphaDropout": Sample(lambda: nn.FeatureAlphaDropout(), IMAGE, random=True),
    "DropPath": Sample(lambda: nn.DropPath(0.5), (8, 3), random=True),
    "GaussianNoise": Sample(lambda: nn.GaussianNoise(0.5), ROWS, random=True),
    "Embedding": Sample(lambda: nn.Embedding(7, 3, padding_idx=2), (2, 5), classes=7),
    "EmbeddingBag": Sample(lambda: nn.EmbeddingBag(7, 3, mode="sum", padding_idx=-1), (2, 5), classes=7),
}
