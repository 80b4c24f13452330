"""The command of a run, written beside it before its first epoch: what it takes to go on, or to do it again."""

from __future__ import annotations

import dataclasses
import json
import shlex
from pathlib import Path
from typing import Any

from weft import __version__
from weft.cli.earlier import COMMAND
from weft.cli.folders import FORMATS, part_of
from weft.cli.options import TrainOptions
from weft.cli.sources import is_bundled
from weft.errors import FileError

FORMAT = FORMATS[COMMAND]


def store(options: TrainOptions, folder: Path, command: str | None = None) -> None:
    """Write what was asked for, whole or not at all; a table by its full path, so that it is found from anywhere.

    ``command`` is what was typed, where that is not the training itself.
    """
    from weft.storage.files import write_atomically

    known = {f.name for f in dataclasses.fields(TrainOptions)}
    asked = {name: value for name, value in dataclasses.asdict(options).items() if name in known}
    asked |= {"folder": None, "resume": False}
    if not is_bundled(options.data) and Path(options.data).is_file():
        asked["data"] = str(Path(options.data).resolve())
    about = {"format": FORMAT, "weft": __version__, "command": command or options.command(), "options": asked}
    write_atomically(folder / COMMAND, json.dumps(about, indent=1))


def stored(run: str) -> tuple[TrainOptions, Path]:
    """What the run was asked for, and its folder. Raises FileError."""
    from weft.storage.files import read

    path = part_of(run, COMMAND)
    text = read(path, "the command of a run").decode("utf-8", "replace")
    try:
        about = json.loads(text)
        if about["format"] != FORMAT:
            raise ValueError(f"format {about['format']!r}")
        return _options(about["options"]), path.parent
    except (ValueError, KeyError, TypeError) as error:
        raise FileError(
            f"{path} is not the command of a run, or it is damaged: {error}",
            expected=f"the file of the format {FORMAT} that weft train left there; or its options typed again",
            cure=f"weft train DATA --folder {shlex.quote(str(path.parent))} --resume",
        ) from error


def _options(given: dict[str, Any]) -> TrainOptions:
    """Options from JSON; each of the kind that its default or its parser has."""
    made: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in given.items()}
    options = TrainOptions(**made)
    for f in TrainOptions.declared():
        value = made.get(f.name, f.default)
        kinds = {type(f.default)} if f.default is not None else {type(None), str, int, tuple}
        if type(value) not in kinds | ({int} if float in kinds else set()):
            raise TypeError(f"{f.name} is {value!r}")
    return options
