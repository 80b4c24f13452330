import subprocess
import sys
import warnings

import pytest

from weft import __version__
from weft.cli import apply, bias_variance, crossval, learning_curve, look, main, prescribe, sweep, train
from weft.data import DataWarning
from weft.errors import DataError

COMMANDS = (
    "train", "resume", "crossval", "learning-curve", "bias-variance", "sweep", "prescribe", "predict", "evaluate",
    "diagnose", "report", "devices",
)  # fmt: skip


def python(*words, **how):
    return subprocess.run([sys.executable, *words], capture_output=True, text=True, check=False, **how)


def test_help_imports_nothing_heavy():
    code = (
        "import sys; from weft.cli import main\n"
        "try: main(['sweep', '--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'jax', 'pandas', 'sklearn', 'scipy', 'matplotlib', 'rich'}\n"
        "print('imported:', sorted(heavy & set(sys.modules)))"
    )
    assert python("-c", code).stdout.strip().endswith("imported: []")


def test_python_m_weft_is_the_command():
    told = python("-m", "weft", "--version")
    assert (told.returncode, told.stdout.strip()) == (0, f"weft {__version__}")


def test_help_names_every_command(capsys):
    with pytest.raises(SystemExit) as left:
        main(["--help"])
    assert left.value.code == 0
    out = capsys.readouterr().out
    assert all(name in out for name in COMMANDS)
    assert max(map(len, out.splitlines())) <= 80


def test_every_family_says_what_its_commands_are_for(capsys):
    for name in COMMANDS:
        with pytest.raises(SystemExit):
            main([name, "--help"])
        out = capsys.readouterr().out
        assert f"usage: weft {name}" in out
        assert max(map(len, out.splitlines())) <= 80
    families = (train, crossval, learning_curve, bias_variance, sweep, prescribe, apply, look)
    assert all(family.__doc__ for family in families)


def test_an_unknown_command_lists_the_known_ones(weft):
    said = weft("trian", "iris")
    assert said.status == 2
    assert said.out == ""
    assert said.err.startswith("weft: error: COMMAND: invalid choice: 'trian'")
    assert "evaluate" in said.err
    assert said.err.endswith("try:      weft train\n")


def test_an_unknown_choice_is_answered_with_the_closest(weft):
    said = weft("train", "iris", "--keep", "bset")
    assert said.status == 2
    assert said.err.splitlines() == [
        "weft: error: --keep: invalid choice: 'bset'",
        "  expected: best, last",
        "  try:      --keep best",
    ]
    assert weft("train", "iris", "--precision", "quadruple").err.endswith("try:      weft train --help\n")


def test_an_unknown_option_is_answered_with_the_closest(weft):
    said = weft("train", "iris", "--epoch", "3")
    assert said.status == 2
    assert "--epoch 3 was not understood" in said.err
    assert "try:      --epochs?" in said.err


@pytest.mark.parametrize(
    ("option", "value", "valid"),
    [
        ("--epochs", "0", "a whole number of 1 or more"),
        ("--epochs", "2.5", "a whole number of 1 or more"),
        ("--batch-size", "-1", "a whole number of 1 or more"),
        ("--seed", "x", "a whole number of 0 or more"),
        ("--dropout", "1", "0 or more and less than 1"),
        ("--validation", "nan", "more than 0 and less than 1"),
        ("--learning-rate", "0", "a number above 0"),
        ("--learning-rate", "inf", "a number above 0"),
        ("--weight-decay", "-0.1", "0 or more"),
        ("--hidden", "64,0", "widths such as 64 or 128,64"),
        ("--separator", ";;", "one character"),
        ("--ignore", "a,,b", "names separated by commas"),
        ("--time-limit", "10 parsecs", "a time such as 90s, 10m or 1h30m"),
        ("--augment", "noise", "noise:NUMBER"),
        ("--augment", "drop:1.5", "noise:NUMBER"),
        ("--augment", "blur:1", "noise:NUMBER"),
        ("--pieces", "0", "a whole number of 1 or more"),
        ("--fail-on", "overfiting", "verdicts separated by commas"),
    ],
)
def test_a_bad_number_names_the_option_and_the_valid_range(weft, option, value, valid):
    said = weft("train", "iris", f"{option}={value}")
    assert said.status == 2
    assert said.err.startswith(f"weft: error: {option}: '{value}'\n  expected: {valid}")
    assert said.err.endswith("try:      weft train --help\n")


def test_a_lesson_is_printed_without_a_traceback(weft, monkeypatch):
    def fails(_):
        raise DataError("3 cells missing", expected="a value", where="line 2\nline 5", cure='missing="impute"')

    monkeypatch.setattr(look, "devices", fails)
    said = weft("devices")
    assert said.status == 2
    assert said.err.splitlines() == [
        "weft: error: 3 cells missing",
        "  expected: a value",
        "  where:    line 2",
        "            line 5",
        "  try:      --missing impute",
    ]


def test_ctrl_c_ends_with_the_status_of_a_shell(weft, monkeypatch):
    def stops(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(look, "devices", stops)
    said = weft("devices")
    assert (said.status, said.err) == (130, "weft: interrupted\n")


def test_a_failing_disk_is_said_without_a_traceback(weft, monkeypatch):
    def fails(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(look, "devices", fails)
    said = weft("devices")
    assert (said.status, said.err) == (2, "weft: error: No space left on device\n")

    def forbids(_):
        raise PermissionError(13, "Permission denied", "runs/mine")

    monkeypatch.setattr(look, "devices", forbids)
    assert weft("devices").err == "weft: error: runs/mine: Permission denied\n"


def test_a_warning_of_ours_is_one_line_and_said_once(weft, monkeypatch):
    def warns(_):
        for _ in range(2):
            warnings.warn("1 class missing", DataWarning, stacklevel=1)
        return 0

    monkeypatch.setattr(look, "devices", warns)
    said = weft("devices")
    assert (said.status, said.err) == (0, "weft: warning: 1 class missing\n")


def test_a_reader_who_has_seen_enough_is_no_error(tmp_path):
    (tmp_path / "report.html").write_text("")
    command = f"{sys.executable} -m weft report {tmp_path} | true"
    told = python("-c", f"import subprocess; subprocess.run({command!r}, shell=True)")
    assert told.stderr == ""


def test_a_terminal_without_our_characters_is_no_error(tmp_path):
    (tmp_path / "report.html").write_text("")
    folder = tmp_path / "→"
    folder.mkdir()
    (folder / "report.html").write_text("")
    told = python("-m", "weft", "report", str(folder), env={"PYTHONIOENCODING": "ascii", "PATH": ""})
    assert told.returncode == 0
    assert told.stdout.strip().endswith("?/report.html")
