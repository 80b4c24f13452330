"""Metrics: of each example, for `fit`; and of whole data sets, gathered over batches, exact in any order."""

from weft.train.metrics.confusion import (
    BalancedAccuracy,
    ClassScore,
    CohenKappa,
    ConfusionMatrix,
    FBeta,
    IoU,
    MatthewsCorrelation,
    Precision,
    Recall,
)
from weft.train.metrics.names import STREAMING, get_metric, measure
from weft.train.metrics.per_example import (
    METRICS,
    Metric,
    absolute_error,
    accuracy,
    binary_accuracy,
    logit_accuracy,
    metric_of,
    percentage_error,
    squared_error,
    top,
)
from weft.train.metrics.probability import Accuracy, BrierScore, CalibrationError, LogLoss, Mean, Perplexity
from weft.train.metrics.ranking import ROCAUC, AveragePrecision
from weft.train.metrics.regression import (
    R2,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    RootMeanSquaredError,
)
from weft.train.metrics.streaming import StreamingMetric

__all__ = [
    "METRICS",
    "R2",
    "ROCAUC",
    "STREAMING",
    "Accuracy",
    "AveragePrecision",
    "BalancedAccuracy",
    "BrierScore",
    "CalibrationError",
    "ClassScore",
    "CohenKappa",
    "ConfusionMatrix",
    "FBeta",
    "IoU",
    "LogLoss",
    "MatthewsCorrelation",
    "Mean",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredError",
    "Metric",
    "Perplexity",
    "Precision",
    "Recall",
    "RootMeanSquaredError",
    "StreamingMetric",
    "absolute_error",
    "accuracy",
    "binary_accuracy",
    "get_metric",
    "logit_accuracy",
    "measure",
    "metric_of",
    "percentage_error",
    "squared_error",
    "top",
]
