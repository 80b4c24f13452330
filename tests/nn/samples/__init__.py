"""One sample of every layer, a family in each file; a layer without a sample fails the contract."""

from importlib import import_module
from pkgutil import iter_modules

from .sample import Sample

FAMILIES = [import_module(f"{__name__}.{found.name}") for found in iter_modules(__path__) if found.name != "sample"]
SAMPLES: dict[str, Sample] = {name: sample for family in FAMILIES for name, sample in family.SAMPLES.items()}
