"""The `weft` command: train, resume, studies, predict, evaluate, diagnose, report, devices.

- `parsing`: a parser whose errors are lessons, and the numbers that options take
- `options`: the options of all that train, each declared once
- `wording`: what is printed, at the width of the terminal; Python's words turned into the command's
- `sources`, `models`, `folders`: data, network and run folder from what was typed
- `earlier`: what an earlier run left in the folder, set aside until the new one has begun
- `setup`, `stored`, `study`: what is trained, the command of a run as a file, what the studies share
- `train`, `crossval`, `learning_curve`, `bias_variance`, `sweep`, `prescribe`, `report`, `apply`, `look`: the commands;
  they alone import the rest of Weft, when they run
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TextIO

from weft import __version__
from weft.cli import apply, bias_variance, crossval, learning_curve, look, prescribe, report, sweep, train
from weft.cli.parsing import Parser
from weft.cli.train import INTERRUPTED
from weft.cli.wording import failure, warning
from weft.data.warning import DataWarning
from weft.errors import WeftError
from weft.runtime.explanation import RecompileWarning


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; its exit status.

    0; 1 after a verdict of --fail-on; 2 after an error that was explained; 130 after Ctrl-C
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a terminal that lacks → is no reason to fail
            stream.reconfigure(errors="replace")
    try:
        options = parser().parse(argv)
        with warnings_as_lines():
            status = int(options.run(options))
        sys.stdout.flush()  # here, where it can still be said that nobody reads
        return status
    except WeftError as error:
        print(failure(error), file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("weft: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # whoever was reading has seen enough, as in: weft predict … | head
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:  # a full disk behind the standard output, and the like
        where = f"{error.filename}: " if error.filename else ""
        print(f"weft: error: {where}{error.strerror or error}", file=sys.stderr)
        return 2


def parser() -> Parser:
    """The command line with all its commands."""
    top = Parser(
        prog="weft",
        description="Neural networks with a diagnosis: trains, and says whether the model overfits.",
        epilog="Example: weft train iris, then weft COMMAND --help for all options.",
    )
    top.add_argument("--version", action="version", version=f"weft {__version__}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True, title="commands")
    for family in (train, crossval, learning_curve, bias_variance, sweep, prescribe, report, apply, look):
        family.add_commands(commands)
    return top


@contextmanager
def warnings_as_lines() -> Iterator[None]:
    """Print each of Weft's own warnings once, in one line; leave others to Python."""
    seen: set[str] = set()

    def show(
        message: Warning | str, category: type[Warning], filename: str, lineno: int,
        file: TextIO | None = None, line: str | None = None,
    ) -> None:  # fmt: skip
        if not issubclass(category, DataWarning | RecompileWarning):
            usual(message, category, filename, lineno, file, line)
        elif str(message) not in seen:
            seen.add(str(message))
            print(warning(str(message)), file=sys.stderr)

    with warnings.catch_warnings():
        usual, warnings.showwarning = warnings.showwarning, show
        for category in (DataWarning, RecompileWarning):
            warnings.simplefilter("always", category)
        yield
