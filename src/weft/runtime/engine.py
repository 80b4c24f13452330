"""The one door to JAX for what runs: imported late, with 64-bit types on only while our own code is inside."""

from __future__ import annotations

import os
import threading
from contextlib import AbstractContextManager
from functools import cache
from pathlib import Path
from typing import Any

from weft.runtime.allocator import keep_freed_memory


@cache
def jax() -> Any:
    """The jax module, imported at the first computation, with compiled programs kept on disk between processes."""
    import jax

    if jax.config.jax_compilation_cache_dir is None and (folder := cache_folder()) is not None:
        jax.config.update("jax_compilation_cache_dir", str(folder))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
        jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
    # A small program finishes sooner in the thread that asks for it than handed to another one: 33 against 50–70 µs
    # for a training step of the iris network. What is long is launched by `fit` in stretches anyway.
    jax.config.update("jax_cpu_enable_async_dispatch", False)
    keep_freed_memory()
    jax.monitoring.register_event_listener(_note)
    return jax


_loaded = threading.local()


def _note(event: str, **_: Any) -> None:
    if event == "/jax/compilation_cache/cache_hits":
        _loaded.programs = getattr(_loaded, "programs", 0) + 1


def loaded_from_disk() -> bool:
    """Whether this thread's last compilation was found on disk; asking forgets it."""
    found, _loaded.programs = getattr(_loaded, "programs", 0), 0
    return found > 0


def cache_folder() -> Path | None:
    """The private folder of compiled programs: ``$WEFT_CACHE`` or ``~/.cache/weft``; None when it cannot be private."""
    folder = Path(os.environ.get("WEFT_CACHE") or Path.home() / ".cache" / "weft") / "programs"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if hasattr(os, "getuid") and folder.stat().st_uid != os.getuid():
            return None  # a program is machine code: one that somebody else wrote is not run
        folder.chmod(0o700)
    except OSError:
        return None
    return folder


def wide_types() -> AbstractContextManager[None]:
    """JAX's 64-bit types for the length of a block; the user's own JAX code keeps its setting."""
    return _wide()(True)


@cache
def _wide() -> Any:
    return jax().enable_x64
