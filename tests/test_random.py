"""Random numbers: the right distributions (Kolmogorov–Smirnov), independent streams, the same bits everywhere."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import scipy.stats

import weft as wf
from weft import random
from weft.errors import ArgumentError
from weft.nn import functional as F

N = 4000
CONTINUOUS: dict[str, tuple[Any, Any]] = {
    "uniform": (lambda g: g.uniform(N, low=-1.0, high=3.0), scipy.stats.uniform(-1, 4)),
    "normal": (lambda g: g.normal(N, mean=2.0, std=0.5), scipy.stats.norm(2, 0.5)),
    "exponential": (lambda g: g.exponential(N, scale=2.0), scipy.stats.expon(scale=2)),
    "laplace": (lambda g: g.laplace(N, mean=1.0, scale=0.5), scipy.stats.laplace(1, 0.5)),
    "gumbel": (lambda g: g.gumbel(N), scipy.stats.gumbel_r()),
    "logistic": (lambda g: g.logistic(N, mean=1.0, scale=2.0), scipy.stats.logistic(1, 2)),
    "cauchy": (lambda g: g.cauchy(N), scipy.stats.cauchy()),
    "lognormal": (lambda g: g.lognormal(N, mean=0.5, std=0.3), scipy.stats.lognorm(0.3, scale=np.exp(0.5))),
    "truncated_normal": (lambda g: g.truncated_normal(N, low=-1.0, high=2.0), scipy.stats.truncnorm(-1, 2)),
    "gamma": (lambda g: g.gamma(2.5, N, scale=2.0), scipy.stats.gamma(2.5, scale=2)),
    "chisquare": (lambda g: g.chisquare(3.0, N), scipy.stats.chi2(3)),
    "standard_t": (lambda g: g.standard_t(4.0, N), scipy.stats.t(4)),
    "beta": (lambda g: g.beta(2.0, 0.5, N), scipy.stats.beta(2, 0.5)),
    "dirichlet": (lambda g: g.dirichlet([1.0, 2.0, 3.0], N)[:, 1], scipy.stats.beta(2, 4)),
}
DISCRETE: dict[str, tuple[Any, Any]] = {
    "bernoulli": (lambda g: g.bernoulli(0.3, N).astype(wf.int64), scipy.stats.bernoulli(0.3)),
    "integers": (lambda g: g.integers(2, 9, N), scipy.stats.randint(2, 9)),
    "poisson": (lambda g: g.poisson(3.0, N), scipy.stats.poisson(3)),
    "binomial": (lambda g: g.binomial(10, 0.3, N), scipy.stats.binom(10, 0.3)),
    "geometric": (lambda g: g.geometric(0.4, N), scipy.stats.geom(0.4)),
    "categorical": (
        lambda g: g.categorical(wf.log(wf.tensor([0.2, 0.5, 0.3])), N),
        scipy.stats.rv_discrete(values=([0, 1, 2], [0.2, 0.5, 0.3])),
    ),
    "choice": (
        lambda g: g.choice(wf.tensor([0, 1, 2]), N, p=[0.2, 0.5, 0.3]),
        scipy.stats.rv_discrete(values=([0, 1, 2], [0.2, 0.5, 0.3])),
    ),
}


@pytest.mark.parametrize("name", CONTINUOUS)
def test_continuous(name: str):
    draw, expected = CONTINUOUS[name]
    found = draw(random.Generator(3)).numpy()
    assert found.dtype == np.float32
    assert scipy.stats.kstest(found, expected.cdf).pvalue > 1e-3


@pytest.mark.parametrize("name", DISCRETE)
def test_discrete(name: str):
    draw, expected = DISCRETE[name]
    values, counts = np.unique(draw(random.Generator(5)).numpy(), return_counts=True)
    often = expected.pmf(values) * N > 5
    rest = N - counts[often].sum()
    expectation = expected.pmf(values[often]) * N
    observed = np.append(counts[often], rest)
    chi2 = ((observed - np.append(expectation, N - expectation.sum())) ** 2)[:-1] / expectation
    assert scipy.stats.chi2.sf(chi2.sum(), len(chi2)) > 1e-3


def test_multivariate_normal():
    covariance = np.array([[2.0, 0.6], [0.6, 0.5]])
    found = random.Generator(1).multivariate_normal([1.0, -1.0], covariance, N).numpy()
    np.testing.assert_allclose(found.mean(0), [1, -1], atol=0.1)
    np.testing.assert_allclose(np.cov(found.T), covariance, atol=0.15)


def test_choice_without_putting_back_and_permutation():
    g = random.Generator(2)
    assert sorted(g.choice(10, 10, replace=False).tolist()) == list(range(10))
    first = [g.choice(4, 1, replace=False, p=[0.1, 0.2, 0.3, 0.4]).item() for _ in range(200)]
    assert abs(np.mean(np.array(first) == 3) - 0.4) < 0.15
    rows = wf.tensor([[1, 2], [3, 4], [5, 6]])
    assert sorted(g.permutation(rows).tolist()) == rows.tolist()


def test_parameters_may_be_tensors_and_pass_gradients():
    mean = wf.tensor([0.0, 10.0], requires_grad=True)
    drawn = random.Generator(0).normal((5, 2), mean=mean, std=2.0)
    assert drawn.shape == (5, 2)
    assert wf.gradients(drawn.sum(), mean).tolist() == [5.0, 5.0]
    assert random.Generator(0).poisson(wf.tensor([1.0, 50.0]), (3, 2)).shape == (3, 2)


@pytest.mark.parametrize("draw", [lambda g, p: g.normal(mean=p), lambda g, p: g.poisson(p), lambda g, p: g.gamma(p)])
def test_lists_are_parameters_for_numbers_of_their_own(draw: Any):
    many = draw(random.Generator(0), [3.0] * 50)
    assert many.shape == (50,)
    assert many.dtype in (wf.float32, wf.int64)
    assert len(set(many.tolist())) > 4


def test_each_covariance_of_many_has_vectors_of_its_own():
    found = random.Generator(1).multivariate_normal([0.0, 0.0], np.broadcast_to(np.eye(2), (3, 2, 2)), 4)
    assert found.shape == (4, 3, 2)
    assert len(set(found.numpy().ravel().tolist())) == 24


def test_small_weights_give_numbers():
    g = random.Generator(0)
    found = np.stack([g.beta(0.01, 0.01, N).numpy(), g.dirichlet([0.01] * 2, N).numpy()[:, 0]])
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found.mean(axis=1), 0.5, atol=0.03)
    assert ((found < 0.01) | (found > 0.99)).mean() > 0.9


def test_float32_does_not_round_the_number_of_trials():
    n = 2**24 + 1
    assert random.binomial(n, 1.0).item() == n


def test_narrow_types_have_logarithms_of_their_own():
    found = random.Generator(0).gumbel(1000, dtype=wf.bfloat16)
    assert found.dtype is wf.bfloat16
    assert np.isfinite(found.astype("float32").numpy()).all()


def test_seeds_are_whole_numbers_and_their_sign_counts():
    assert random.Generator(-1).integers(0, 1 << 40).item() != random.Generator(1).integers(0, 1 << 40).item()
    assert random.Generator(np.int64(7)).next_words().tolist() == random.Generator(7).next_words().tolist()
    for wrong in (1.5, None):
        with pytest.raises(ArgumentError, match="a whole number"):
            random.seed(wrong)  # type: ignore[arg-type]


def test_threads_never_share_a_key():
    g = random.Generator(0)
    with ThreadPoolExecutor(4) as pool:
        counts = list(pool.map(lambda _: int(g.next_words()[1]), range(2000)))
    assert sorted(counts) == list(range(2000))


def test_what_is_no_key_is_refused_where_it_is_written():
    with pytest.raises(ArgumentError, match="as a key of random numbers"):
        F.dropout(wf.ones(3), 0.5, True)


def test_streams_are_uncorrelated():
    """Streams of neighbouring seeds, and neighbouring draws of a stream, as if from one long sequence."""
    rows = [random.Generator(seed).normal(1000).numpy() for seed in range(40)]
    g = random.Generator(0)
    rows += [g.normal(1000).numpy() for _ in range(40)]
    correlations = np.corrcoef(np.array(rows[1:]))[np.triu_indices(79, 1)]
    # z = r √n is standard normal for independent rows: its spread and its extremes say whether they are.
    z = correlations * np.sqrt(1000)
    assert 0.9 < z.std() < 1.1
    assert np.abs(z).max() < 5.5
    counts = np.array([random.Generator(seed).integers(0, 10, 100).numpy() for seed in range(50)]).ravel()
    assert scipy.stats.chisquare(np.bincount(counts)).pvalue > 1e-3


def test_the_same_seed_gives_the_same_bits_on_every_device():
    drawn = []
    for device in wf.devices("cpu"):
        with wf.device(device):
            g = random.Generator(11)
            drawn.append(
                [g.uniform(7).numpy(), g.normal(7).numpy(), g.integers(0, 99, 7).numpy(), g.gamma(0.5, 7).numpy()]
            )
    assert len(drawn) > 1
    for other in drawn[1:]:
        for a, b in zip(drawn[0], other, strict=True):
            np.testing.assert_array_equal(a, b)


def test_known_bits():
    """These seeds give these numbers, today and in every later version."""
    assert random.Generator(0).integers(0, 1000, 5).tolist() == [234, 680, 792, 850, 604]
    assert random.Generator(7).uniform(2).tolist() == [0.045667290687561035, 0.7861860990524292]


@pytest.mark.parametrize("draw", [random.uniform, random.normal, random.gumbel, random.logistic])
def test_whole_numbers_are_no_continuous_ones(draw: Any):
    with pytest.raises(TypeError, match="a floating type"):
        draw(3, dtype=wf.int32)


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda: random.exponential(3, scale=-1.0), "scale > 0"),
        (lambda: random.bernoulli(1.5), "0 ≤ p ≤ 1"),
        (lambda: random.integers(3, 3), "low < high"),
        (lambda: random.choice(3, 4, replace=False), "at most as many"),
        (lambda: random.choice(3, 4, p=[0.5, 0.5]), r"\(3,\)"),
        (lambda: random.normal(3, std=-1.0), "std ≥ 0"),
        (lambda: random.truncated_normal(3, low=2.0, high=1.0), "low < high"),
        (lambda: random.gamma(0.0), "a > 0"),
        (lambda: random.multivariate_normal([0.0, 0.0], [[1.0]]), r"\(2, 2\)"),
        (lambda: random.gamma(np.array([-1.0, 2.0])), "a > 0"),
        (lambda: random.bernoulli([0.2, 1.8]), "0 ≤ p ≤ 1"),
        (lambda: random.dirichlet([0.5, -1.0]), "alpha > 0"),
        (lambda: random.geometric(0.0), "0 < p ≤ 1"),
        (lambda: random.binomial(2.5, 0.5), "n ≥ 0"),
        (lambda: random.binomial(-5, 0.5), "n ≥ 0"),
        (lambda: random.choice(0), "at least 1"),
        (lambda: random.choice(3, 2, replace=False, p=[1, 0, 0]), "at most as many"),
        (lambda: random.choice(3, p=[-1, 2, 0]), "p ≥ 0"),
        (lambda: random.choice(3, p=np.float32([0.5, 0.2, 0.2])), "whose sum is 1"),
    ],
)
def test_parameters_out_of_range_are_refused(draw: Any, message: str):
    with pytest.raises(ValueError, match=message):
        draw()
