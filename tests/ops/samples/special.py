"""Special functions."""

from __future__ import annotations

import numpy as np
import scipy.special as R

from weft.ops import special as S

from ..contract import one
from .numbers import POSITIVE, UNIT, X, between

FAR = np.array([-3.1, -0.7, 0.0, 0.4, 2.5])

SAMPLES = [
    one(S.erfc, X, like=R.erfc),
    one(S.erfcx, X, like=R.erfcx),
    one(S.erfinv, UNIT, like=R.erfinv),
    one(S.ndtr, X, like=R.ndtr),
    one(S.log_ndtr, np.array([-9.0, -4.0, -0.5, 1.0, 3.0]), like=R.log_ndtr),
    one(S.ndtri, between(0.05, 0.95, 4), like=R.ndtri),
    one(S.dawsn, X, like=R.dawsn),
    one(S.lgamma, np.array([-2.3, -0.6, 0.4, 2.2, 7.1]), like=R.gammaln),
    one(S.digamma, np.array([-0.6, 0.4, 2.2, 7.1]), like=R.digamma),
    one(S.polygamma_op, POSITIVE, like=lambda x: R.polygamma(1, x), n=1),
    one(S.polygamma_op, POSITIVE + 1, like=lambda x: R.polygamma(3, x), n=3),
    one(S.gammainc, POSITIVE, POSITIVE[::-1], like=R.gammainc, smooth=False),
    one(S.gammaincc, POSITIVE, POSITIVE[::-1], like=R.gammaincc, smooth=False),
    one(S.zeta, POSITIVE + 1.1, POSITIVE[::-1], like=R.zeta, smooth=False),
    one(S.betaln, POSITIVE, POSITIVE[:1], like=R.betaln),
    one(S.i0, FAR, like=R.i0),
    one(S.i1, FAR, like=R.i1),
    one(S.i0e, FAR[FAR != 0], like=R.i0e),
    one(S.i1e, FAR[FAR != 0], like=R.i1e),
    one(S.xlogy, X, POSITIVE, like=R.xlogy),
    one(S.xlogy, np.array([0.0, 0.0, 2.0]), np.array([0.0, 3.0, 0.5]), like=R.xlogy, smooth=False),
    one(S.xlog1py, X, POSITIVE, like=R.xlog1py),
    one(S.entr, POSITIVE, like=R.entr),
    one(S.logit_op, between(0.1, 0.9, 4), like=R.logit),
    one(S.sinc, np.array([-1.3, 0.0, 0.1, 0.24, 0.26, 2.0]), like=np.sinc),
    one(
        S.sinc_slope,
        np.array([-1.3, 0.1, 0.24, 0.26, 2.0]),
        like=lambda x: (np.cos(np.pi * x) - np.sinc(x)) / x,
    ),
    one(S._multigammaln, POSITIVE + 1, like=lambda x: R.multigammaln(x, 3), order=3),
]
