"""The recipe of a table: how its columns become x and y, kept so that prediction does exactly as training did."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from weft.data.check import check_labels
from weft.data.column import Column, to_numbers
from weft.data.dataset import Dataset
from weft.data.frame import any_frame
from weft.data.naming import closest, listing, plural
from weft.data.recipe_json import checked_column, checked_table
from weft.data.target import TableTask, encode_target
from weft.errors import DataError, ShapeError

if TYPE_CHECKING:
    from pandas import DataFrame

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Table:
    """Columns and target of a table, and how each becomes numbers. Plain data: it is saved with the model.

    ``classes`` is empty for regression; ``reason`` says why the task is what it is.

    >>> import pandas as pd
    >>> table = Table((Column("age", "number"),), target="ill", classes=("no", "yes"), task="classification", reason="")
    >>> table.encode(pd.DataFrame({"age": [31, 52]})).tolist()
    [[31.0], [52.0]]
    >>> table.decode(np.array([[0.2, 0.8]])).tolist()
    ['yes']
    """

    columns: tuple[Column, ...]
    target: str
    classes: tuple[str, ...]
    task: TableTask
    reason: str
    separator: str = ","

    @property
    def features(self) -> tuple[str, ...]:
        """The name of each column of x."""
        return tuple(feature for column in self.columns for feature in column.features)

    def fitted(self, frame: DataFrame) -> Table:
        """The recipe with stand-ins for missing cells, found from these rows: give it the training rows only."""
        return replace(self, columns=tuple(column.fitted(frame[column.name]) for column in self.columns))

    def encode(self, data: Any) -> Array:
        """Inputs of shape (n, features), float32, from a table as `open_table` takes it: a file, text or ``.parquet``,
        or a data frame of pandas, Polars or Arrow. Its columns come in any order, others are ignored.

        Raises DataError for an absent column, a missing cell that is not imputed, a category not seen in training.
        """
        frame = self._frame(data)
        self._check_columns(frame)
        self._check_missing(frame)
        return np.concatenate([column.encode(frame[column.name]) for column in self.columns], axis=1)

    def dataset(self, data: Any, name: str = "table") -> Dataset:
        """A second table as this recipe reads it; y is None where the target column is absent. Raises as ``encode``."""
        frame = self._frame(data)
        has_target = self.target in frame.columns
        return Dataset(
            x=self.encode(frame),
            y=encode_target(frame[self.target], self.classes) if has_target else None,
            name=name,
            features=self.features,
            target=self.target,
            classes=self.classes,
            task=self.task if has_target else "none",
            table=self,
        )

    def decode(self, predictions: Any) -> Array:
        """Class names from class numbers (n,) or scores (n, classes); for regression the numbers, shape (n,).

        Raises ShapeError for any other shape, DataError for a class number out of range.
        """
        array = np.asarray(predictions)
        if self.task == "regression" and array.size == len(array):
            return np.asarray(array.reshape(-1))
        names = np.array(self.classes)
        if self.task == "classification" and array.ndim == 2 and array.shape[1] == len(names):
            return np.asarray(names[array.argmax(axis=1)])
        if self.task == "classification" and array.ndim == 1 and array.dtype.kind in "iu":
            check_labels(array, len(names), "the table's target")
            return np.asarray(names[array])
        wanted = f"class numbers, shape (n,), or scores, shape (n, {len(self.classes)})"
        raise ShapeError(
            f"predictions of shape {array.shape} and type {array.dtype}",
            expected=wanted if self.classes else "numbers, shape (n,) or (n, 1)",
            cure="(p > 0.5).astype(int).reshape(-1), if p is a probability" if len(self.classes) == 2 else None,
        )

    def text_columns(self) -> set[str]:
        """The columns whose cells are texts even where they look like numbers: "01" must not be read as 1."""
        import pandas as pd

        named = set(self.classes) - {"True", "False"}
        text = {column.name for column in self.columns if set(column.categories) - {"True", "False"}}
        return text | ({self.target} if np.isnan(to_numbers(pd.Series(sorted(named), dtype=object))).any() else set())

    def to_json(self) -> dict[str, Any]:
        """The recipe as plain data, for ``from_json``."""
        return {"format": "weft.table", "version": 1, **asdict(self)}

    @classmethod
    def from_json(cls, data: Any) -> Table:
        """The recipe that ``to_json`` wrote, also after json.dumps and loads. Raises FileError for anything else."""
        checked = checked_table(data, [field.name for field in fields(cls)])
        names = [field.name for field in fields(Column)]
        columns = [checked_column(column, names, place) for place, column in enumerate(checked["columns"])]
        return cls(
            **{
                **checked,
                "classes": tuple(checked["classes"]),
                "columns": tuple(Column(**{**column, "categories": tuple(column["categories"])}) for column in columns),
            }
        )

    def _frame(self, data: Any) -> DataFrame:
        needed = {self.target, *(column.name for column in self.columns)}
        return any_frame(data, separator=self.separator, text=self.text_columns(), only=needed)

    def _check_columns(self, frame: DataFrame) -> None:
        present = [str(name) for name in frame.columns]
        absent = [column.name for column in self.columns if column.name not in present]
        if absent:
            near = closest(absent[0], [name for name in present if name not in {c.name for c in self.columns}])
            raise DataError(
                f"{plural(len(absent), 'column')} not there: {listing(absent)}",
                expected=f"the columns of training: {listing([column.name for column in self.columns])}",
                where=f"the table has {listing(present)}",
                cure=f"rename {near!r} to {absent[0]!r}?" if near else f"add {listing(absent, 3)} to the table",
            )

    def _check_missing(self, frame: DataFrame) -> None:
        gaps = {column.name: frame[column.name].isna().to_numpy() for column in self.columns if column.fill is None}
        gaps = {name: missing for name, missing in gaps.items() if missing.any()}
        if gaps:
            total = sum(int(missing.sum()) for missing in gaps.values())
            raise DataError(
                f"{plural(total, 'cell')} missing in {plural(len(gaps), 'column')}",
                expected="a value in every cell",
                where="\n".join(_told(frame, name, missing) for name, missing in list(gaps.items())[:8]),
                cure='missing="impute" (the median, or the most frequent value, of the training part), or fill them in',
            )


def _told(frame: DataFrame, name: str, missing: Array) -> str:
    first = frame.index[int(missing.argmax())]
    count = int(missing.sum())
    return (
        f"column {name!r}: {count} missing, {'the first ' if count > 1 else ''}in {frame.index.name or 'row'} {first}"
    )
