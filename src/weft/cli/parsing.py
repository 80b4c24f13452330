"""A parser whose errors are lessons, and the kinds of numbers and lists that options take."""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from weft.data.naming import closest
from weft.errors import ArgumentError

_EXPECTED = "; expected "  # parts what was received from what was expected in a message of `refused`

_CHOICE = re.compile(r"(?P<received>(?P<name>\S+): invalid choice: '(?P<given>.*)') \(choose from (?P<known>.*)\)")


class Parser(argparse.ArgumentParser):
    """argparse, but an error is an ArgumentError, and an unknown word is answered with the closest known one."""

    def __init__(self, **how: Any) -> None:
        how.setdefault("formatter_class", lambda prog: argparse.HelpFormatter(prog, max_help_position=26))
        super().__init__(allow_abbrev=False, **how)

    def parse(self, argv: Sequence[str] | None = None) -> argparse.Namespace:
        """The options; raises ArgumentError."""
        options, unknown = self.parse_known_args(argv)
        if not unknown:
            return options
        parser: Parser = getattr(options, "parser", self)
        known = [name for action in parser._actions for name in action.option_strings]
        near = closest(unknown[0].partition("=")[0], known) if unknown[0].startswith("-") else None
        raise ArgumentError(
            f"{parser.prog}: {' '.join(unknown)} was not understood",
            expected=f"options of {parser.prog}",
            cure=f"{near}?  ({parser.prog} --help lists all)" if near else f"{parser.prog} --help",
        )

    def error(self, message: str) -> NoReturn:
        received, _, expected = message.partition(_EXPECTED)
        received, cure = re.sub(r"^argument (\S+?): ", r"\1: ", received), f"{self.prog} --help"
        if choice := _CHOICE.fullmatch(received):
            name, received, given = choice["name"], choice["received"], choice["given"]
            expected = choice["known"].replace("'", "")
            near = closest(given, expected.split(", "))
            cure = f"{name} {near}" if near and name.startswith("-") else f"{self.prog} {near}" if near else cure
        raise ArgumentError(received, expected=expected or None, cure=cure)


def refused(text: str, expected: str) -> argparse.ArgumentTypeError:
    return argparse.ArgumentTypeError(f"{text!r}{_EXPECTED}{expected}")


def whole(least: int) -> Callable[[str], int]:
    """A whole number of ``least`` or more.

    >>> whole(1)("12")
    12
    """

    def parse(text: str) -> int:
        if not re.fullmatch(r"\d{1,18}", text) or int(text) < least:
            raise refused(text, f"a whole number of {least} or more")
        return int(text)

    return parse


def number(valid: Callable[[float], bool], expected: str) -> Callable[[str], float]:
    """A number for which ``valid`` holds; NaN never does.

    >>> number(lambda v: 0 < v < 1, "a number between 0 and 1")("1e-3")
    0.001
    """

    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if math.isnan(value) or not valid(value):
            raise refused(text, expected)
        return value

    return parse


def widths(text: str) -> tuple[int, ...]:
    """The widths of hidden layers.

    >>> widths("64,32"), widths("none")
    ((64, 32), ())
    """
    if text == "none":
        return ()
    if not re.fullmatch(r"[1-9]\d{0,6}(,[1-9]\d{0,6})*", text):
        raise refused(text, "widths such as 64 or 128,64, or none for a linear model")
    return tuple(map(int, text.split(",")))


def character(text: str) -> str:
    r"""What separates cells: one character, or the word tab.

    >>> character("tab"), character(";")
    ('\t', ';')
    """
    text = "\t" if text in ("tab", "\\t") else text
    if len(text) != 1 or text.isalnum() or text in '"\r\n':
        raise refused(text, "one character such as ; or the word tab")
    return text


def names(text: str) -> tuple[str, ...]:
    """Names separated by commas.

    >>> names("id, note")
    ('id', 'note')
    """
    found = tuple(part.strip() for part in text.split(","))
    if not all(found):
        raise refused(text, "names separated by commas")
    return found


def verdicts(text: str) -> tuple[str, ...]:
    """Verdicts separated by commas.

    >>> verdicts("overfitting,not learning")
    ('overfitting', 'not learning')
    """
    from weft.overfit.remedies import REMEDIES

    found = tuple(part.strip() for part in text.split(","))
    if not set(found) <= set(REMEDIES):
        raise refused(text, f"verdicts separated by commas, of {', '.join(REMEDIES)}")
    return found


AUGMENTATIONS = {
    "noise": (0, math.inf, "the standard deviation of the noise"),
    "drop": (0, 1, "the share of cells replaced by 0"),
    "mixup": (0, math.inf, "alpha of the shares"),
    "smoothing": (0, 1, "the share taken from the label"),
}


def augmentations(text: str) -> tuple[str, ...]:
    """Random changes of the training rows, each a name with a number.

    >>> augmentations("noise:0.1,mixup:0.20")
    ('noise:0.1', 'mixup:0.2')
    """
    expected = ", ".join(f"{name}:NUMBER ({told})" for name, (*_, told) in AUGMENTATIONS.items())
    made = []
    for part in text.split(","):
        name, _, amount = part.strip().partition(":")
        low, high, _ = AUGMENTATIONS.get(name, (math.inf, -math.inf, ""))
        if not re.fullmatch(r"\d*\.?\d+(e-?\d{1,2})?", amount) or not low < float(amount) < high:
            raise refused(text, f"{expected}, separated by commas")
        made.append(f"{name}:{float(amount):g}")
    return tuple(made)


def duration(text: str) -> str:
    """A time such as 10m or 1h30m, or a number of seconds.

    >>> duration("1h30m"), duration("90")
    ('1h30m', '90s')
    """
    from weft.train.callbacks.timing import seconds_of

    text = f"{text}s" if re.fullmatch(r"\d+(\.\d+)?", text) else text
    try:
        seconds_of(text)
    except ArgumentError:
        raise refused(text, "a time such as 90s, 10m or 1h30m") from None
    return text
