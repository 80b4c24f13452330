"""Metrics of whole data sets beside a fit: from the model's outputs to what a metric takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from weft.errors import ArgumentError
from weft.nn.losses import Loss
from weft.train.ignored import counted
from weft.train.metrics.names import STREAMING, get_metric
from weft.train.metrics.per_example import METRICS, Metric, metric_of
from weft.train.metrics.streaming import Array, StreamingMetric


def sort_out(wanted: Sequence[Any], loss: Loss) -> tuple[list[Metric], dict[str, StreamingMetric]]:
    """Metrics that are means over examples, which `fit` computes in its program, and those of whole data sets."""
    means: list[Metric] = []
    whole: dict[str, StreamingMetric] = {}
    for given in wanted:
        if isinstance(given, StreamingMetric):
            whole[label(given)] = given
        elif isinstance(given, str) and given in STREAMING and given not in METRICS:
            whole[given] = get_metric(given)
        else:
            means.append(metric_of(given, loss.name, loss.ignore_index))
    return means, whole


def label(metric: StreamingMetric) -> str:
    """The name of a metric in a history: that of the table if it is one of it, else how it was made."""
    return next((name for name, make in STREAMING.items() if repr(make()) == repr(metric)), repr(metric))


def watch(metrics: dict[str, StreamingMetric], loss: Loss, outputs: Array, targets: Array) -> dict[str, Any]:
    """The value of each metric for the outputs of a model trained by ``loss``."""
    if loss.kind == "binary":
        targets = np.maximum(targets, 0)  # −1 and 1 are 0 and 1 here
    chances = probabilities(loss, outputs)
    given = {name: outputs if metric.takes == "logits" else chances for name, metric in metrics.items()}
    mask = counted(loss, targets)
    return {name: metric(given[name], targets, mask=mask) for name, metric in metrics.items()}


def watched_numbers(values: dict[str, Any]) -> dict[str, float]:
    """The values for a history, which holds one number for each metric and epoch."""
    for name, value in values.items():
        if np.ndim(value):
            raise ArgumentError(
                f"the metric {name} gives {np.shape(value)} numbers in an epoch",
                expected="metrics of one number in fit",
                cure="an average such as 'f1_macro'; trainer.evaluate takes metrics of many numbers",
            )
    return {name: float(value) for name, value in values.items()}


def probabilities(loss: Loss, outputs: Array) -> Array:
    """What the outputs of a model say of each class, in [0, 1]; numbers of a regression stay as they are.

    Softmax and sigmoid for logits. Scores of margins take the same way: it keeps their order and their threshold.
    """
    if loss.kind == "classification":
        if loss.name == "nll":
            return np.exp(outputs)
        shifted = np.exp(outputs - outputs.max(axis=1, keepdims=True))
        return np.asarray(shifted / shifted.sum(axis=1, keepdims=True))
    if loss.kind == "binary" and loss.threshold == 0:
        return np.asarray(0.5 + 0.5 * np.tanh(0.5 * outputs))
    return outputs
