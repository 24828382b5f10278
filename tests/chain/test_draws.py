import numpy as np
import pytest
from numba import njit
from scipy import stats

from cellcarve.chain.draws import GAMMA_STEP, TAIL, beyond_tail, gamma, layered_normal
from cellcarve.chain.philox import words


@njit
def _gammas(shape, n):
    out = np.empty(n)
    for i in range(n):
        out[i] = gamma(shape, 5, 1, 2, i, 3 * GAMMA_STEP)
    return out


@pytest.mark.parametrize("shape", [0.05, 0.4, 1.0, 2.5, 60.0])
def test_gamma_numbers_follow_their_law(shape):
    drawn = _gammas(shape, 20_000)
    assert stats.kstest(drawn, "gamma", (shape,)).pvalue > 1e-3


def test_gamma_of_a_tiny_shape_is_a_number():
    drawn = _gammas(2e-4, 1000)
    assert np.all(np.isfinite(drawn))
    assert np.all(drawn >= 0)


@njit
def _normals(n):
    out = np.empty(n)
    for i in range(n):
        a, b, _, _ = words(3, 1, 2, i, 0)
        out[i] = layered_normal(a, b)
    return out


def test_layered_numbers_are_normal_up_to_the_tail_and_as_often_beyond_as_they_should():
    drawn = _normals(1_000_000)
    drawn = drawn[~np.isnan(drawn)]
    assert len(drawn) > 980_000
    beyond = np.isinf(drawn)
    expected = 2 * stats.norm.sf(TAIL) * len(drawn)
    assert abs(beyond.sum() - expected) < 5 * np.sqrt(expected)
    share = stats.norm.cdf(TAIL) - stats.norm.cdf(-TAIL)
    inside = (stats.norm.cdf(drawn[~beyond]) - stats.norm.cdf(-TAIL)) / share
    assert stats.kstest(inside, "uniform").pvalue > 1e-3


def test_numbers_beyond_the_tail_follow_its_law():
    drawn = np.array([beyond_tail(3, 1, 2, i, 0) for i in range(5000)])
    assert drawn.min() >= TAIL
    assert stats.kstest(stats.norm.sf(drawn) / stats.norm.sf(TAIL), "uniform").pvalue > 1e-3
