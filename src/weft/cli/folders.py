"""Where runs lie: a folder for a new one, and the files of an old one."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from weft.cli.earlier import COMMAND, RESULT, RUN, alone, set_aside, settle
from weft.data.naming import closest
from weft.errors import FileError

RUNS = Path("runs")
FORMATS = {RUN: "weft.run/1", COMMAND: "weft.command/1", RESULT: "weft.study/1"}  # what tells our folders


@contextmanager
def run_folder(asked: str | None, name: str, kind: str = "run", *, resume: bool = False) -> Iterator[tuple[Path, bool]]:
    """The folder of a new run or study, there for the block, and whether it held an earlier one.

    By default ``runs/name``, or ``runs/name-2`` and so on if that is taken: nothing is replaced unasked. A folder
    that was asked for may hold an earlier one of its kind, which goes when the block has left anything and comes back
    if not. A new folder goes again if the block left it empty.
    """
    folder, replaces = (_numbered(name), False) if asked is None else _asked(Path(asked), kind, resume)
    if replaces and not resume:
        set_aside(folder)
    try:
        yield folder, replaces
    finally:
        with contextlib.suppress(OSError):
            settle(folder)
            with alone(folder):  # it may be that nothing was left because another process is at work here
                _remove_empty(folder)


def _remove_empty(folder: Path) -> None:
    """Remove a folder in which nothing was left but the command and a lock."""
    inside = {path.name for path in folder.iterdir()}
    checkpoints = folder / "checkpoints"
    if inside <= {COMMAND, "checkpoints"} and {p.name for p in checkpoints.glob("*")} <= {"lock"}:
        if checkpoints.is_dir():
            (checkpoints / "lock").unlink(missing_ok=True)
            checkpoints.rmdir()
        (folder / COMMAND).unlink(missing_ok=True)
        folder.rmdir()


def _numbered(name: str) -> Path:
    for k in count(1):
        folder = RUNS / (name if k == 1 else f"{name}-{k}")
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue
        except OSError as error:
            raise _unwritable(folder, error) from error
        return folder
    raise AssertionError


def _asked(folder: Path, kind: str, resume: bool) -> tuple[Path, bool]:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not resume:
            settle(folder)  # a process that died before its run began
        taken = any(folder.iterdir())
    except FileError:
        raise
    except OSError as error:
        raise _unwritable(folder, error) from error
    held = kind_of(folder)
    if taken and held is None:
        raise FileError(
            f"{folder} holds files, and no run of Weft",
            expected="a new or empty folder, or one with an earlier run, which is then replaced",
            cure=f"--folder {folder / 'run'}",
        )
    if taken and held != kind and not resume:
        raise FileError(
            f"{folder} holds a {held}, which a {kind} does not replace",
            expected=f"a new or empty folder, or one with an earlier {kind}, which is then replaced",
            cure=f"--folder {folder}-{kind}",
        )
    return folder, taken


def kind_of(folder: Path) -> str | None:
    """Whether a folder holds a "study" or a "run" of ours; a study may hold the run that it began with."""
    found = {name: about for name, known in FORMATS.items() if (about := _about(folder / name)).get("format") == known}
    if not found:
        return None
    asked = str(found.get(COMMAND, {}).get("command", "weft train"))
    return "study" if RESULT in found or not asked.startswith(("weft train", "weft report")) else "run"


def _about(path: Path) -> dict[str, Any]:
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return about if isinstance(about, dict) else {}


def _unwritable(folder: Path, error: OSError) -> FileError:
    return FileError(
        f"{folder} cannot be made a run's folder: {error.strerror or error}", expected="a folder that can be written"
    )


def part_of(run: str, name: str) -> Path:
    """The file ``name`` of a run, which is given by its folder or by any file in it. Raises FileError."""
    folder = Path(run)
    for place in (folder, folder.parent):
        if (place / name).is_file() and (place == folder or folder.is_file()):
            return place / name
    if folder.is_dir():
        held = ", ".join(sorted(path.name for path in folder.iterdir())[:8])
        raise FileError(
            f"{folder} holds no {name}", expected="the folder of a run", where=f"it holds {held or 'nothing'}"
        )
    known = sorted({str(path.parent) for kind in (RUN, COMMAND) for path in RUNS.glob(f"*/{kind}")})
    near = closest(run, known) or closest(f"{RUNS}/{run}", known)
    raise FileError(
        f"there is no run {run!r}",
        expected="the folder that weft train named at its end" + (f": {', '.join(known[:8])}" if known else ""),
        cure=near or "weft train iris",
    )
