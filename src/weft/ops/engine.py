"""The engine, JAX, imported when an op is first lowered and not before: ``import weft`` stays quick."""

from __future__ import annotations

from importlib import import_module
from typing import Any


class Engine:
    """A module of JAX whose functions can be named in a declaration before the module is imported."""

    def __init__(self, module: str) -> None:
        self.module = module

    def __getattr__(self, name: str) -> Any:
        return EngineFunction(self.module, name)


class EngineFunction:
    """A function of the engine; the first call imports it."""

    def __init__(self, module: str, name: str) -> None:
        self.module, self.name = module, name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return getattr(import_module(self.module), self.name)(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        return EngineFunction(f"{self.module}.{self.name}", name)


lax: Any = Engine("jax.lax")
jnp: Any = Engine("jax.numpy")
random: Any = Engine("jax.random")
special: Any = Engine("jax.scipy.special")
jax: Any = Engine("jax")
