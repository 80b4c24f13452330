"""Where runs lie: a folder for a new one, and the files of an old one."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from weft.data.naming import closest
from weft.errors import FileError

RUNS = Path("runs")
COMMAND = "command.json"
KNOWN = {"run.json": "weft.run/1", COMMAND: "weft.command/1", "result.json": "weft.study/1"}  # what tells our folders


@contextmanager
def run_folder(asked: str | None, name: str) -> Iterator[tuple[Path, bool]]:
    """The folder of a new run, there for the block, and whether it held an earlier run.

    By default ``runs/name``, or ``runs/name-2`` and so on if that is taken: nothing is replaced unasked. A folder
    that was asked for may hold an earlier run and nothing else. A new folder goes again if the block left it empty.
    """
    folder, replaces = (_numbered(name), False) if asked is None else _asked(Path(asked))
    try:
        yield folder, replaces
    finally:
        with contextlib.suppress(OSError):
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


def _asked(folder: Path) -> tuple[Path, bool]:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        taken = any(folder.iterdir())
    except OSError as error:
        raise _unwritable(folder, error) from error
    if taken and not _is_run(folder):
        raise FileError(
            f"{folder} holds files, and no run of Weft",
            expected="a new or empty folder, or one with an earlier run, which is then replaced",
            cure=f"--folder {folder / 'run'}",
        )
    return folder, taken


def _is_run(folder: Path) -> bool:
    return any(_format(folder / name) == known for name, known in KNOWN.items())


def _format(path: Path) -> Any:
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return about.get("format") if isinstance(about, dict) else None


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
    known = sorted({str(path.parent) for kind in ("run.json", COMMAND) for path in RUNS.glob(f"*/{kind}")})
    near = closest(run, known) or closest(f"{RUNS}/{run}", known)
    raise FileError(
        f"there is no run {run!r}",
        expected="the folder that weft train named at its end" + (f": {', '.join(known[:8])}" if known else ""),
        cure=near or "weft train iris",
    )
