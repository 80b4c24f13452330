"""The data sets that come along, from scikit-learn: no download, real feature and class names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from weft.data.column import Column
from weft.data.dataset import Dataset
from weft.data.naming import closest, listing
from weft.data.recipe import Table
from weft.data.target import TableTask
from weft.errors import ArgumentError


def iris() -> Dataset:
    """150 flowers, 4 lengths in cm, 3 species.

    >>> iris()
    iris: 150 rows of (4,) float32, 3 classes ('setosa', 'versicolor', 'virginica')
    """
    from sklearn.datasets import load_iris

    return _classes("iris", "species", load_iris())


def digits(*, image: bool = False) -> Dataset:
    """1797 handwritten digits, 8 × 8 pixels from 0 to 16: x of shape (n, 64), with ``image`` (n, 1, 8, 8).

    >>> digits(image=True).x.shape
    (1797, 1, 8, 8)
    """
    from sklearn.datasets import load_digits

    data = _classes("digits", "digit", load_digits())
    return replace(data, x=data.x.reshape(-1, 1, 8, 8), features=(), table=None) if image else data


def wine() -> Dataset:
    """178 wines, 13 chemical measurements, 3 growers.

    >>> wine().classes
    ('class_0', 'class_1', 'class_2')
    """
    from sklearn.datasets import load_wine

    return _classes("wine", "grower", load_wine())


def breast_cancer() -> Dataset:
    """569 tumours, 30 measurements of cell nuclei, malignant or benign.

    >>> breast_cancer().classes
    ('malignant', 'benign')
    """
    from sklearn.datasets import load_breast_cancer

    return _classes("breast_cancer", "diagnosis", load_breast_cancer())


def diabetes() -> Dataset:
    """442 patients, 10 measurements in their own units, and the progression of the disease a year later: regression.

    >>> diabetes().features[:3], diabetes().task
    (('age', 'sex', 'bmi'), 'regression')
    """
    from sklearn.datasets import load_diabetes

    # scikit-learn's default is scaled over all rows, validation rows included.
    raw = load_diabetes(scaled=False)
    table = _table(raw, "progression", (), "regression", "target 'progression' is a quantity: regression")
    return Dataset(
        x=raw.data.astype(np.float32),
        y=raw.target.astype(np.float32),
        name="diabetes",
        features=table.features,
        target=table.target,
        task="regression",
        table=table,
    )


_LOADERS: dict[str, Callable[[], Dataset]] = {
    loader.__name__: loader for loader in (iris, digits, wine, breast_cancer, diabetes)
}
NAMES = tuple(_LOADERS)


def load(name: str) -> Dataset:
    """The bundled data set of this name, one of NAMES. Raises ArgumentError for another name.

    >>> load("wine").x.shape
    (178, 13)
    """
    if name not in _LOADERS:
        near = closest(name, NAMES)
        raise ArgumentError(
            f"no bundled data set {name!r}",
            expected=f"one of {listing(NAMES)}",
            cure=f"weft.data.load({near!r})" if near else "weft.data.read_csv(path, target)",
        )
    return _LOADERS[name]()


def _classes(name: str, target: str, raw: Any) -> Dataset:
    classes = tuple(str(label) for label in raw.target_names)
    reason = f"target {target!r} names {len(classes)} classes: classification"
    table = _table(raw, target, classes, "classification", reason)
    return Dataset(
        x=raw.data.astype(np.float32),
        y=raw.target.astype(np.int64),
        name=name,
        features=table.features,
        target=target,
        classes=classes,
        task="classification",
        table=table,
    )


def _table(raw: Any, target: str, classes: tuple[str, ...], task: TableTask, reason: str) -> Table:
    """The recipe that reads a file with these columns as the data set was read."""
    columns = tuple(Column(str(feature), "number") for feature in raw.feature_names)
    return Table(columns, target, classes, task, reason)
