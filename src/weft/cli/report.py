"""``weft report``: the report of a run, or of a training that is done for it."""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from pathlib import Path
from typing import Any

from weft.cli.options import DATA, ReportOptions, add_options
from weft.errors import ArgumentError


def add_commands(commands: Any) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "report",
        help="say where the report of a run is, or make one of data",
        description="Print the path of a run's report. Of data, train as weft train does, and leave a report of that.",
        epilog="Examples: weft report runs/iris; weft report digits --hidden 256 --json",
    )
    add_options(parser, ReportOptions, help=f"{DATA}; or the folder of a run", metavar="DATA|RUN")
    parser.set_defaults(run=run, parser=parser)


def run(arguments: argparse.Namespace) -> int:
    """Say where the report is, as JSON also what it says; of data, train first."""
    from weft.storage.files import write_atomically

    options = ReportOptions.of(arguments)
    has_run = names_run(options.data)
    status, path = (0, report_of(options)) if has_run else trained(options)
    content = json.dumps(about(path), indent=1, ensure_ascii=False) + "\n"
    if options.json == "-":
        print(content, end="")
        return status
    if options.json is not None:
        write_atomically(options.json, content)
    if has_run:  # a training has said it
        print(path)
    return status


def names_run(typed: str) -> bool:
    """Whether what was typed is the folder of a run, a file in it, or a path to nothing, which is no data either."""
    from weft.cli.sources import KINDS, is_bundled, is_run

    path = Path(typed)
    if is_bundled(typed) or path.suffix in KINDS:
        return False
    return is_run(typed) or (path.parent / "report.html").is_file() or (len(path.parts) > 1 and not path.exists())


def report_of(options: ReportOptions) -> Path:
    """The report of a run. Raises FileError, and ArgumentError for what only a training takes."""
    from weft.cli.folders import part_of

    path = part_of(options.data, "report.html").resolve()
    plain = ReportOptions(options.data, json=options.json)
    if options != plain:
        raise ArgumentError(
            f"options of a training, and {options.data} is a run, which has been trained",
            expected="the folder of a run alone, perhaps with --json; or data, to train",
            cure=plain.command(),
        )
    return path


def trained(options: ReportOptions) -> tuple[int, Path]:
    """Train; its status, and the report. What is said of it gives way to JSON on the output."""
    from weft.cli.train import perform

    with contextlib.redirect_stdout(sys.stderr if options.json == "-" else sys.stdout):
        status, folder = perform(options)
    return status, (folder / "report.html").resolve()


def about(path: Path) -> dict[str, Any]:
    """Where the report lies, its size, and the verdict in it; null of a run without evidence."""
    from weft.overfit import Diagnosis
    from weft.storage.files import read

    judged = path.parent / "diagnosis.json"
    text = read(judged, "the diagnosis of a run").decode("utf-8", "replace") if judged.is_file() else None
    verdict = Diagnosis.from_json(text).verdict if text is not None else None
    return {"report": str(path), "bytes": path.stat().st_size, "verdict": verdict}
