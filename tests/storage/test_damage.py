"""Damaged checkpoints are passed over and named; what is read is what was written."""

import os
import shutil

import pytest

from tests.storage.states import is_whole, write
from weft.errors import FileError
from weft.storage.checkpoints import Checkpoints

FILES = ("manifest.json", "tensors.safetensors")


@pytest.fixture
def two(tmp_path):
    with Checkpoints(tmp_path) as checkpoints:
        write(checkpoints, 1, best=True, size=3)
        return checkpoints, write(checkpoints, 2, size=3)


def passed_over(checkpoints, path):
    """The reason for which the newest checkpoint was passed over."""
    found = checkpoints.newest()
    assert is_whole(found)
    assert found.step == 1
    ((where, why),) = found.skipped
    assert where == path
    return why


@pytest.mark.parametrize("name", FILES)
def test_every_flipped_byte_is_seen(two, name):
    checkpoints, path = two
    whole = (path / name).read_bytes()
    for i in range(len(whole)):
        for flip in (1 << i % 8, 0xFF):
            (path / name).write_bytes(whole[:i] + bytes([whole[i] ^ flip]) + whole[i + 1 :])
            assert name in passed_over(checkpoints, path)
    (path / name).write_bytes(whole)
    assert checkpoints.newest().step == 2


@pytest.mark.parametrize("name", FILES)
def test_every_cut_is_seen(two, name):
    checkpoints, path = two
    whole = (path / name).read_bytes()
    for end in range(len(whole)):
        (path / name).write_bytes(whole[:end])
        passed_over(checkpoints, path)
    (path / name).write_bytes(whole + b"\0")
    passed_over(checkpoints, path)


@pytest.mark.parametrize("pointer", ["latest", "best"])
def test_pointers_are_hints(two, pointer):
    checkpoints, _ = two
    place = checkpoints.folder / pointer
    whole = place.read_bytes()
    flips = [whole[:i] + bytes([whole[i] ^ 1 << bit]) + whole[i + 1 :] for i in range(len(whole)) for bit in range(8)]
    for content in [b"", b"\xff" * 40, b"../../x\n", b"x" * 100_000, *flips]:
        place.write_bytes(content)
        assert checkpoints.newest().step == 2
        assert checkpoints.best().step == 1
    place.unlink()
    place.mkdir()
    assert checkpoints.newest().step == 2
    assert checkpoints.best().step == 1


@pytest.mark.parametrize("name", FILES)
def test_missing_files_are_named(two, name):
    checkpoints, path = two
    (path / name).unlink()
    assert passed_over(checkpoints, path) == f"{name} is missing"


@pytest.mark.parametrize("name", FILES)
def test_symbolic_links_are_not_followed(two, name, tmp_path):
    checkpoints, path = two
    (path / name).rename(tmp_path / "elsewhere")
    (path / name).symlink_to(tmp_path / "elsewhere")
    assert "symbolic link" in passed_over(checkpoints, path)


def test_a_linked_folder_is_not_followed(two, tmp_path):
    checkpoints, path = two
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    assert "symbolic link" in passed_over(checkpoints, path)
    with checkpoints:
        for step in (3, 4, 5):
            write(checkpoints, step)
    assert is_whole(Checkpoints(tmp_path).newest())
    assert sorted(p.name for p in (tmp_path / "elsewhere").iterdir()) == sorted(FILES)


@pytest.mark.parametrize("name", FILES)
def test_folders_and_pipes_in_place_of_files_are_refused_without_waiting(two, name):
    checkpoints, path = two
    (path / name).unlink()
    (path / name).mkdir()
    passed_over(checkpoints, path)
    (path / name).rmdir()
    os.mkfifo(path / name)
    assert "no plain file" in passed_over(checkpoints, path)


def test_a_file_in_place_of_a_checkpoint_is_named(two):
    checkpoints, path = two
    shutil.rmtree(path)
    path.write_text("")
    assert "no folder" in passed_over(checkpoints, path)


def test_tensors_of_another_checkpoint_are_seen(two):
    checkpoints, path = two
    shutil.copy(checkpoints.folder / "step-000000000001" / FILES[1], path / FILES[1])
    assert "hash" in passed_over(checkpoints, path)


def test_a_renamed_checkpoint_is_seen(two):
    checkpoints, path = two
    other = path.rename(path.with_name("step-000000000009"))
    assert "step 2" in passed_over(checkpoints, other)


def test_what_cannot_be_opened_is_named(two, monkeypatch):
    checkpoints, path = two
    whole = os.open

    def refuse(where, *options, **more):
        if path.name in str(where):
            raise PermissionError(13, "Permission denied")
        return whole(where, *options, **more)

    monkeypatch.setattr(os, "open", refuse)
    assert "Permission denied" in passed_over(checkpoints, path)


def test_all_damaged_is_an_error_that_names_each(two):
    checkpoints, path = two
    (path / FILES[0]).write_text("{}")
    (checkpoints.folder / "step-000000000001" / FILES[1]).unlink()
    with pytest.raises(FileError, match=r"(?s)no checkpoint in .*2: manifest.json.*1: tensors.safetensors is missing"):
        checkpoints.newest()
    with pytest.raises(FileError, match="missing"):
        checkpoints.best()


def test_a_damaged_best_one_is_an_error_by_its_pointer(two):
    checkpoints, _ = two
    (checkpoints.folder / "step-000000000001" / FILES[0]).write_text("{}")
    with pytest.raises(FileError, match="step-000000000001"):
        checkpoints.best()
    assert checkpoints.newest().step == 2


def test_writing_goes_on_beside_damage_and_leaves_it(two):
    checkpoints, path = two
    (path / FILES[0]).write_text("{}")
    with checkpoints:
        for step in range(3, 7):
            write(checkpoints, step)
    found = checkpoints.newest()
    assert found.step == 6
    assert [where for where, _ in found.skipped] == [path]
    assert sorted(p.name for p in checkpoints.folder.glob("step*")) == [f"step-{s:012}" for s in (1, 2, 5, 6)]


def test_a_folder_that_is_a_file_is_an_error(tmp_path):
    (tmp_path / "checkpoints").write_text("")
    with pytest.raises(FileError):
        Checkpoints(tmp_path).newest()
    with pytest.raises(FileError):
        write(Checkpoints(tmp_path), 1)
