"""Running extremes and sums of exponentials; divisors."""

from __future__ import annotations

import numpy as np

from weft.ops import accumulation as A
from weft.ops import arithmetic as E

from ..contract import one
from .numbers import TALL

WHOLE = np.array([[12, -18, 7], [0, 30, 5]])
SAMPLES = [
    one(A.cumulative_max_op, TALL, like=lambda x: np.maximum.accumulate(x, 1), axis=1),
    one(A.cumulative_min_op, TALL, like=lambda x: np.minimum.accumulate(x, 2), axis=2),
    one(A.cumulative_logsumexp_op, TALL, like=lambda x: np.logaddexp.accumulate(x, 1), axis=1),
    one(E.gcd, WHOLE, [8, 12, 21], like=np.gcd),
    one(E.lcm, WHOLE, [8, 12, 21], like=np.lcm),
]
