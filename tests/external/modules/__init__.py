"""PyTorch's module database run on Weft: for each of its classes a line that makes our layer from its arguments.

A file for each family has a table MODULES, and may have one of further SAMPLES, also of classes not in the database.
"""

from __future__ import annotations

import importlib
import pkgutil

from .bridge import Mapped, Sample

MODULES: dict[str, Mapped] = {}
OWN: dict[str, list[Sample]] = {}  # in addition to the database's
for module in pkgutil.iter_modules(__path__):
    family = importlib.import_module(f"{__name__}.{module.name}")
    for name, make in getattr(family, "MODULES", {}).items():
        assert name not in MODULES, f"{name} is mapped twice"
        MODULES[name] = make if isinstance(make, Mapped) else Mapped(make)
    OWN |= getattr(family, "SAMPLES", {})
