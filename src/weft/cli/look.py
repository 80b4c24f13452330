"""``weft diagnose``, ``weft devices``: looking at a run, and at the machine."""

from __future__ import annotations

import argparse
from typing import Any

from weft.cli.parsing import verdicts
from weft.cli.wording import numbers, reason, remedies, table, verdict_line


def add_commands(commands: Any) -> None:
    """Declare the commands."""
    parser = commands.add_parser(
        "diagnose",
        help="say again what a run showed",
        description="Read the evidence of a run and say whether the model overfits, why, and what to try.",
    )
    parser.add_argument("folder", metavar="RUN", help="the folder of the run, such as runs/iris")
    parser.add_argument("--json", action="store_true", help="as JSON, with all numbers")
    parser.add_argument("--fail-on", type=verdicts, default=(), metavar="VERDICT", help="status 1 after these verdicts")
    parser.set_defaults(run=diagnose, parser=parser)
    parser = commands.add_parser(
        "devices", help="list processors and accelerators", description="The devices that tensors can live on."
    )
    parser.set_defaults(run=devices, parser=parser)


def diagnose(arguments: argparse.Namespace) -> int:
    """Print the diagnosis of a run's evidence; 0, or 1 after a verdict of --fail-on."""
    from weft.cli.folders import part_of
    from weft.overfit import Evidence
    from weft.overfit import diagnose as judged
    from weft.storage.files import read

    path = part_of(arguments.folder, "evidence.json")
    found = judged(Evidence.from_json(read(path, "the evidence of a run").decode("utf-8", "replace")))
    if arguments.json:
        print(found.to_json(), end="")
    else:
        print("\n\n".join([f"{verdict_line(found)}\n{reason(found)}", numbers(found), remedies(found)]))
    return int(found.verdict in arguments.fail_on)


def devices(_: argparse.Namespace) -> int:
    """Print name, kind and description of each device."""
    from weft.runtime.devices import default_device
    from weft.runtime.devices import devices as found

    used = default_device()
    rows = [(d.name, d.kind, d.description, "used unless told otherwise" if d == used else "") for d in found()]
    print("\n".join(line.strip() for line in table([("device", "kind", "description", ""), *rows]).splitlines()))
    return 0
