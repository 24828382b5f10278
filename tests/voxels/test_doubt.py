"""What is left of chances when cells and borders are doubted."""

import numpy as np
import pytest

from cellcarve.voxels.doubt import CLEAR, SLOPE, log_odds, trust


def chances(seed=0):
    random = np.random.default_rng(seed)
    return random.beta(6, 1, 500).astype(np.float32), random.random(500) < 0.9


def test_doubt_keeps_the_order_and_adds_no_trust():
    chance, inside = chances()
    left = trust(chance, inside, 1.0)
    assert (left[~inside] == 1).all()
    assert (left[inside] < 1).all()
    order = np.argsort(chance[inside], kind="stable")
    assert (np.diff((chance * left)[inside][order]) >= 0).all()


def test_doubt_is_linear_in_log_odds():
    chance = np.full(4, 1 / (1 + np.exp(-CLEAR)))
    # With the usual mean nothing is left of the second term.
    left = trust(chance, np.ones(4, bool), 1.0)
    assert log_odds((chance * left)[0]) == pytest.approx(SLOPE * CLEAR, rel=1e-5)


def test_the_less_sure_a_tissue_is_the_more_is_doubted():
    chance, inside = chances()
    less = chance.copy()
    less[1:] **= 2
    inside[0] = True
    assert trust(less, inside, 1.0)[0] < trust(chance, inside, 1.0)[0]


def test_where_places_decide_there_is_no_doubt():
    chance, inside = chances()
    assert (trust(chance, inside, 0.0) == 1).all()
    half, whole = trust(chance, inside, 0.5), trust(chance, inside, 1.0)
    np.testing.assert_allclose(1 - half, (1 - whole) / 2, atol=1e-6)


def test_no_cell_at_all():
    assert (trust(np.full(3, 0.9), np.zeros(3, bool), 1.0) == 1).all()
