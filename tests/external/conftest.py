"""What of other people's tests was executed, counted: a floor below which a run fails."""

from __future__ import annotations

from typing import Any

import pytest

FLOORS = {  # tests, and what they execute together
    "module samples": (282, 1480),
    "optimizer steps": (174, 3480),
    "operator samples": (546, 3230),
    "complex operator samples": (286, 786),
    "refused inputs": (169, 337),
}


def executed(config: pytest.Config) -> dict[str, list[int]]:
    """By the name of the property: what each passed test says that it has executed."""
    reporter: Any = config.pluginmanager.get_plugin("terminalreporter")
    found: dict[str, list[int]] = {}
    for report in reporter.stats.get("passed", []) if reporter else []:
        for name, value in report.user_properties:
            found.setdefault(name, []).append(value)
    return found


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    for name, counts in executed(config).items():
        terminalreporter.write_line(f"{name}: {sum(counts)} in {len(counts)} tests")


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """A whole run in which nothing failed but little was executed has failed."""
    if exitstatus or hasattr(session.config, "workerinput"):
        return
    found = executed(session.config)
    for name, (tests, least) in FLOORS.items():
        counts = found.get(name, [])
        if len(counts) >= tests and sum(counts) < least:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
