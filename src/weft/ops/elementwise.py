from typing import Any


def __getattr__(name: str) -> Any:
    from importlib import import_module

    for module in ('arithmetic', 'comparison', 'conversion', 'exponential', 'trigonometry'):
        found = vars(import_module(f"weft.ops.{module}")).get(name)
        if found is not None:
            return found
    raise AttributeError(name)
