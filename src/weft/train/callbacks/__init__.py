"""Callbacks: what is commonly wanted at the events of a fit."""

from weft.train.callbacks.averages import Averages
from weft.train.callbacks.live import LiveDiagnosis
from weft.train.callbacks.logs import CSVLog, TensorBoard
from weft.train.callbacks.snapshots import Snapshots
from weft.train.callbacks.statistics import LearningRate, Statistics
from weft.train.callbacks.stopping import EarlyStopping
from weft.train.callbacks.timing import TimeLimit
from weft.train.callbacks.unfreezing import Unfreeze
from weft.train.resume import Checkpoint

__all__ = [
    "Averages",
    "CSVLog",
    "Checkpoint",
    "EarlyStopping",
    "LearningRate",
    "LiveDiagnosis",
    "Snapshots",
    "Statistics",
    "TensorBoard",
    "TimeLimit",
    "Unfreeze",
]
