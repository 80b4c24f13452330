"""One writer at a time: a lock that the operating system takes back when its process ends, however it ends."""

from __future__ import annotations

import errno
import os
import sys
import warnings
import weakref
from pathlib import Path

from weft.errors import FileError
from weft.storage.files import make_folder, reported

# What a file system without locks says, as some that are shared over a network are.
_NO_LOCKS = (errno.ENOSYS, errno.ENOTSUP, errno.ENOLCK)
_held: weakref.WeakSet[Lock] = weakref.WeakSet()


class Lock:
    """An exclusive lock on a file, which holds the process id of its owner for others to read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._handle: int | None = None

    @property
    def held(self) -> bool:
        return self._handle is not None

    def take(self) -> None:
        """Take the lock at once, or say who has it."""
        with reported(self.path):
            make_folder(self.path.parent)
            handle = os.open(self.path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o644)
            try:
                if not _lock(handle):
                    raise self._taken(handle)
                os.ftruncate(handle, 0)
                os.write(handle, f"{os.getpid()}\n".encode())
            except BaseException:
                os.close(handle)
                raise
        self._handle = handle
        _held.add(self)

    def release(self) -> None:
        """Give the lock back. The file stays: removing it would let two writers lock two files of one name."""
        handle, self._handle = self._handle, None
        _held.discard(self)
        if handle is not None:
            os.close(handle)

    def _taken(self, handle: int) -> FileError:
        owner = os.read(handle, 32).decode("ascii", "replace").strip()
        who = f"the process {owner}" if owner.isdecimal() else "another process"
        if owner == str(os.getpid()):
            who += " (this one)"
        return FileError(
            f"{self.path.parent} is being written by {who}",
            expected="one writer at a time",
            cure="another folder, or wait until that run has ended",
        )


def _lock(handle: int) -> bool:
    """Whether the lock could be had."""
    try:
        if sys.platform == "win32":
            import msvcrt

            os.lseek(handle, 2**30, os.SEEK_SET)  # away from the process id, which others read
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
            os.lseek(handle, 0, os.SEEK_SET)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        os.lseek(handle, 0, os.SEEK_SET)
        return False
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
        warnings.warn(
            f"this file system has no locks ({error.strerror}): see to it that one process alone writes here",
            RuntimeWarning,
            stacklevel=4,
        )
    return True


def _after_fork() -> None:
    """A forked child would keep the lock when its parent is gone: it lets go of its copies."""
    for lock in list(_held):
        lock.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
