"""Metrics by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from weft.errors import ArgumentError
from weft.nn.lookup import find
from weft.train.metrics.confusion import (
    BalancedAccuracy,
    CohenKappa,
    ConfusionMatrix,
    FBeta,
    IoU,
    MatthewsCorrelation,
    Precision,
    Recall,
)
from weft.train.metrics.probability import Accuracy, BrierScore, CalibrationError, LogLoss, Perplexity
from weft.train.metrics.ranking import ROCAUC, AveragePrecision
from weft.train.metrics.regression import (
    R2,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    RootMeanSquaredError,
)
from weft.train.metrics.streaming import StreamingMetric

AVERAGED: dict[str, Callable[..., StreamingMetric]] = {"precision": Precision, "recall": Recall, "f1": FBeta}
STREAMING: dict[str, Callable[[], StreamingMetric]] = {
    "accuracy": Accuracy,
    "average_precision": AveragePrecision,
    "balanced_accuracy": BalancedAccuracy,
    "brier_score": BrierScore,
    "calibration_error": CalibrationError,
    "cohen_kappa": CohenKappa,
    "confusion_matrix": ConfusionMatrix,
    "log_loss": LogLoss,
    "mae": MeanAbsoluteError,
    "mape": MeanAbsolutePercentageError,
    "matthews_correlation": MatthewsCorrelation,
    "mean_iou": IoU,
    "mse": MeanSquaredError,
    "perplexity": Perplexity,
    "r2": R2,
    "rmse": RootMeanSquaredError,
    "roc_auc": ROCAUC,
    "top3": lambda: Accuracy(top=3),
    "top5": lambda: Accuracy(top=5),
    **AVERAGED,
    **{
        f"{name}_{average}": partial(cls, average)
        for name, cls in AVERAGED.items()
        for average in ("macro", "micro", "weighted")
    },
}


def get_metric(of: str | StreamingMetric) -> StreamingMetric:
    """The metric that ``of`` names, fresh, or is.

    >>> from weft.train.metrics import get_metric
    >>> get_metric("f1_macro").average
    'macro'
    """
    if isinstance(of, StreamingMetric):
        return of
    if not isinstance(of, str):
        raise ArgumentError(f"{of!r} as a metric", expected="a name or a metric", cure='"roc_auc"')
    return find(STREAMING, of, "metric")()


def measure(
    metrics: Sequence[str | StreamingMetric] | Mapping[str, StreamingMetric],
    prediction: Any,
    target: Any,
    weights: Any = None,
    mask: Any = None,
) -> dict[str, Any]:
    """Several metrics of the same predictions: names or metrics, the result by name.

    >>> from weft.train.metrics import measure
    >>> measure(["accuracy", "f1"], [0.2, 0.9, 0.6, 0.4], [0, 1, 0, 0])
    {'accuracy': 0.75, 'f1': 0.6666666666666666}
    """
    if isinstance(metrics, str):
        raise ArgumentError(f"metrics={metrics!r}", expected="a list", cure=f"[{metrics!r}]")
    pairs = (
        metrics.items()
        if isinstance(metrics, Mapping)
        else [(m if isinstance(m, str) else repr(m), m) for m in metrics]
    )
    return {name: get_metric(m)(prediction, target, weights, mask) for name, m in pairs}
