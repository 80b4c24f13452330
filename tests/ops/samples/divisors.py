"""Divisors of whole numbers."""

from __future__ import annotations

import numpy as np

from weft.ops import arithmetic as E

from ..contract import one

WHOLE = np.array([[12, -18, 7], [0, 30, 5]])
SAMPLES = [
    one(E.gcd, WHOLE, [8, 12, 21], like=np.gcd),
    one(E.lcm, WHOLE, [8, 12, 21], like=np.lcm),
]
