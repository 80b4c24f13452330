"""Where in the user's program something happened: cheap to note, resolved only when somebody asks."""

from __future__ import annotations

import linecache
import sys
from pathlib import Path
from types import CodeType
from typing import NamedTuple

_PACKAGE = str(Path(__file__).resolve().parent.parent) + "/"

Place = tuple[CodeType, int, str]  # what a `Source` is made of: every recorded op pays for one, few are looked at


class Source(NamedTuple):
    """A place in a program: the code object, the offset of the instruction that was running, and the layer path."""

    code: CodeType
    offset: int
    path: str = ""

    @property
    def line(self) -> int:
        for start, end, line in self.code.co_lines():
            if start <= self.offset < end and line is not None:
                return line
        return self.code.co_firstlineno

    @property
    def text(self) -> str:
        """The line of the user's program, without its indentation."""
        return linecache.getline(self.code.co_filename, self.line).strip()

    def __str__(self) -> str:
        place = f"{self.path}, " if self.path else ""
        place += f"{Path(self.code.co_filename).name}:{self.line}"
        return f"{place}: {self.text}" if self.text else place


class _Ours(dict[str, bool]):
    """Whether a file belongs to this package, by its name; found out when first asked."""

    def __missing__(self, filename: str) -> bool:
        ours = self[filename] = filename.startswith(_PACKAGE)
        return ours


_ours = _Ours()


def user_source(path: str = "", depth: int = 2) -> Place:
    """The innermost place outside this package that led here (the outermost one if there is none)."""
    frame = sys._getframe(depth)
    code = frame.f_code
    while _ours[code.co_filename]:
        outer = frame.f_back
        if outer is None:
            break
        frame = outer
        code = frame.f_code
    return code, frame.f_lasti, path
