"""What an augmentation is, and what it refuses."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from weft.augment.draws import check_keys, settle
from weft.errors import ArgumentError, DTypeError, ShapeError, is_whole
from weft.tensor import Tensor, as_tensor

Pair = tuple[Tensor, Any]


@dataclass(frozen=True)
class Augmentation:
    """A change of examples that leaves their meaning as it is: x (B, …) and its targets y, for training only.

    It is called with a key for each example and draws for example i from keys[i] alone, so the same example in the
    same epoch looks the same in every batch, on every device and after every restart. It works on whole batches, as
    part of the program that trains.

    One of your own is a frozen dataclass with a method ``apply(x, y, keys) -> (x, y)``, which draws with
    `weft.augment.uniform` and `weft.augment.normal`:

    >>> from dataclasses import dataclass
    >>> import weft as wf
    >>> from weft.augment import Augmentation, example_keys, uniform
    >>> @dataclass(frozen=True)
    ... class Shift(Augmentation):
    ...     most: float = 0.1
    ...     def apply(self, x, y, keys):
    ...         return x + uniform(keys, 0, x.shape[1:], -self.most, self.most), y
    >>> x, _ = Shift()(wf.zeros((2, 3)), None, example_keys(0, 0, [0, 1]))
    >>> float(abs(x).max()) < 0.1
    True
    """

    settles = True  # whether to compute the examples before what comes next; not where the parts have done it

    def __post_init__(self) -> None:
        """Lists become tuples, so that equal specifications have equal hashes."""
        for field in fields(self):
            if isinstance(value := getattr(self, field.name), list):
                object.__setattr__(self, field.name, tuple(value))

    def __call__(self, x: Any, y: Any, keys: Any) -> Pair:
        """The augmented examples and their targets (None if there are none); ``keys`` is (B, 2), of uint32."""
        x, keys = as_tensor(x), as_tensor(keys)
        self.check_examples(x)
        check_keys(self.name, keys, x.shape[0])
        if y is not None:
            y = as_tensor(y)
            if y.ndim == 0 or y.shape[0] != x.shape[0]:
                raise ShapeError(
                    f"{self.name}: targets of shape {y.shape} for {x.shape[0]} examples", expected=f"({x.shape[0]}, …)"
                )
        x, y = self.apply(x, y, keys)
        return (settle(x, keys) if self.settles else x), y

    def apply(self, x: Tensor, y: Any, keys: Tensor) -> Pair:
        """What the augmentation does with examples, targets and keys that have been checked."""
        raise NotImplementedError(f"{self.name} has no method apply(x, y, keys), which gives (x, y)")

    @property
    def name(self) -> str:
        """What errors call it."""
        return type(self).__name__

    def with_classes(self, classes: int) -> Augmentation:
        """The same augmentation, which now knows how many classes the labels have, if it needs to."""
        return self

    def check(self, x: np.ndarray[Any, Any]) -> None:
        """Refuse values that the augmentation is not for. A sample of them is looked at here, on the host, once before
        training: inside a program nobody can.
        """

    def check_examples(self, x: Tensor) -> None:
        """Refuse examples of another rank or data type; known without their values."""
        if x.ndim == 0:
            raise ShapeError(f"{self.name}: examples of shape ()", expected="(B, …)")
        if not x.dtype.is_floating:
            raise DTypeError(
                f"{self.name}: examples of type {x.dtype.name}",
                expected="floating-point numbers",
                cure="x.astype(wf.float32)" if x.dtype.name != "uint8" or x.ndim < 3 else "x / 255",
            )


@dataclass(frozen=True)
class PictureAugmentation(Augmentation):
    """An augmentation of pictures (B, C, H, W) that leaves their targets as they are."""

    def apply(self, x: Tensor, y: Any, keys: Tensor) -> Pair:
        return self.pictures(x, keys), y

    def pictures(self, x: Tensor, keys: Tensor) -> Tensor:
        """The augmented pictures."""
        raise NotImplementedError(f"{self.name} has no method pictures(x, keys), which gives pictures")

    def check_examples(self, x: Tensor) -> None:
        super().check_examples(x)
        check_pictures(self.name, x)


def check_pictures(name: str, x: Tensor) -> None:
    """Refuse what is not (B, C, H, W), with the cure for what is likely meant."""
    if x.ndim == 4 and 0 not in x.shape[1:]:
        return
    cure = None
    if x.ndim == 3:
        channels_last = x.shape[-1] in (1, 3)
        cure = (
            "x[None] and keys of one row for a single picture"
            if x.shape[0] in (1, 3) and not channels_last
            else "x[:, None] for grey pictures (B, H, W)"
        )
    raise ShapeError(f"{name}: pictures of shape {x.shape}", expected="(B, C, H, W)", cure=cure)


def check_colour(name: str, x: Tensor) -> None:
    """Refuse pictures that have no colour."""
    if x.shape[1] == 3:
        return
    last = x.shape[-1] == 3
    raise ShapeError(
        f"{name}: pictures of shape {x.shape}, which have {x.shape[1]} channels",
        expected="red, green and blue: (B, 3, H, W)",
        cure="x.permute_dims(0, 3, 1, 2)" if last else f"leave {name} out" if x.shape[1] == 1 else None,
    )


# ── arguments ───────────────────────────────────────────────────────────────────────────────────────────────


def _is_real(value: Any) -> bool:
    return isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)


def number(name: str, argument: str, value: Any, low: float, high: float = float("inf"), *, open: bool = False) -> None:
    """Refuse what is not a number in [low, high]; with ``open``, not above ``low``."""
    if (
        not _is_real(value)
        or not (low < value if open else low <= value)
        or not value <= high
        or abs(value) == float("inf")
    ):
        below = f"{low:g} {'<' if open else '≤'} {argument}"
        above = "" if high == float("inf") else f" ≤ {high:g}"
        raise ArgumentError(f"{name}: {argument}={value!r}", expected=f"a number, {below}{above}")


def span(name: str, argument: str, value: Any, low: float = -float("inf"), high: float = float("inf")) -> Any:
    """The ends of a range: of ±value for a number, else the two that are given, each in [low, high]."""
    if _is_real(value):
        number(name, argument, value, 0, high)
        return (-float(value), float(value))
    ends = tuple(value) if isinstance(value, tuple | list) else ()
    if len(ends) != 2:
        raise ArgumentError(f"{name}: {argument}={value!r}", expected="a number, or a pair (low, high)")
    for end in ends:
        number(name, argument, end, low, high)
    if not ends[0] <= ends[1]:
        raise ArgumentError(f"{name}: {argument}={value!r}", expected="low ≤ high")
    return (float(ends[0]), float(ends[1]))


def both(name: str, argument: str, value: Any, least: int = 0) -> tuple[int, int]:
    """Whole numbers for the vertical and the horizontal, from one for both or from a pair."""
    pair = tuple(value) if isinstance(value, tuple | list) else (value, value)
    if len(pair) != 2 or not all(is_whole(n, least) for n in pair):
        raise ArgumentError(
            f"{name}: {argument}={value!r}", expected=f"a whole number ≥ {least}, or (vertical, horizontal)"
        )
    return int(pair[0]), int(pair[1])
