"""PyTorch's operator database run on Weft: for each operator a line that says it in Weft's own words."""

from __future__ import annotations

import importlib
import pkgutil

from .bridge import Mapped

MAPPED: dict[str, Mapped] = {}
for module in pkgutil.iter_modules(__path__):
    for name, call in getattr(importlib.import_module(f"{__name__}.{module.name}"), "OPERATORS", {}).items():
        assert name not in MAPPED, f"{name} is mapped twice"
        MAPPED[name] = call if isinstance(call, Mapped) else Mapped(call)
