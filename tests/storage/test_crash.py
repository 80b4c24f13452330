"""Crashes, full disks and errors at every step of writing: the state before or the new one is there, whole."""

import contextlib
import errno
import os
import random
import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from tests.storage.states import is_whole, names, write, writer
from weft.errors import FileError
from weft.storage.checkpoints import Checkpoints

CALLS = ("open", "write", "fsync", "rename", "replace", "unlink", "rmdir", "mkdir", "ftruncate", "chmod", "scandir")


class Killed(BaseException):
    """The process ends here: nothing that follows reaches the disk."""


class Faults:
    """Operating system calls of which the one numbered ``at`` fails, and perhaps all after it."""

    def __init__(self, monkeypatch, at, error, forever, only=CALLS):
        self.at, self.error, self.forever, self.seen = at, error, forever, []
        for name in only:
            monkeypatch.setattr(os, name, self.wrapped(name, getattr(os, name)))

    def wrapped(self, name, call):
        def checked(*arguments, **options):
            self.seen.append(name)
            number = len(self.seen) - 1
            if number == self.at or (self.forever and number > self.at):
                if name == "write" and number == self.at:
                    call(arguments[0], bytes(arguments[1])[: len(arguments[1]) // 2])  # half of it arrives
                raise self.error
            return call(*arguments, **options)

        return checked


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    folder = tmp_path_factory.mktemp("base")
    with Checkpoints(folder, keep_last=1) as checkpoints:
        write(checkpoints, 1, best=True)
        write(checkpoints, 2)
    return folder


@contextlib.contextmanager
def failing(base, folder, monkeypatch, *fault):
    """A copy of two checkpoints, and a third one written into it with a fault."""
    shutil.copytree(base, folder)
    with monkeypatch.context() as patch:
        faults, raised = Faults(patch, *fault), None
        try:
            write(Checkpoints(folder, keep_last=1), 3, best=True)
        except (FileError, Killed) as error:
            raised = error
    yield faults, raised
    shutil.rmtree(folder)


def check(folder, raised):
    newest, best = Checkpoints(folder).newest(), Checkpoints(folder).best()
    assert is_whole(newest)
    assert is_whole(best)
    assert newest.skipped == ()
    assert (newest.step, best.step) in ((2, 1), (3, 3))
    assert raised is not None or newest.step == 3
    write(Checkpoints(folder, keep_last=1), 4)  # and the next run goes on, and clears up
    assert Checkpoints(folder).newest().step == 4
    left = ["best", "latest", "lock", *(f"step-{step:012}" for step in sorted({best.step, 4}))]
    assert [name for name in names(folder) if name in left] == left
    assert not [name for name in names(folder) if name.startswith(".")]


FAULTS = {
    "error": (OSError(errno.EIO, "Input/output error"), False),
    "full disk": (OSError(errno.ENOSPC, "No space left on device"), True),
    "kill": (Killed(), True),
    "interrupt": (Killed(), False),
}


@pytest.mark.parametrize("kind", FAULTS)
def test_a_fault_at_every_call_loses_nothing(kind, base, tmp_path, monkeypatch):
    error, forever = FAULTS[kind]
    steps, seen = set(), []
    for at in range(200):
        with failing(base, tmp_path / "copy", monkeypatch, at, error, forever) as (faults, raised):
            seen = faults.seen
            steps.add(Checkpoints(tmp_path / "copy").newest().step)
            check(tmp_path / "copy", raised)
        if len(seen) <= at:
            break
    assert len(seen) <= at, "the last case is the one without a fault"
    assert steps == {2, 3}
    assert set(seen) >= {"open", "write", "fsync", "rename", "replace", "unlink", "rmdir", "mkdir"}


def test_a_full_disk_at_every_write_says_so_and_is_survived(base, tmp_path, monkeypatch):
    full = OSError(errno.ENOSPC, "No space left on device")
    for at in range(20):
        with failing(base, tmp_path / "copy", monkeypatch, at, full, True, ("write",)) as (faults, raised):
            assert not [name for name in names(tmp_path / "copy") if name.startswith(".")]
            check(tmp_path / "copy", raised)
        if len(faults.seen) <= at:
            break
        assert "No space left on device" in str(raised)
    assert at >= 5  # lock, tensors, manifest, two pointers


def test_the_same_writer_goes_on_after_an_error(tmp_path, monkeypatch):
    with Checkpoints(tmp_path) as checkpoints:
        write(checkpoints, 1)
        for at in range(12):
            with monkeypatch.context() as patch, contextlib.suppress(FileError):
                Faults(patch, at, OSError(errno.ENOSPC, "No space left on device"), False)
                write(checkpoints, 2 + 2 * at)
            write(checkpoints, 3 + 2 * at)
            assert checkpoints.newest().step == 3 + 2 * at
            assert len(names(tmp_path)) == 4


def test_what_is_on_the_disk_is_flushed_before_anything_hangs_on_it(base, tmp_path, monkeypatch):
    shutil.copytree(base, tmp_path / "copy")
    trace, folder = [], tmp_path / "copy" / "checkpoints"

    def traced(name, call):
        def recorded(first, *more, **options):
            path = Path(f"/proc/self/fd/{first}").readlink() if name == "fsync" else Path(first)
            short = os.path.relpath(path, folder) if path.is_absolute() else str(path)
            trace.append((name, re.sub(r"-[^/]*|(?<=[a-z])\.[^/]*", "", short)))
            return call(first, *more, **options)

        return recorded

    if not Path("/proc/self/fd").exists():
        pytest.skip("needs /proc")
    for name in ("fsync", "rename", "replace", "unlink", "rmdir"):
        monkeypatch.setattr(os, name, traced(name, getattr(os, name)))
    write(Checkpoints(tmp_path / "copy", keep_last=1), 3, best=True)
    whole = [
        ("fsync", ".writing/tensors"),
        ("fsync", ".writing/manifest"),
        ("fsync", ".writing"),
        ("rename", ".writing"),
    ]
    assert trace[:5] == [*whole, ("fsync", ".")]
    assert trace[5:11] == [*pointer("latest"), *pointer("best")]
    assert trace[11:14] == [("rename", "step"), ("rename", "step"), ("fsync", ".")]
    assert {call for call, _ in trace[14:]} == {"unlink", "rmdir"}


def pointer(name):
    return [("fsync", f".{name}"), ("replace", f".{name}"), ("fsync", ".")]


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES])
def test_a_folder_that_may_only_be_read_is_read_and_not_written(number, base, tmp_path, monkeypatch):
    shutil.copytree(base, tmp_path / "copy")
    whole = os.open

    def reading_only(path, flags, *more, **options):
        if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            raise OSError(number, os.strerror(number))
        return whole(path, flags, *more, **options)

    monkeypatch.setattr(os, "open", reading_only)
    assert Checkpoints(tmp_path / "copy").newest().step == 2
    with pytest.raises(FileError, match=os.strerror(number)):
        write(Checkpoints(tmp_path / "copy"), 3)


@pytest.fixture
def small_disk(tmp_path):
    """A real file system of 256 KB, where the system lets us mount one."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = shutil.which("mount")
    if (
        mount is None
        or subprocess.run([mount, "-t", "tmpfs", "-o", "size=256k", "tmpfs", place], capture_output=True).returncode
    ):
        pytest.skip("mounting is not permitted")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def test_a_disk_that_is_really_full_and_then_really_read_only(small_disk):
    with Checkpoints(small_disk) as checkpoints:
        step, full = 0, None
        while full is None and step < 100:
            step += 1
            try:
                write(checkpoints, step, size=1000 * step)
            except FileError as error:
                full = error
        assert "No space left on device" in str(full)
        assert step > 3
        found = checkpoints.newest()
        assert is_whole(found)
        assert found.step == step - 1
        write(checkpoints, step)  # a small one has room
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    assert is_whole(checkpoints.newest())
    with pytest.raises(FileError, match="Read-only file system"):
        write(Checkpoints(small_disk), step + 1)


def test_a_writer_killed_at_any_moment_twenty_times_loses_nothing(tmp_path):
    rng, written = random.Random(0), 0
    for _ in range(20):
        with writer(tmp_path, size=rng.choice((50, 20_000))) as other:
            said = [other.stdout.readline()]
            time.sleep(rng.uniform(0, 0.15))
            other.kill()
            said += other.stdout.readlines()
        told = [int(line) for line in said if line.endswith("\n")]
        found = Checkpoints(tmp_path).newest()
        assert is_whole(found)
        assert found.skipped == ()
        assert found.step in (told[-1], told[-1] + 1)
        best = Checkpoints(tmp_path).best()
        assert best is None or is_whole(best)
        assert (best.step if best else 0) == found.step // 3 * 3
        written = found.step
    assert written > 20
    write(Checkpoints(tmp_path), written + 1)
    assert not [name for name in names(tmp_path) if name.startswith(".")]
