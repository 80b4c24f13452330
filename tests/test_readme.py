"""The programs of the README run as they stand."""

import re
from pathlib import Path

import pytest

README = Path(__file__).parent.parent / "README.md"
PROGRAMS = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)


@pytest.mark.parametrize("number", range(len(PROGRAMS)))
def test_program(number, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    exec(compile(PROGRAMS[number], f"README program {number}", "exec"), {"__name__": "__main__"})
    printed = capsys.readouterr().out
    assert printed
    if number == 0:
        assert "Verdict" in printed
        assert (tmp_path / "digits.weft").stat().st_size > 10_000
        assert "<html" in (tmp_path / "report.html").read_text()
    if number == 1:
        assert "requires_grad=True" in printed
