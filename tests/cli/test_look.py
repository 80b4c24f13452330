import json

import weft as wf


def test_a_diagnosis_is_said_again_with_all_numbers(weft, runs):
    said = weft("diagnose", runs / "iris")
    trained = (runs / "iris.txt").read_text()
    assert said.status == 0
    verdict = said.out.splitlines()[0]
    assert verdict.startswith("Verdict: ")
    assert verdict in trained
    assert "The numbers behind it:\n  epochs " in said.out
    assert "To try, in this order:" in said.out
    assert max(map(len, said.out.splitlines())) <= 80


def test_a_diagnosis_as_json(weft, runs):
    found = json.loads(weft("diagnose", runs / "iris", "--json").out)
    evidence = wf.Evidence.from_json((runs / "iris" / "evidence.json").read_text())
    assert found == json.loads(wf.diagnose(evidence).to_json())
    assert found == json.loads((runs / "iris" / "diagnosis.json").read_text())


def test_a_run_without_evidence_is_said(weft, tmp_path):
    (tmp_path / "run.json").write_text("{}")
    said = weft("diagnose", tmp_path)
    assert said.status == 2
    assert "holds no evidence.json" in said.error


def test_damaged_evidence_is_said(weft, tmp_path):
    (tmp_path / "evidence.json").write_text("{")
    said = weft("diagnose", tmp_path)
    assert said.status == 2
    assert said.err.startswith("weft: error: this is not standard JSON")


def test_devices_are_listed(weft):
    said = weft("devices")
    lines = said.out.splitlines()
    assert lines[0].split() == ["device", "kind", "description"]
    assert [line.split()[0] for line in lines[1:]] == [d.name for d in wf.devices()]
    assert sum("used unless told otherwise" in line for line in lines) == 1
