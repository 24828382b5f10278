"""What is left of chances when cells and borders are doubted."""

import numpy as np
import pytest

from cellcarve.voxels.doubt import BLURRIEST, CLEAR, SAY, SLOPE, USUAL, log_odds, trust


def chances(seed=0):
    random = np.random.default_rng(seed)
    return random.beta(6, 1, 500).astype(np.float32), random.random(500) < 0.9


def test_doubt_keeps_the_order_and_adds_no_trust():
    chance, inside = chances()
    left = trust(chance, inside, 1.0)
    assert (left[~inside] == 1).all()
    assert (left[inside] < 1).all()
    order = np.argsort(chance[inside], kind="stable")
    # Beyond the margin all are as sure, but for the last digit.
    assert (np.diff((chance * left)[inside][order]) >= -1e-6).all()


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
    np.testing.assert_allclose(1 - half, (1 - whole) / 2**SAY, atol=1e-6)


def test_doubt_has_an_end():
    inside = np.ones(500, bool)
    dim, dimmer = (trust(np.full(500, c, np.float32), inside, 1.0) * np.float32(c) for c in (0.6, 0.5))
    floor = USUAL * (BLURRIEST - CLEAR)
    for c, found in ((0.6, dim), (0.5, dimmer)):
        assert log_odds(found[0]) == pytest.approx(SLOPE * log_odds(np.float32(c)) + floor, abs=1e-3)


def test_no_cell_at_all():
    assert (trust(np.full(3, 0.9), np.zeros(3, bool), 1.0) == 1).all()
