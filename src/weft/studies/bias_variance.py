"""Bias and variance, measured: many training sets, many seeds, the same test rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from weft.data.dataset import Dataset, aligned, as_dataset
from weft.data.order import generator
from weft.errors import ArgumentError, DataError, is_whole
from weft.nn.losses import Loss
from weft.optim.optimizer import Optimizer
from weft.overfit.decomposition import Decomposition, decompose
from weft.studies.result import PopulationRun
from weft.studies.rows import BOOTSTRAP, resampled
from weft.studies.setup import as_population, check_how
from weft.train.options import whole

Array = np.ndarray[Any, Any]
FITTING = {
    "classification": ("zero_one", "log"),
    "binary": ("zero_one", "log", "squared"),
    "regression": ("squared",),
    "custom": ("squared", "zero_one", "log"),
}
KINDS = {"mse": "squared", "mae": "squared", "huber": "squared", "cross_entropy": "log", "nll": "log"}


@dataclass(frozen=True, eq=False)
class BiasVariance:
    """The result of `bias_variance`: ``loss = bias2 + variance``, exactly, and where the variance comes from.

    ``decomposition`` holds all terms with their standard errors, ``predictions`` (replicas, seeds, n, …) what they come
    from, ``run`` the population.
    """

    decomposition: Decomposition
    predictions: Array
    run: PopulationRun

    @property
    def loss(self) -> float:
        """The mean loss over all models and test rows."""
        return self.decomposition.loss

    @property
    def bias2(self) -> float:
        """Bias², with the noise of the targets in it unless that is known."""
        return self.decomposition.bias2

    @property
    def variance(self) -> float:
        """What varies from model to model."""
        return self.decomposition.variance

    def plot(self) -> Any:
        """Bias and variance as the two parts of the loss, as a matplotlib figure."""
        from weft.view.terms import plot_terms

        return plot_terms(self.decomposition)

    def __str__(self) -> str:
        return str(self.decomposition)


def bias_variance(
    make: Any,
    data: Any,
    *,
    test: Any,
    loss: Any = None,
    optimizer: Optimizer | None = None,
    metrics: Sequence[Any] = (),
    replicas: int = 20,
    seeds: int = 1,
    draw: str = "bootstrap",
    decompose_by: str | None = None,
    noise: float | None = None,
    seed: int = 0,
    **how: Any,
) -> BiasVariance:
    """Train on many training sets and measure on the same test rows what is bias and what is variance.

    ``test``          data of its own, or a fraction of ``data``
    ``replicas``      how many training sets, 2 or more; ``draw``: "bootstrap" (as many rows, drawn with replacement),
                      or "halves" (a random half of the rows each)
    ``seeds``         how many models for each, to tell the variance of the data from that of the first values
    ``decompose_by``  "squared", "zero_one" or "log"; by default what belongs to the loss
    ``noise``         what no model can avoid, if it is known
    ``how``           epochs, batch_size, scale, verbose, …: as of `Population.fit`; the models are those of the last
                      epoch

    Raises DataError where a model diverged, as it would be one from before training.

    >>> import weft as wf
    >>> from weft import nn, optim
    >>> x = np.linspace(-1, 1, 80, dtype=np.float32)[:, None]
    >>> d = wf.bias_variance(lambda: nn.Linear(1), (x, x**2), test=(x, x**2), loss="mse", optimizer=optim.Adam(0.05),
    ...     replicas=4, epochs=20, verbose=False)
    >>> bool(abs(d.bias2 + d.variance - d.loss) < 1e-9), bool(d.bias2 > d.variance)
    (True, True)
    """
    if not is_whole(replicas, 2):
        raise ArgumentError(
            f"replicas={replicas!r}", expected="2 or more: one model has no variance", cure="replicas=20"
        )
    whole("seeds", seeds, 1)
    if draw not in ("bootstrap", "halves"):
        raise ArgumentError(f"draw={draw!r}", expected='"bootstrap" or "halves"')
    check_how("bias_variance", how, "keep", "patience")
    population = as_population(make, loss, optimizer, metrics, seed=seed)
    kind = kind_of(population.loss, decompose_by)
    given, held = parted(data, test, seed, wide=population.wide)
    rows = [drawn_rows(len(given), draw, seed + r) for r in range(replicas)]
    pairs = [(chosen, np.zeros(0, np.int64)) for chosen in rows for _ in range(seeds)]
    numbers = [seed + 1 + k for k in range(replicas * seeds)]
    run = population.fit(given, rows=pairs, seeds=numbers, keep="last", **how)
    if run.diverged.any():
        raise DataError(
            f"{int(run.diverged.sum())} of {len(run)} models diverged",
            expected="models that were all trained",
            cure="a lower learning rate",
        )
    predictions = said(run, held, kind)
    target = np.asarray(held.y)
    if kind == "squared":
        target = target.reshape(predictions.shape[1:]).astype(np.float64)
    found = decompose(predictions, target, kind, seeds=seeds, noise=noise)  # type: ignore[arg-type]
    return BiasVariance(found, predictions.reshape(replicas, seeds, *predictions.shape[1:]), run)


def kind_of(loss: Loss, asked: str | None) -> str:
    """How the loss is decomposed: as asked for, or as belongs to it."""
    kind = asked if asked is not None else KINDS.get(loss.name, "squared" if loss.kind == "regression" else "")
    fitting = FITTING[loss.kind]
    if kind in fitting:
        return kind
    raise ArgumentError(
        f"decompose_by={asked!r}" if asked is not None else f"the loss {loss.name!r} has no decomposition of its own",
        expected=f"{' or '.join(map(repr, fitting))} for the loss {loss.name!r}",
        cure=f"decompose_by={fitting[0]!r}",
    )


def parted(data: Any, test: Any, seed: int, *, wide: bool = False) -> tuple[Dataset, Dataset]:
    """Data to draw training sets from, and test rows."""
    from weft.data.split import split

    given = as_dataset(data, keep_float64=wide)
    if test is None or (isinstance(test, int | float) and not 0 < test < 1):  # split would call it validation
        raise ArgumentError(
            f"test={test!r}", expected="a fraction between 0 and 1, both excluded, or data of its own", cure="test=0.3"
        )
    chosen = split(given, test, seed=seed)
    train, held = chosen.apply(given)
    held = aligned(held, given.classes)
    if held.y is None:
        raise DataError("test rows without targets", expected="a pair (x, y)")
    return train, held


def drawn_rows(n: int, draw: str, seed: int) -> Array:
    """The rows of one training set."""
    if draw == "bootstrap":
        return resampled(np.arange(n), seed)
    return np.sort(generator(seed, 0, BOOTSTRAP).permutation(n)[: max(1, n // 2)])


def said(run: PopulationRun, held: Dataset, kind: str) -> Array:
    """What each model says of the test rows, as the decomposition takes it, (K, n, …)."""
    shares, loss = run.answers(held.x), run.base.loss
    assert loss is not None
    if kind == "squared":
        return shares.astype(np.float64)
    if loss.kind == "binary":
        two = shares.reshape(*shares.shape[:2], -1)[..., 0]
        return np.stack([1 - two, two], axis=-1) if kind == "log" else (two > 0.5).astype(np.int64)
    return shares.astype(np.float64) if kind == "log" else shares.argmax(axis=2)
