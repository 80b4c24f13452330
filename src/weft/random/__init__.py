"""Random numbers, NumPy's distributions over counter-based streams: the same seed gives the same numbers anywhere."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from weft.random.generator import Generator, Stream, generator, hashed, key, seed, using, wrap_key


def _of_default(method: Callable[..., Any]) -> Callable[..., Any]:
    """A method of generators as a function that draws from the one in force."""

    @functools.wraps(method)
    def draw(*args: Any, **kwargs: Any) -> Any:
        return method(generator(), *args, **kwargs)

    signature = inspect.signature(method)
    draw.__signature__ = signature.replace(parameters=list(signature.parameters.values())[1:])  # type: ignore[attr-defined]
    return draw


bernoulli = _of_default(Generator.bernoulli)
beta = _of_default(Generator.beta)
binomial = _of_default(Generator.binomial)
categorical = _of_default(Generator.categorical)
cauchy = _of_default(Generator.cauchy)
chisquare = _of_default(Generator.chisquare)
choice = _of_default(Generator.choice)
dirichlet = _of_default(Generator.dirichlet)
exponential = _of_default(Generator.exponential)
gamma = _of_default(Generator.gamma)
geometric = _of_default(Generator.geometric)
gumbel = _of_default(Generator.gumbel)
integers = _of_default(Generator.integers)
laplace = _of_default(Generator.laplace)
logistic = _of_default(Generator.logistic)
lognormal = _of_default(Generator.lognormal)
multivariate_normal = _of_default(Generator.multivariate_normal)
normal = _of_default(Generator.normal)
permutation = _of_default(Generator.permutation)
poisson = _of_default(Generator.poisson)
standard_t = _of_default(Generator.standard_t)
truncated_normal = _of_default(Generator.truncated_normal)
uniform = _of_default(Generator.uniform)

__all__ = [
    "Generator",
    "Stream",
    "bernoulli",
    "beta",
    "binomial",
    "categorical",
    "cauchy",
    "chisquare",
    "choice",
    "dirichlet",
    "exponential",
    "gamma",
    "generator",
    "geometric",
    "gumbel",
    "hashed",
    "integers",
    "key",
    "laplace",
    "logistic",
    "lognormal",
    "multivariate_normal",
    "normal",
    "permutation",
    "poisson",
    "seed",
    "standard_t",
    "truncated_normal",
    "uniform",
    "using",
    "wrap_key",
]
