"""Samples of every op, a file for each family: a new file with a list ``SAMPLES`` is found by itself."""

from __future__ import annotations

import importlib
import pkgutil

from ..contract import Sample

SAMPLES: list[Sample] = [
    sample
    for module in pkgutil.iter_modules(__path__)
    for sample in getattr(importlib.import_module(f"{__name__}.{module.name}"), "SAMPLES", [])
]
