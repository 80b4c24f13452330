import json

import pytest

from weft.overfit.remedies import REMEDIES


@pytest.fixture
def in_folder(tmp_path, monkeypatch):
    """An empty folder to work in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_path_of_a_report(weft, runs):
    said = weft("report", runs / "iris")
    assert said.out == f"{(runs / 'iris' / 'report.html').resolve()}\n"
    assert weft("report", runs / "iris" / "model.weft").out == said.out


def test_a_report_as_json(weft, runs):
    found = json.loads(weft("report", runs / "iris", "--json").out)
    path = runs / "iris" / "report.html"
    assert (found["report"], found["bytes"]) == (str(path.resolve()), path.stat().st_size)
    assert found["verdict"] == json.loads(weft("diagnose", runs / "iris", "--json").out)["verdict"]


def test_of_data_a_model_is_trained_and_reported(weft, in_folder):
    said = weft("report", "iris", "--epochs", 5, "--hidden", 32, "--json")
    found = json.loads(said.out)  # nothing else goes there
    assert said.status == 0
    assert "Verdict: " in said.err
    assert found["report"] == str((in_folder / "runs" / "iris" / "report.html").resolve())
    assert found["verdict"] in REMEDIES
    assert weft("resume", "runs/iris", "--epochs", 6).status == 0  # it is a run like any other


def test_what_is_wrong_with_the_data_names_this_command(weft, in_folder):
    assert "weft report iris" in weft("report", "irs").error
    assert "there is no run 'runs/irs'" in weft("report", "runs/irs").error
    assert "weft report iris --examples 75" in weft("report", "iris", "--examples", 500).error


def test_a_run_is_not_trained_again(weft, runs):
    said = weft("report", runs / "iris", "--epochs", 5)
    assert said.status == 2
    assert "is a run, which has been trained" in said.error


@pytest.mark.parametrize("where", [["--json", "result.json"], ["--json", "-"], ["--json"]])
def test_json_goes_to_a_file_or_to_the_output(weft, runs, in_folder, where):
    said = weft("report", runs / "iris", *where)
    text = (in_folder / "result.json").read_text() if "result.json" in where else said.out
    assert json.loads(text)["bytes"] > 0
