"""Files that are there whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path

from weft.errors import FileError

# A file system that cannot flush a folder says so by one of these; its renames are as durable as it makes them.
_NO_FLUSH = (errno.EINVAL, errno.ENOTSUP, errno.ENOSYS)
# Neither follow a link nor wait for the other end of a pipe.
_PLAIN = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


def write_atomically(path: str | os.PathLike[str], content: bytes | str) -> Path:
    """Write a file so that a crash at any moment leaves the old one or the new one, never half of it.

    Written beside the target, flushed to the disk, renamed over it; then the folder is flushed too. Who may read it is
    as the umask says, or as it was for the old one.
    """
    target = Path(path)
    data = content.encode() if isinstance(content, str) else content
    with reported(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(f".{target.name}.{secrets.token_hex(8)}")
        try:
            write_new(temporary, data)
            with contextlib.suppress(FileNotFoundError):
                temporary.chmod(stat.S_IMODE(target.stat().st_mode))
            temporary.replace(target)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise
        flush_folder(target.parent)
    return target


def write_new(path: Path, content: bytes) -> None:
    """Write a file that must not exist yet, flushed to the disk; not atomic by itself."""
    _fill(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666), content)


def _fill(handle: int, content: bytes) -> None:
    """Write everything, flush it to the disk and close the file, whatever happens."""
    try:
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(handle, rest) :]
        os.fsync(handle)
    finally:
        os.close(handle)


def flush_folder(folder: Path) -> None:
    """Make what was made, renamed and removed in a folder last through a loss of power."""
    if os.name == "nt":  # Windows cannot open a folder
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in _NO_FLUSH:
            raise
    finally:
        os.close(handle)


def make_folder(folder: Path) -> None:
    """A folder with the folders above it, each flushed into the one that holds it."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    for path in reversed(missing):
        path.mkdir(exist_ok=True)
        flush_folder(path.parent)


@contextlib.contextmanager
def reported(target: Path) -> Iterator[None]:
    """Turn what the operating system refuses while ``target`` is written into a lesson."""
    try:
        yield
    except FileError:
        raise
    except OSError as error:
        raise FileError(
            f"{target} cannot be written: {error.strerror or error}",
            expected="a folder that can be written and has room",
            cure="another path; nothing was left behind",
        ) from error


def read(path: str | os.PathLike[str], what: str) -> bytes:
    """The content of a file; ``what`` it should have been goes into the error."""
    try:
        return Path(path).read_bytes()
    except FileNotFoundError:
        raise FileError(f"{path} does not exist", expected=what) from None
    except OSError as error:
        raise FileError(f"{path} cannot be read: {error.strerror or error}", expected=what) from None


def read_plain(path: Path, limit: int, *, exactly: bool = False) -> bytes:
    """The content of a plain file of at most (or ``exactly``) ``limit`` bytes; links and devices are refused."""
    try:
        handle = os.open(path, os.O_RDONLY | _PLAIN)
    except FileNotFoundError:
        raise FileError(f"{path.name} is missing") from None
    except OSError as error:
        link = " (a symbolic link)" if path.is_symlink() else ""
        raise FileError(f"{path.name}{link} cannot be opened: {error.strerror or error}") from None
    try:
        with os.fdopen(handle, "rb") as file:
            found = os.fstat(handle)
            if not stat.S_ISREG(found.st_mode) or path.is_symlink():
                raise FileError(f"{path.name} is no plain file")
            if found.st_size > limit or (exactly and found.st_size != limit):
                asked = "exactly" if exactly else "at most"
                raise FileError(f"{path.name} has {found.st_size} bytes", expected=f"{asked} {limit} bytes")
            return file.read()
    except FileError:
        raise
    except (OSError, MemoryError) as error:
        raise FileError(f"{path.name} cannot be read: {getattr(error, 'strerror', None) or error!r}") from None
