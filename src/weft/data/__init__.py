"""Data: from files and arrays to checked data sets, splits, scaling and the order of examples."""

from weft.data.batches import batches
from weft.data.block import Block
from weft.data.bundled import NAMES, breast_cancer, diabetes, digits, iris, load, wine
from weft.data.check import check_finite, check_labels, check_scaled
from weft.data.csv_files import csv_stream
from weft.data.dataset import Dataset, aligned, as_dataset
from weft.data.images import images
from weft.data.lazy import LazyDataset, lazy
from weft.data.leakage import Leakage, leakage
from weft.data.mapped import mapped
from weft.data.mnist import fashion_mnist, kmnist, mnist, read_idx
from weft.data.order import generator, permutation
from weft.data.parquet_files import parquet
from weft.data.scale import Scaler
from weft.data.split import Split, split
from weft.data.stream import Stream
from weft.data.table import Source, Table, open_table, read_csv
from weft.data.threads import ahead
from weft.data.warning import DataWarning

__all__ = [
    "NAMES",
    "Block",
    "DataWarning",
    "Dataset",
    "LazyDataset",
    "Leakage",
    "Scaler",
    "Source",
    "Split",
    "Stream",
    "Table",
    "ahead",
    "aligned",
    "as_dataset",
    "batches",
    "breast_cancer",
    "check_finite",
    "check_labels",
    "check_scaled",
    "csv_stream",
    "diabetes",
    "digits",
    "fashion_mnist",
    "generator",
    "images",
    "iris",
    "kmnist",
    "lazy",
    "leakage",
    "load",
    "mapped",
    "mnist",
    "open_table",
    "parquet",
    "permutation",
    "read_csv",
    "read_idx",
    "split",
    "wine",
]
