"""Files that are there whole or not at all."""

import os
import stat

import pytest

from weft.errors import FileError
from weft.storage.files import read, write_atomically


def test_a_file_is_made_with_its_folders_and_replaced(tmp_path):
    path = write_atomically(tmp_path / "a" / "b.txt", "größe")
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o644
    assert [p.name for p in path.parent.iterdir()] == ["b.txt"]


@pytest.mark.parametrize("call", ["open", "write", "fsync", "chmod", "replace"])
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_failure_leaves_the_old_file_and_nothing_else(call, error, tmp_path, monkeypatch):
    path = write_atomically(tmp_path / "a.txt", "old")

    def fail(*arguments, **options):
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(os, call, fail)
        with pytest.raises(FileError if isinstance(error, OSError) else KeyboardInterrupt):
            write_atomically(path, "new")
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_short_writes_are_continued(tmp_path, monkeypatch):
    whole = os.write
    monkeypatch.setattr(os, "write", lambda handle, content: whole(handle, bytes(content[:3])))
    assert write_atomically(tmp_path / "a", b"0123456789").read_bytes() == b"0123456789"


def test_a_file_system_that_cannot_flush_folders_is_accepted(tmp_path, monkeypatch):
    whole = os.fsync

    def files_only(handle):
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            raise OSError(22, "Invalid argument")
        whole(handle)

    monkeypatch.setattr(os, "fsync", files_only)
    assert write_atomically(tmp_path / "a", b"x").read_bytes() == b"x"


def test_reading_names_what_is_missing(tmp_path):
    with pytest.raises(FileError, match=r"(?s)does not exist.*a table"):
        read(tmp_path / "none", "a table")
    with pytest.raises(FileError, match="cannot be read"):
        read(tmp_path, "a table")


@pytest.mark.parametrize("mode", [0o600, 0o664])
def test_a_file_keeps_who_may_read_it(tmp_path, mode):
    path = write_atomically(tmp_path / "a", b"old")
    path.chmod(mode)
    assert write_atomically(path, b"new").stat().st_mode & 0o777 == mode
    before = os.umask(0o777 - mode)
    try:
        assert write_atomically(tmp_path / "b", b"x").stat().st_mode & 0o777 == mode
    finally:
        os.umask(before)
