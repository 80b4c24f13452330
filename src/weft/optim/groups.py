"""Which parameters a pattern means: ``"encoder.*"``, ``"*.bias"``, by their paths in the whole model."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Any

from weft.errors import ArgumentError


def path_of(parameter: Any) -> str:
    """The path of a parameter as `named_parameters` of the whole model gives it; "" for a tensor without one."""
    path = getattr(parameter, "path", "")
    home = getattr(parameter, "home", None)
    if home is None or home() is None:
        return path if path != "parameter" else ""
    return path.removeprefix(f"{root_of(home())._name}.")


def root_of(module: Any) -> Any:
    """The whole model of which ``module`` is a part."""
    while module._parent is not None and (parent := module._parent()) is not None:
        module = parent
    return module


def matching(patterns: Iterable[str], parameter: Any) -> tuple[str, ...]:
    """The patterns that hold for a parameter, in their order."""
    path = path_of(parameter)
    return tuple(pattern for pattern in patterns if fnmatchcase(path, pattern))


def check_patterns(patterns: Iterable[str], parameters: Iterable[Any]) -> None:
    """Refuse a pattern that holds for no parameter of the models that ``parameters`` belong to, frozen or not."""
    if not (wanted := list(patterns)):
        return
    names: dict[str, None] = {}
    for p in parameters:
        home = getattr(p, "home", None)
        if home is not None and home() is not None:
            root = root_of(home())
            if path_of(p) not in names:
                names.update(dict.fromkeys(name for name, _ in root.named_parameters()))
        names.setdefault(path_of(p))
    for pattern in wanted:
        if not any(fnmatchcase(name, pattern) for name in names):
            close = get_close_matches(pattern, names, n=3, cutoff=0.3) or list(names)[:3]
            raise ArgumentError(
                f"the pattern {pattern!r} holds for no parameter",
                expected="a pattern of paths such as " + ", ".join(map(repr, close)),
                cure='"*.bias", "encoder.*", or a whole path out of model.named_parameters()',
            )
