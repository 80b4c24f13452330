"""The engine, JAX, imported when an op is first lowered and not before: ``import weft`` stays quick."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from weft.graph.lowering import lowering


class Engine:
    """A module of JAX whose functions can be named in a declaration before the module is imported."""

    def __init__(self, module: str) -> None:
        self.module = module

    def __getattr__(self, name: str) -> Any:
        return EngineFunction(self.module, name)


class EngineFunction:
    """A function of the engine; the first call imports it. On the host NumPy stands in for ``jax.numpy``."""

    def __init__(self, module: str, name: str) -> None:
        self.module, self.name = module, name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        module = "numpy" if lowering.host and self.module == "jax.numpy" else self.module
        return getattr(import_module(module), self.name)(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        return EngineFunction(f"{self.module}.{self.name}", name)


lax: Any = Engine("jax.lax")
jnp: Any = Engine("jax.numpy")
random: Any = Engine("jax.random")
special: Any = Engine("jax.scipy.special")
jax: Any = Engine("jax")
