import contextlib
import json

import pytest

from weft.cli.folders import part_of, run_folder
from weft.errors import FileError

RUN = json.dumps({"format": "weft.run/1"})


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def leave(folder):
    (folder / "run.json").write_text(RUN)


def test_a_taken_name_gets_a_number():
    for expected in ("iris", "iris-2", "iris-3"):
        with run_folder(None, "iris") as (folder, replaces):
            assert (folder.as_posix(), replaces) == (f"runs/{expected}", False)
            leave(folder)


def test_an_asked_folder_may_hold_an_earlier_run(here):
    (here / "mine").mkdir()
    leave(here / "mine")
    with run_folder("mine", "iris") as (folder, replaces):
        assert (folder.as_posix(), replaces) == ("mine", True)


@pytest.mark.parametrize(
    ("name", "about", "kind"),
    [
        ("run.json", {"format": "weft.run/1"}, "run"),
        ("command.json", {"format": "weft.command/1", "command": "weft train iris"}, "run"),
        ("command.json", {"format": "weft.command/1", "command": "weft prescribe iris"}, "study"),
        ("result.json", {"format": "weft.study/1"}, "study"),
    ],
)
def test_a_run_and_a_study_do_not_replace_each_other(here, name, about, kind):
    (here / "mine").mkdir()
    (here / "mine" / name).write_text(json.dumps(about))
    other = "study" if kind == "run" else "run"
    with pytest.raises(FileError, match=f"holds a {kind}, which a {other}") as caught, run_folder("mine", "x", other):
        pass
    assert caught.value.cure == f"--folder mine-{other}"
    assert (here / "mine" / name).exists()
    with run_folder("mine", "x", kind) as (folder, replaces):
        assert replaces
        assert not (folder / name).exists()
    assert (here / "mine").exists() == (name != "command.json")  # nothing was left instead; a lone command is nothing


@pytest.mark.parametrize("name", ["thesis.txt", "run.json"])
def test_an_asked_folder_with_anything_else_is_left_alone(here, name):
    (here / "mine").mkdir()
    (here / "mine" / name).write_text("{}")
    with pytest.raises(FileError, match="holds files, and no run"), run_folder("mine", "iris"):
        pass
    assert (here / "mine" / name).read_text() == "{}"


def test_a_folder_that_stayed_empty_goes_again(here):
    for asked in (None, "mine"):
        with contextlib.suppress(ZeroDivisionError), run_folder(asked, "iris") as (folder, _):
            assert folder.is_dir()
            raise ZeroDivisionError
        assert not folder.exists()


def test_a_file_in_the_way_is_said(here):
    (here / "runs").write_text("")
    with pytest.raises(FileError, match="cannot be made a run's folder"), run_folder(None, "iris"):
        pass
    with pytest.raises(FileError, match="cannot be made a run's folder"), run_folder("runs/x", "iris"):
        pass


def test_a_part_is_found_from_the_folder_or_a_file_in_it(here):
    with run_folder(None, "iris") as (folder, _):
        leave(folder)
    assert part_of("runs/iris", "run.json") == part_of("runs/iris/run.json", "run.json")
    with pytest.raises(FileError, match=r"holds no model\.weft") as caught:
        part_of("runs/iris", "model.weft")
    assert caught.value.where == "it holds run.json"


def test_an_unknown_run_is_answered_with_the_closest(here):
    with run_folder(None, "iris") as (folder, _):
        leave(folder)
    for given in ("runs/irsi", "iris", "runs/iris-2"):
        with pytest.raises(FileError, match="there is no run") as caught:
            part_of(given, "model.weft")
        assert caught.value.cure == "runs/iris"
