"""What the command prints: at the width of the terminal, and in the command's words instead of Python's."""

from __future__ import annotations

import re
import shutil
import textwrap
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from weft.errors import WeftError

if TYPE_CHECKING:
    from weft.overfit import Diagnosis

# Python on the left, what to type on the right; tried in this order.
_IN_SHELL = [
    (r"call trainer\.fit\(…, (.*?)\) again, it continues", r"\1"),
    (r"trainer\.fit\((?:…|data), (.*?)\)", r"\1"),
    (r"trainer\.fit on 20 examples", "<examples> 20"),
    (r"trainer\.evaluate\(test\)", "weft evaluate RUN test.csv"),
    (r"Trainer\(…, seed=(\d+)\) to seed=(\d+)", r"<seed> \1 to <seed> \2"),
    (r"optim\.AdamW\([\w.-]+, weight_decay=([\w.-]+)\)", r"<weight_decay> \1"),
    (r"optim\.Adam\(([\w.-]+)\)", r"<learning_rate> \1"),
    (r"nn\.Dropout\(([\d.]+)\) after each hidden layer", r"<dropout> \1"),
    (r"nn\.Dropout\(0\.0\), weight_decay=0\.0", "without <dropout> and <weight_decay>"),
    (r"read_csv\(path, target, (ignore=.*?\])\)", r"\1"),
    (r"\bignore=\[('.*?')\]", r"<ignore> \1"),
    (r"\bseparator=('.*?')", r"<separator> \1"),
    (r"""\b(missing|task|keep)=["']?(\w+)["']?""", r"<\1> \2"),
    (r"\b(validation|patience|epochs)=([\d.]+)", r"<\1> \2"),
    (r"y\.astype\('float32'\)", "<task> regression"),
    (r"stratify=False, (or )?", ""),
    (r"validation=None, or ", ""),
    (r"twice the width, or one more nn\.Linear and nn\.ReLU", "<hidden> with twice the width, or one more layer"),
    (r"^(.*\bnn\.[A-Z].*|clip the norm of the gradients)$", r"\1 (in Python)"),
]


def in_shell(text: str) -> str:
    """A piece of advice in the words of the command.

    >>> in_shell("more epochs: call trainer.fit(…, epochs=200) again, it continues")
    'more epochs: --epochs 200'
    >>> in_shell('missing="impute", or fill them in')
    '--missing impute, or fill them in'
    """
    for python, shell in _IN_SHELL:
        text = re.sub(python, shell, text)
    return re.sub(r"<(\w+)>", lambda found: "--" + found[1].replace("_", "-"), text)


def width() -> int:
    """The columns to fill: the terminal's, but neither very few nor more than a line that is easily read."""
    return min(max(shutil.get_terminal_size((80, 24)).columns, 40), 100)


def wrapped(text: str, first: str = "", rest: str | None = None) -> str:
    """Text in lines, the first beginning with ``first``, the others with ``rest`` (as many spaces, if None)."""
    indent = " " * len(first) if rest is None else rest
    lines = textwrap.wrap(
        text,
        width() - 1,
        initial_indent=first,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "\n".join(lines) or first


def facts(pairs: Iterable[tuple[str, str]]) -> str:
    """Names and what they stand for, in two columns."""
    return "\n".join(wrapped(text, f"{name:<10} ") for name, text in pairs)


def table(rows: Sequence[Sequence[str]]) -> str:
    """Columns, the first to the left and the others to the right."""
    wide = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(["", row[0].ljust(wide[0]), *(c.rjust(w) for c, w in zip(row[1:], wide[1:], strict=True))]).rstrip()
        for row in rows
    )


def numbered(texts: Iterable[str]) -> str:
    """A numbered list."""
    return "\n".join(wrapped(text, f"  {k}. ") for k, text in enumerate(texts, 1))


def command_lines(command: str, first: str = "  ") -> str:
    """A command that can be copied, in as many lines as it needs; no word is changed or broken."""
    lines = [first]
    for word in re.findall(r"""(?:'[^']*'|"[^"]*"|\S)+""", command):
        if len(lines[-1]) + len(word) > width() - 3 and lines[-1].strip():
            lines.append(" " * len(first) + "  ")
        lines[-1] += f"{word} "
    return " \\\n".join(line.rstrip() for line in lines)


# ── errors and warnings ─────────────────────────────────────────────────────────────────────────────────────


def failure(error: WeftError) -> str:
    """An error as the command says it: what was received, then the lesson, line by line."""
    first, *more = in_shell(error.received).split("\n")
    lines = [wrapped(first, "weft: error: ", "  "), *(wrapped(line, "  ") for line in more)]
    for label, text in (("expected:", error.expected), ("where:", error.where), ("try:", error.cure)):
        if text and label == "try:" and text.startswith("weft "):
            lines.append(command_lines(text, f"  {label:<9} "))
            continue
        for k, line in enumerate(in_shell(text).split("\n") if text else ()):
            lines.append(wrapped(line, f"  {label if k == 0 else '':<9} "))
    return "\n".join(lines)


def warning(text: str) -> str:
    """A warning as the command says it."""
    return wrapped(in_shell(text), "weft: warning: ", "  ")


# ── a diagnosis ─────────────────────────────────────────────────────────────────────────────────────────────


def verdict_line(found: Diagnosis) -> str:
    """The verdict in one line."""
    best = f"best epoch: {found.best_epoch}" if found.best_epoch else "no epoch with a finite loss"
    return f"Verdict: {found.verdict} (confidence: {found.confidence}; {best})"


def reason(found: Diagnosis) -> str:
    """Why the verdict is what it is."""
    return wrapped(found.explanation.removeprefix(f"{found.verdict}: "), "  ")


def remedies(found: Diagnosis) -> str:
    """What to try, in order, in the words of the command."""
    return "To try, in this order:\n" + numbered(map(in_shell, found.remedies))


def numbers(found: Diagnosis) -> str:
    """All that the verdict rests on."""
    from weft.overfit.words import num

    return "The numbers behind it:\n" + table([(name.replace("_", " "), num(v)) for name, v in found.numbers.items()])
