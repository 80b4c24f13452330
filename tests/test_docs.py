"""The programs of the documentation run as they stand: those of one page in order, in one namespace."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

DOCS = Path(__file__).parent.parent / "docs"
PAGES = sorted(page for page in DOCS.glob("*.md") if "```python\n" in page.read_text())
# What the excerpts of a page take for granted.
BEFORE = {
    "architecture.md": """
import numpy as np
from weft import nn, optim
model, opt = nn.Sequential(nn.Linear(3)), optim.Adam(1e-2)
x, y = np.ones((4, 2), np.float32), np.array([0, 1, 2, 0])
""",
}


def programs(page: Path) -> list[tuple[int, str]]:
    """The programs of a page, each with the line on which it begins."""
    text = page.read_text()
    found = re.finditer(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    return [(text[: m.start(1)].count("\n"), m[1]) for m in found]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_programs_of_a_page_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, Any] = {"__name__": "__main__"}
    exec(BEFORE.get(page.name, ""), namespace)
    for line, program in programs(page):
        exec(compile("\n" * line + program, str(page), "exec"), namespace)
