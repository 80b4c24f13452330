"""What is to happen when another library arrives: Weft never imports it, and need not be told."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import Any


def when_imported(module: str, then: str) -> None:
    """Import ``then`` as soon as ``module`` is there: now, or right after somebody else has imported it."""
    if module in sys.modules:
        import_module(then)
    else:
        sys.meta_path.insert(0, Watch(module, then))


class Watch(MetaPathFinder):
    """A finder that finds nothing itself: it waits for one module, steps aside, and adds a step after its loading."""

    def __init__(self, module: str, then: str) -> None:
        self.module, self.then = module, then

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != self.module:
            return None
        sys.meta_path.remove(self)
        spec = find_spec(fullname)
        if spec is not None and spec.loader is not None:
            spec.loader = Followed(spec.loader, self.then)
        return spec


class Followed(Loader):
    """A loader, and an import after what it loads; in all else it is that loader."""

    def __init__(self, loader: Any, then: str) -> None:
        self.loader, self.then = loader, then

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        made: ModuleType | None = self.loader.create_module(spec)
        return made

    def exec_module(self, module: ModuleType) -> None:
        module.__loader__ = self.loader
        if module.__spec__ is not None:
            module.__spec__.loader = self.loader
        self.loader.exec_module(module)
        try:
            import_module(self.then)
        except (ImportError, AttributeError) as error:  # another version: whoever imports it shall have it all the same
            name = module.__name__.partition(".")[0]
            warnings.warn(f"this version of {name} does not know Weft's tensors: {error}", stacklevel=2)
