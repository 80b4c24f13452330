"""Files that are there whole or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from weft.errors import FileError


def write_atomically(path: str | os.PathLike[str], content: bytes | str) -> Path:
    """Write a file so that a crash at any moment leaves the old one or the new one, never half of it.

    Written beside the target, flushed to the disk, renamed over it; then the folder is flushed too.
    """
    target = Path(path)
    data = content.encode() if isinstance(content, str) else content
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    except OSError as error:
        raise _failed(target, error) from error
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(target)
    except OSError as error:
        with contextlib.suppress(FileNotFoundError):
            Path(name).unlink()
        raise _failed(target, error) from error
    _flush_folder(target.parent)
    return target


def _flush_folder(folder: Path) -> None:
    if os.name == "nt":  # Windows cannot open a folder
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _failed(target: Path, error: OSError) -> FileError:
    return FileError(
        f"{target} cannot be written: {error.strerror or error}",
        expected="a folder that can be written and has room",
        cure="another path; nothing was left behind",
    )


def read(path: str | os.PathLike[str], what: str) -> bytes:
    """The content of a file; ``what`` it should have been goes into the error."""
    try:
        return Path(path).read_bytes()
    except FileNotFoundError:
        raise FileError(f"{path} does not exist", expected=what) from None
    except OSError as error:
        raise FileError(f"{path} cannot be read: {error.strerror or error}", expected=what) from None
