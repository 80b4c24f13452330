"""Checkpoints when nothing breaks: layout, order, the best one, what is kept, one writer."""

import errno
import json
import math
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from tests.storage.states import is_whole, names, state, write, writer
from weft.errors import ArgumentError, DTypeError, FileError
from weft.storage import manifest
from weft.storage.checkpoints import Checkpoints


def test_a_state_comes_back_with_what_was_noted(tmp_path):
    with Checkpoints(tmp_path) as checkpoints:
        path = write(checkpoints, 12)
    found = Checkpoints(tmp_path).newest()
    assert is_whole(found)
    assert (found.step, found.path, found.skipped) == (12, path, ())
    assert path == tmp_path / "checkpoints" / "step-000000000012"
    assert sorted(p.name for p in path.iterdir()) == ["manifest.json", "tensors.safetensors"]
    assert (tmp_path / "checkpoints" / "latest").read_text() == "step-000000000012\n"


def test_the_manifest_is_plain_json_for_others(tmp_path):
    path = write(Checkpoints(tmp_path), 3)
    fields = json.loads((path / "manifest.json").read_text(), parse_constant=pytest.fail)
    assert fields["format"] == "weft.checkpoint/1"
    assert fields["files"]["tensors.safetensors"]["size"] == (path / "tensors.safetensors").stat().st_size
    assert fields["about"]["loss"][1] == {"$float": "inf"}


def test_there_may_be_none(tmp_path):
    assert Checkpoints(tmp_path / "no" / "such").newest() is None
    assert Checkpoints(tmp_path).best() is None
    write(Checkpoints(tmp_path), 1)
    assert Checkpoints(tmp_path).best() is None


def test_about_comes_back_exactly(tmp_path):
    about = {"x": [0.1, -0.0, 5e-324, 1e308, 2**100, None, True, "nan", "\ud800", {}], "y": {"deep": [[math.inf]]}}
    Checkpoints(tmp_path).write({}, about, 0)
    found = Checkpoints(tmp_path).newest()
    assert found.about == about
    assert repr(found.about) == repr(about)
    assert found.arrays == {}


def test_the_last_ones_and_the_best_one_are_kept(tmp_path):
    with Checkpoints(tmp_path, keep_last=2) as checkpoints:
        for step in range(1, 8):
            write(checkpoints, step, best=step in (2, 4))
    kept = [f"step-{step:012}" for step in (4, 6, 7)]
    assert names(tmp_path) == ["best", "latest", "lock", *kept]
    assert checkpoints.best().step == 4
    assert checkpoints.newest().step == 7
    write(Checkpoints(tmp_path, keep_last=1), 8, best=True)
    assert names(tmp_path) == ["best", "latest", "lock", "step-000000000008"]


def test_going_back_in_steps_makes_the_last_written_the_newest(tmp_path):
    with Checkpoints(tmp_path, keep_last=3) as checkpoints:
        for step in (10, 20, 30):
            write(checkpoints, step)
        again = write(checkpoints, 20)
    assert again.name == "step-000000000020.2"
    found = Checkpoints(tmp_path).newest()
    assert (found.step, found.path) == (20, again)
    assert is_whole(found)


def test_a_step_written_again_as_the_best_is_another_checkpoint(tmp_path):
    with Checkpoints(tmp_path, keep_last=1) as checkpoints:
        write(checkpoints, 5)
        write(checkpoints, 5, best=True)
        write(checkpoints, 5)
    assert is_whole(checkpoints.best())
    assert len([name for name in names(tmp_path) if name.startswith("step")]) == 2


def test_a_finished_checkpoint_without_its_pointer_is_seen(tmp_path):
    with Checkpoints(tmp_path) as checkpoints:
        write(checkpoints, 1)
        write(checkpoints, 2, best=True)
    (tmp_path / "checkpoints" / "latest").write_text("step-000000000001\n")
    (tmp_path / "checkpoints" / "best").unlink()
    assert checkpoints.newest().step == 2
    assert checkpoints.best().step == 2


@pytest.mark.parametrize(
    ("arrays", "about", "step", "kind"),
    [
        ({}, {}, -1, ArgumentError),
        ({}, {}, 1.0, ArgumentError),
        ({}, {}, True, ArgumentError),
        ({}, {}, 2**63, ArgumentError),
        ({}, [], 1, ArgumentError),
        ({}, {"a": (1,)}, 1, ArgumentError),
        ({}, {"a": np.ones(2)}, 1, ArgumentError),
        ({"a": np.array("text")}, {}, 1, DTypeError),
    ],
)
def test_what_cannot_be_written_leaves_nothing(arrays, about, step, kind, tmp_path):
    with Checkpoints(tmp_path) as checkpoints, pytest.raises(kind):
        checkpoints.write(arrays, about, step)
    assert names(tmp_path) == ["lock"]


@pytest.mark.parametrize("keep", [0, -1, 1.5, None])
def test_at_least_one_is_kept(keep, tmp_path):
    with pytest.raises(ArgumentError, match="keep_last"):
        Checkpoints(tmp_path, keep)


# ── versions ────────────────────────────────────────────────────────────────────────────────────────────────


def rewritten(path, **changes):
    text = (path / "manifest.json").read_bytes()
    fields = manifest.jsontext.load(text)
    fields.pop("sha256")
    fields.update(changes)
    (path / "manifest.json").write_bytes(manifest.sealed(manifest.jsontext.dump(fields, "it")))


def test_an_older_version_is_brought_up_to_date(tmp_path, monkeypatch):
    write(Checkpoints(tmp_path), 4)
    monkeypatch.setattr(manifest, "VERSION", 3)
    monkeypatch.setitem(manifest.UPGRADES, 1, lambda fields: fields | {"about": {"old": fields["about"]["step"]}})
    with pytest.raises(FileError, match=r"weft.checkpoint/1, which is no longer read"):
        Checkpoints(tmp_path).newest()
    monkeypatch.setitem(manifest.UPGRADES, 2, lambda fields: fields | {"about": fields["about"] | {"new": True}})
    assert Checkpoints(tmp_path).newest().about == {"old": 4, "new": True}


def test_a_newer_version_is_refused_and_never_removed(tmp_path):
    path = write(Checkpoints(tmp_path), 4)
    rewritten(path, format="weft.checkpoint/2", weft="7.0")
    with pytest.raises(FileError, match=r"made by a newer Weft \(7.0\)"):
        Checkpoints(tmp_path).newest()
    with Checkpoints(tmp_path, keep_last=1) as checkpoints:
        for step in (5, 6):
            write(checkpoints, step)
    found = checkpoints.newest()
    assert found.step == 6
    assert "newer Weft" in found.skipped[0][1]
    assert path.exists()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"format": "other/1"}, "other/1"),
        ({"format": 1}, "format 1"),
        ({"format": "weft.checkpoint/1x"}, "1x"),
        ({"step": 5}, "step 5"),
        ({"step": -4}, "-4"),
        ({"serial": True}, "serial True"),
        ({"best": 1}, "best"),
        ({"about": []}, "about"),
        ({"files": {}}, "files"),
        ({"files": {"../../tensors.safetensors": {"size": 3, "sha256": ""}}}, r"\.\./"),
        ({"files": {"/etc/passwd": {"size": 3, "sha256": ""}}}, "/etc/passwd"),
        ({"files": {"tensors.safetensors": {"size": 3.5, "sha256": ""}}}, "3.5"),
        ({"files": {"tensors.safetensors": {"size": 10**9, "sha256": ""}}}, "bytes"),
        ({"files": {"tensors.safetensors": {"size": 3, "sha256": None}}}, "sha256"),
        ({"files": {"tensors.safetensors": 3}}, "files"),
    ],
)
def test_a_manifest_that_says_something_else_is_refused(changes, said, tmp_path):
    path = write(Checkpoints(tmp_path), 4)
    rewritten(path, **changes)
    with pytest.raises(FileError, match=f"step-000000000004: .*{said}"):
        Checkpoints(tmp_path).newest()


# ── one writer ──────────────────────────────────────────────────────────────────────────────────────────────


def test_a_second_writer_is_told_who_the_first_is(tmp_path):
    with Checkpoints(tmp_path) as first:
        write(first, 1)
        with pytest.raises(FileError, match=rf"process {os.getpid()} \(this one\)"):
            write(Checkpoints(tmp_path), 2)
        with pytest.raises(FileError, match=str(os.getpid())), first:
            pass
        write(first, 3)
    assert write(Checkpoints(tmp_path), 4)


def test_the_lock_of_a_killed_process_is_gone_with_it(tmp_path):
    with writer(tmp_path) as other:
        assert other.stdout.readline() == "1\n"
        with pytest.raises(FileError, match=f"process {other.pid}"):
            write(Checkpoints(tmp_path), 1)
        other.send_signal(signal.SIGKILL)
        other.wait()
        step = Checkpoints(tmp_path).newest().step + 1
        write(Checkpoints(tmp_path), step)
    assert Checkpoints(tmp_path).newest().step == step


FORKED = """
import os, signal, sys, time
from weft.storage.checkpoints import Checkpoints
checkpoints = Checkpoints(sys.argv[1])
checkpoints.__enter__()
checkpoints.write({}, {}, 1)
if os.fork() == 0:
    try:
        checkpoints.write({}, {}, 2)
    except OSError as error:
        print(error, flush=True)
    time.sleep(30)
else:
    time.sleep(30)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_a_forked_child_neither_writes_nor_keeps_the_lock(tmp_path):
    command = [sys.executable, "-c", FORKED, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as parent:
        try:
            assert f"process {parent.pid}" in parent.stdout.readline()
            parent.kill()
            time.sleep(0.2)
            write(Checkpoints(tmp_path), 3)  # while the child is alive
        finally:
            os.killpg(parent.pid, signal.SIGKILL)
    assert Checkpoints(tmp_path).newest().step == 3


def test_threads_of_one_writer_take_turns(tmp_path):
    with Checkpoints(tmp_path, keep_last=20) as checkpoints:
        threads = [threading.Thread(target=write, args=(checkpoints, step)) for step in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(names(tmp_path)) == 14
    assert is_whole(checkpoints.newest())


def test_what_dead_writers_left_is_cleared_by_the_next(tmp_path):
    write(Checkpoints(tmp_path), 1)
    folder = tmp_path / "checkpoints"
    for name in (".writing-99-ab", ".removing-99-cd"):
        shutil.copytree(folder / "step-000000000001", folder / name)
    (folder / ".latest.xyz").write_text("step")
    (folder / "mine.txt").write_text("kept")
    assert Checkpoints(tmp_path).newest().skipped == ()
    write(Checkpoints(tmp_path), 2)
    steps = ["step-000000000001", "step-000000000002"]
    assert names(tmp_path) == ["latest", "lock", "mine.txt", *steps]


def test_a_reader_beside_a_writer_always_sees_a_whole_and_never_an_older_state(tmp_path):
    with writer(tmp_path) as other:
        try:
            assert other.stdout.readline()
            last, end, looks = 0, time.monotonic() + 2.0, 0
            while time.monotonic() < end:
                found = Checkpoints(tmp_path).newest()
                assert is_whole(found)
                assert found.step >= last
                assert found.skipped == ()
                last, looks = found.step, looks + 1
        finally:
            other.kill()
    assert last > 3
    assert looks > 20


def test_a_small_state_is_written_in_milliseconds(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda handle: None)
    arrays, about = state(1, size=10_000)  # 80 KB
    times = []
    with Checkpoints(tmp_path) as checkpoints:
        for step in range(30):
            start = time.perf_counter()
            checkpoints.write(arrays, about, step)
            times.append(time.perf_counter() - start)
    assert sorted(times)[5] < 0.005


@pytest.mark.parametrize("call", ["rename", "rmtree"])
def test_an_old_checkpoint_that_a_reader_holds_is_removed_later(call, tmp_path, monkeypatch):
    def held(self, *arguments, **options):
        if "step-" in str(self) or ".removing-" in str(self):
            raise OSError(39, "Directory not empty")
        return whole(self, *arguments, **options)

    owner = Path if call == "rename" else shutil
    whole = getattr(owner, call)
    with Checkpoints(tmp_path, keep_last=1) as checkpoints:
        with monkeypatch.context() as patch:
            patch.setattr(owner, call, held)
            for step in (1, 2, 3):
                write(checkpoints, step)
        write(checkpoints, 4)
    assert sorted(p.name for p in (tmp_path / "checkpoints").iterdir()) == ["latest", "lock", "step-000000000004"]


def test_a_file_system_without_locks_is_told_and_written_to(tmp_path, monkeypatch):
    fcntl = pytest.importorskip("fcntl")

    def none(handle, how):
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr(fcntl, "flock", none)
    with pytest.warns(RuntimeWarning, match="no locks"), Checkpoints(tmp_path) as checkpoints:
        write(checkpoints, 1)
    assert is_whole(Checkpoints(tmp_path).newest())


def test_keep_last_is_no_bool(tmp_path):
    with pytest.raises(ArgumentError, match="keep_last=True"):
        Checkpoints(tmp_path, keep_last=True)
