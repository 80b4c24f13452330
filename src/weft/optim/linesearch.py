"""A step length that satisfies the strong Wolfe conditions: Nocedal & Wright 2006, Algorithms 3.5 and 3.6."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, eq=False)
class Point:
    """What is known at step length t along the direction: the value, the slope, and the gradient."""

    t: float
    value: float
    slope: float
    gradient: Any


def cubic_minimum(a: Point, b: Point, low: float, high: float) -> float:
    """Where the cubic through both values and slopes has its minimum (equation 3.59), kept between the bounds.

    The middle of the bounds where it has none.
    """
    if a.t > b.t:
        a, b = b, a
    d1 = a.slope + b.slope - 3 * (a.value - b.value) / (a.t - b.t)
    square = d1 * d1 - a.slope * b.slope
    if not square >= 0:
        return (low + high) / 2
    d2 = math.sqrt(square)
    best = b.t - (b.t - a.t) * ((b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2))
    return min(max(best, low), high)


def strong_wolfe(
    at: Callable[[float], Point],
    start: Point,
    t: float,
    *,
    size: float,
    most: int,
    c1: float = 1e-4,
    c2: float = 0.9,
    tolerance: float = 1e-9,
) -> tuple[Point, int]:
    """A point that lies low enough and is flat enough, and how many evaluations it took.

    f(t) ≤ f(0) + c₁·t·f′(0) and |f′(t)| ≤ c₂·|f′(0)|

    ``size`` is the largest element of the direction: a bracket on which nothing moves by more than ``tolerance`` is
    narrow enough. After ``most`` evaluations the lowest point is taken as it is.
    """
    search = Search(at, start, c1, c2)
    found = search.bracket(t, most)
    return (found or search.zoom(size, most, tolerance)), search.evaluations


class Search:
    """The search along one direction."""

    def __init__(self, at: Callable[[float], Point], start: Point, c1: float, c2: float) -> None:
        self.at, self.start, self.c1, self.c2 = at, start, c1, c2
        self.evaluations = self.rounds = 0
        self.low = self.high = start

    def evaluate(self, t: float) -> Point:
        self.evaluations += 1
        return self.at(t)

    def too_high(self, p: Point) -> bool:
        """Whether the sufficient decrease is missed."""
        return p.value > self.start.value + self.c1 * p.t * self.start.slope

    def flat(self, p: Point) -> bool:
        return abs(p.slope) <= -self.c2 * self.start.slope

    def bracket(self, t: float, most: int) -> Point | None:
        """Go on until a minimum is between two points, or a point satisfies both conditions (Algorithm 3.5)."""
        before, here = self.start, self.evaluate(t)
        while self.rounds < most:
            if self.too_high(here) or (self.rounds > 1 and here.value >= before.value) or math.isnan(here.value):
                break
            if self.flat(here):
                return here
            if here.slope >= 0:
                break
            farther = cubic_minimum(before, here, here.t + 0.01 * (here.t - before.t), here.t * 10)
            before, here = here, self.evaluate(farther)
            self.rounds += 1
        if self.rounds == most:
            before = self.start
        lower = here.value < before.value  # which not a number never is
        self.low, self.high = (here, before) if lower else (before, here)
        return None

    def zoom(self, size: float, most: int, tolerance: float) -> Point:
        """Narrow the bracket down (Algorithm 3.6); trials too near to an end twice in a row are moved inwards."""
        near_before = False
        while self.rounds < most and abs(self.high.t - self.low.t) * size >= tolerance:
            left, right = sorted((self.low.t, self.high.t))
            t = cubic_minimum(self.low, self.high, left, right)
            margin = 0.1 * (right - left)
            near = min(right - t, t - left) < margin
            if near and (near_before or t >= right or t <= left):
                t = right - margin if abs(t - right) < abs(t - left) else left + margin
                near = False
            near_before = near
            here = self.evaluate(t)
            self.rounds += 1
            if self.too_high(here) or here.value >= self.low.value or math.isnan(here.value):
                self.high = here
                if self.high.value < self.low.value:
                    self.low, self.high = self.high, self.low
                continue
            if self.flat(here):
                return here
            if here.slope * (self.high.t - self.low.t) >= 0:
                self.high = self.low
            self.low = here
        return self.low
