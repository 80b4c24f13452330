"""Samples of the common layers."""

from weft import nn

from .sample import Sample

ROWS, SIGNAL, IMAGE = (4, 6), (2, 4, 8), (2, 4, 6, 6)

SAMPLES: dict[str, Sample] = {
    "AdaptiveAvgPool2d": Sample(lambda: nn.AdaptiveAvgPool2d((2, 3)), IMAGE),
    "AvgPool1d": Sample(lambda: nn.AvgPool1d(2), SIGNAL),
    "AvgPool2d": Sample(lambda: nn.AvgPool2d(2, padding=1, count_include_pad=False), IMAGE),
    "BatchNorm1d": Sample(lambda: nn.BatchNorm1d(), ROWS),
    "BatchNorm2d": Sample(lambda: nn.BatchNorm2d(4, momentum=0.2), IMAGE),
    "Conv1d": Sample(lambda: nn.Conv1d(3, 3, stride=2, padding=1), SIGNAL),
    "Conv2d": Sample(lambda: nn.Conv2d(4, 6, 3, padding="same", groups=2, bias=False), IMAGE),
    "Conv3d": Sample(lambda: nn.Conv3d(2, 2, 2), (1, 2, 3, 3, 3)),
    "Dropout": Sample(lambda: nn.Dropout(0.3), ROWS),
    "ELU": Sample(lambda: nn.ELU(0.5), ROWS),
    "Embedding": Sample(lambda: nn.Embedding(7, 3), (2, 5), classes=7),
    "Flatten": Sample(lambda: nn.Flatten(), SIGNAL),
    "GELU": Sample(lambda: nn.GELU("tanh"), ROWS),
    "GlobalAveragePool": Sample(lambda: nn.GlobalAveragePool(), IMAGE),
    "GroupNorm": Sample(lambda: nn.GroupNorm(2), IMAGE),
    "Hardtanh": Sample(lambda: nn.Hardtanh(-0.5, 0.7), ROWS),
    "Identity": Sample(lambda: nn.Identity(), ROWS),
    "LayerNorm": Sample(lambda: nn.LayerNorm(), ROWS),
    "LeakyReLU": Sample(lambda: nn.LeakyReLU(0.2), ROWS),
    "Linear": Sample(lambda: nn.Linear(3), ROWS),
    "LogSoftmax": Sample(lambda: nn.LogSoftmax(), ROWS),
    "MaxPool1d": Sample(lambda: nn.MaxPool1d(2), SIGNAL),
    "MaxPool2d": Sample(lambda: nn.MaxPool2d(3, stride=2, padding=1), IMAGE),
    "RMSNorm": Sample(lambda: nn.RMSNorm(), ROWS),
    "ReLU": Sample(lambda: nn.ReLU(), ROWS),
    "Residual": Sample(lambda: nn.Residual(nn.Linear(3), shortcut=nn.Linear(3, bias=False)), ROWS),
    "SELU": Sample(lambda: nn.SELU(), ROWS),
    "Sequential": Sample(lambda: nn.Sequential({"first": nn.Linear(3), "second": nn.Tanh()}), ROWS),
    "SiLU": Sample(lambda: nn.SiLU(), ROWS),
    "Sigmoid": Sample(lambda: nn.Sigmoid(), ROWS),
    "Softmax": Sample(lambda: nn.Softmax(), ROWS),
    "Softplus": Sample(lambda: nn.Softplus(2.0), ROWS),
    "Tanh": Sample(lambda: nn.Tanh(), ROWS),
    "Unflatten": Sample(lambda: nn.Unflatten(1, (2, 3)), ROWS),
}
