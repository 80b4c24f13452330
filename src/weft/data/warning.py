"""The warning about data that can be trained on, but probably not as intended."""

from __future__ import annotations


class DataWarning(UserWarning):
    """Data that will train, but whose result may mislead: a class on one side of a split only, a column left out."""
