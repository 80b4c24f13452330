"""Data: from files and arrays to checked data sets, splits, scaling and the order of examples."""

from weft.data.bundled import NAMES, breast_cancer, diabetes, digits, iris, load, wine
from weft.data.check import check_finite, check_labels, check_scaled
from weft.data.dataset import Dataset, aligned, as_dataset
from weft.data.leakage import Leakage, leakage
from weft.data.order import batches, generator, permutation
from weft.data.scale import Scaler
from weft.data.split import Split, split
from weft.data.table import Source, Table, open_table, read_csv
from weft.data.warning import DataWarning

__all__ = [
    "NAMES",
    "DataWarning",
    "Dataset",
    "Leakage",
    "Scaler",
    "Source",
    "Split",
    "Table",
    "aligned",
    "as_dataset",
    "batches",
    "breast_cancer",
    "check_finite",
    "check_labels",
    "check_scaled",
    "diabetes",
    "digits",
    "generator",
    "iris",
    "leakage",
    "load",
    "open_table",
    "permutation",
    "read_csv",
    "split",
    "wine",
]
