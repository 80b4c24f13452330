"""Checkpoints of a run: at every moment, whatever breaks, the newest whole state can be read.

::

    folder/checkpoints/
        step-000000000012/          one checkpoint; complete from the moment it has this name
            tensors.safetensors
            manifest.json           size and SHA-256 of the file beside it, sealed by a hash of its own
        latest, best                the names of two checkpoints, for people and scripts
        lock                        held by the one process that writes
        .writing-…, .removing-…     unfinished work, which no reader looks at

A checkpoint is written under a hidden name, flushed to the disk, and renamed; then the pointers are set, and only then
old ones are renamed to a hidden name and removed. Readers trust no pointer: every manifest carries a serial number, and
the highest one whose hashes are right wins.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any

from weft.errors import ArgumentError, FileError, is_whole
from weft.storage.files import flush_folder, read_plain, write_atomically, write_new
from weft.storage.lock import Lock
from weft.storage.manifest import MANIFEST, TENSORS, Manifest, read_manifest
from weft.storage.tensors import Array, read_tensors, write_tensors

_NAME = re.compile(r"step-([0-9]{12,19})(\.[0-9]+)?")
_UNFINISHED = (".writing-", ".removing-", ".latest.", ".best.")
_ATTEMPTS = 50  # looks at a folder whose checkpoints change under the reader
Skipped = tuple[Path, str]


@dataclass(frozen=True, eq=False)
class Found:
    """A checkpoint that was read whole, and the damaged ones that were passed over, each with the reason."""

    arrays: dict[str, Array]
    about: dict[str, Any]
    step: int
    path: Path
    skipped: tuple[Skipped, ...] = ()


@dataclass(frozen=True)
class _Entry:
    path: Path
    manifest: Manifest


class Checkpoints:
    """The checkpoints in a folder: the last ``keep_last`` of them, and the best one.

    As a context manager it holds the lock for writing from beginning to end; `write` outside of it holds the lock
    for that one checkpoint. Reading needs no lock and no permission to write.

    >>> import tempfile
    >>> import numpy as np
    >>> folder = tempfile.TemporaryDirectory()
    >>> with Checkpoints(folder.name) as checkpoints:
    ...     path = checkpoints.write({"w": np.ones(3)}, {"epoch": 2}, step=12)
    >>> found = checkpoints.newest()
    >>> found.step, found.about, found.arrays["w"].tolist(), path.name
    (12, {'epoch': 2}, [1.0, 1.0, 1.0], 'step-000000000012')
    >>> folder.cleanup()
    """

    def __init__(self, folder: str | os.PathLike[str], keep_last: int = 2) -> None:
        if not is_whole(keep_last, 1):
            raise ArgumentError(f"Checkpoints: keep_last={keep_last!r}", expected="a whole number from 1")
        self.folder = Path(folder) / "checkpoints"
        self.keep_last = keep_last
        self._lock = Lock(self.folder / "lock")
        self._one_at_a_time = threading.Lock()
        self._entries: list[_Entry] = []  # in the order of writing, as long as the lock is held
        self._serial = 0

    def __enter__(self) -> Checkpoints:
        self._lock.take()
        try:
            self._entries = _survey(self.folder)[0]
            self._serial = max((entry.manifest.serial for entry in self._entries), default=0)
        except BaseException:
            self._lock.release()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lock.release()

    # ── writing ─────────────────────────────────────────────────────────────────────────────────────────────

    def write(self, arrays: Mapping[str, Array], about: dict[str, Any], step: int, best: bool = False) -> Path:
        """Write a checkpoint and return its folder. When this returns it is on the disk; if it raises, nothing is lost.

        ``about`` is data that JSON holds, NaN and the infinities included; it comes back equal.
        """
        if not is_whole(step, 0, 2**63 - 1):
            raise ArgumentError(f"Checkpoints.write: step={step!r}", expected="a whole number from 0 to 2**63 - 1")
        if not isinstance(about, dict):
            raise ArgumentError(f"Checkpoints.write: about is {type(about).__name__}", expected="a dict")
        tensors = write_tensors(arrays, {})
        made = Manifest(int(step), 0, bool(best), about, len(tensors), hashlib.sha256(tensors).hexdigest())
        with self._one_at_a_time:
            if self._lock.held:
                return self._write(tensors, made)
            with self:
                return self._write(tensors, made)

    def _write(self, tensors: bytes, made: Manifest) -> Path:
        self._serial += 1  # before anything can be interrupted: two checkpoints never share a number
        manifest = replace(made, serial=self._serial)
        files = {TENSORS: tensors, MANIFEST: manifest.to_bytes()}
        target = self._free_name(manifest.step)
        try:
            self._clear()
            self._place(target, files)
        except OSError as error:
            raise _failed(f"{target} cannot be written", "the checkpoints before it are as they were", error) from error
        self._entries.append(_Entry(target, manifest))
        try:
            flush_folder(self.folder)
            for pointer in ("latest", "best") if manifest.best else ("latest",):
                write_atomically(self.folder / pointer, target.name + "\n")
            self._remove_old()
        except OSError as error:
            raise _failed(f"{target} is written, but not what follows it", "it can be read", error) from error
        return target

    def _free_name(self, step: int) -> Path:
        """A name that no checkpoint has: a step that is written again, after going back, does not touch the first."""
        target, number = self.folder / f"step-{step:012}", 1
        while os.path.lexists(target):
            number += 1
            target = self.folder / f"step-{step:012}.{number}"
        return target

    def _hidden(self, kind: str) -> Path:
        return self.folder / f".{kind}-{os.getpid()}-{secrets.token_hex(4)}"

    def _place(self, target: Path, files: dict[str, bytes]) -> None:
        temporary = self._hidden("writing")
        try:
            temporary.mkdir()
            for name, content in files.items():
                write_new(temporary / name, content)
            flush_folder(temporary)
            temporary.rename(target)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise

    def _clear(self) -> None:
        """Remove what dead writers left, as far as the system lets us: it is hidden, and tried again at each write.

        Whoever holds the lock knows that no other writer is alive.
        """
        for path in self.folder.iterdir():
            if path.name.startswith(_UNFINISHED):
                with suppress(OSError):
                    _remove(path)

    def _remove_old(self) -> None:
        """Everything but the last ones and the best one; what is damaged or not understood is left alone.

        So is, until the next write, what the system does not let go: a reader may have it open.
        """
        kept = {entry.path for entry in self._entries[-self.keep_last :]}
        kept |= {entry.path for entry in [e for e in self._entries if e.manifest.best][-1:]}
        old = [entry for entry in self._entries if entry.path not in kept]
        doomed = []
        for entry in old:
            hidden = self._hidden("removing")
            try:
                entry.path.rename(hidden)
            except FileNotFoundError:  # someone has removed it by hand
                pass
            except OSError:
                continue
            else:
                doomed.append(hidden)
            self._entries.remove(entry)
        if doomed:
            flush_folder(self.folder)  # before their files go: a loss of power must not bring back an empty shell
        for hidden in doomed:
            with suppress(OSError):
                _remove(hidden)

    # ── reading ─────────────────────────────────────────────────────────────────────────────────────────────

    def newest(self) -> Found | None:
        """The checkpoint that was written last and is whole; None if there is none, FileError if all are damaged."""
        return self._find("latest", lambda manifest: True)

    def best(self) -> Found | None:
        """The checkpoint that was last written as the best, under the same terms."""
        return self._find("best", lambda manifest: manifest.best)

    def _find(self, pointer: str, wanted: Callable[[Manifest], bool]) -> Found | None:
        before: list[Skipped] = []
        for _ in range(_ATTEMPTS):
            found, skipped, missed = self._look(pointer, wanted)
            if skipped == before:
                break
            before = skipped  # damage is what is seen twice: a writer may just have removed what was listed
        if found is None and missed:
            lines = [f"{path.name}: {why}" for path, why in skipped]
            raise FileError(
                f"no checkpoint in {self.folder} is whole:\n" + "\n".join(lines),
                expected="files as they were written",
                cure="copy them again, or train into another folder",
            )
        return found

    def _look(self, pointer: str, wanted: Callable[[Manifest], bool]) -> tuple[Found | None, list[Skipped], bool]:
        """The checkpoint, those that were passed over, and whether one of these may have been the one."""
        entries, skipped = _survey(self.folder)
        named = self._pointed(pointer)
        missed = any(pointer == "latest" or path.name == named for path, _ in skipped)
        for entry in sorted(entries, key=lambda e: (e.manifest.serial, e.path.name == named), reverse=True):
            if not wanted(entry.manifest):
                continue
            try:
                arrays = _arrays(entry)
            except OSError as error:
                skipped.append((entry.path, _reason(error)))
                missed = True
                continue
            found = Found(arrays, entry.manifest.about, entry.manifest.step, entry.path, tuple(skipped))
            return found, skipped, False
        return None, skipped, missed

    def _pointed(self, pointer: str) -> str | None:
        try:
            return read_plain(self.folder / pointer, 64).decode("ascii", "replace").strip()
        except FileError:  # a pointer is a hint, and nothing hangs on it
            return None


def _survey(folder: Path) -> tuple[list[_Entry], list[Skipped]]:
    """Every checkpoint by its manifest, in the order of writing, and those whose manifest cannot be trusted."""
    entries: list[_Entry] = []
    skipped: list[Skipped] = []
    try:
        paths = sorted(folder.iterdir())
    except FileNotFoundError:
        return entries, skipped
    except OSError as error:
        raise FileError(f"{folder} cannot be listed: {error.strerror or error}", expected="a folder") from None
    for path in paths:
        if name := _NAME.fullmatch(path.name):
            try:
                entries.append(_Entry(path, _manifest_of(path, int(name[1]))))
            except OSError as error:
                skipped.append((path, _reason(error)))
    return sorted(entries, key=lambda entry: entry.manifest.serial), skipped


def _manifest_of(path: Path, step: int) -> Manifest:
    if path.is_symlink() or not path.is_dir():
        raise FileError("a symbolic link, or no folder", expected="a folder")
    manifest = read_manifest(path)
    if manifest.step != step:
        raise FileError(f"{MANIFEST} is of step {manifest.step}", expected=f"step {step}")
    return manifest


def _arrays(entry: _Entry) -> dict[str, Array]:
    content = read_plain(entry.path / TENSORS, entry.manifest.size, exactly=True)
    if hashlib.sha256(content).hexdigest() != entry.manifest.sha256:
        raise FileError(f"{TENSORS} does not have the hash that {MANIFEST} gives", expected=entry.manifest.sha256)
    return read_tensors(content, TENSORS)[0]


def _reason(error: OSError) -> str:
    return error.received if isinstance(error, FileError) else error.strerror or repr(error)


def _failed(what: str, so: str, error: OSError) -> FileError:
    return FileError(
        f"{what}: {_reason(error)}", expected="a folder that can be written and has room", cure=f"make room; {so}"
    )


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()
