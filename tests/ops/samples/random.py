"""Random numbers: checked by what they must satisfy."""

from __future__ import annotations

import numpy as np

from weft.graph import dtype as dt
from weft.ops import random as R

from ..contract import one

KEY = np.array([1, 2], np.uint32)
SAMPLES = [
    one(R.fold_in, KEY, 5, like=lambda k: k.shape == (2,) and (k != KEY).any(), verify=True),
    one(
        R.uniform_op,
        KEY,
        like=lambda u: u.min() >= 0 and u.max() < 1 and abs(u.mean() - 0.5) < 0.02,
        verify=True,
        shape=(50, 100),
        dtype=dt.float32,
    ),
    one(
        R.normal_op,
        KEY,
        like=lambda z: abs(z.mean()) < 0.05 and abs(z.std() - 1) < 0.05,
        verify=True,
        shape=(50, 100),
        dtype=dt.float64,
    ),
    one(
        R.truncated_normal_op,
        KEY,
        np.float32(-1),
        np.float32(2),
        like=lambda z: z.min() >= -1 and z.max() <= 2 and 0.1 < z.mean() < 0.35,
        verify=True,
        shape=(50, 100),
        dtype=dt.float32,
    ),
    one(R.integers_op, KEY, -2, 5, like=lambda n: set(n.ravel()) == set(range(-2, 5)), verify=True, shape=(40, 40)),
    one(R.permutation_op, KEY, like=lambda p: sorted(p) == list(range(20)) != list(p), verify=True, n=20),
    one(R.gamma_op, KEY, 2.0, like=lambda x: x.min() > 0 and abs(x.mean() - 2) < 0.1, verify=True, shape=(50, 100)),
    one(R.log_gamma_op, KEY, 2.0, like=lambda x: abs(np.exp(x).mean() - 2) < 0.1, verify=True, shape=(50, 100)),
    one(
        R.poisson_op,
        KEY,
        np.float32(3),
        like=lambda n: n.min() >= 0 and abs(n.mean() - 3) < 0.1,
        verify=True,
        shape=(50, 100),
    ),
    one(
        R.binomial_op,
        KEY,
        np.float64(10),
        np.float64(0.3),
        like=lambda n: n.min() >= 0 and n.max() <= 10 and abs(n.mean() - 3) < 0.1,
        verify=True,
        shape=(50, 100),
    ),
]
