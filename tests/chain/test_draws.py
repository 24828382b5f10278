import numpy as np
import pytest
from numba import njit
from scipy import stats

from cellcarve.chain.draws import GAMMA_STEP, gamma


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
