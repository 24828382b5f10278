import numpy as np
import pytest

from cellcarve.mixture.trust import trust


def test_order_of_shares_is_kept_and_none_is_sure():
    share = np.linspace(0.02, 1, 50, dtype=np.float32)
    found = trust(share, np.ones(50, bool), 50, 1.0)
    assert (np.diff(found) > 0).all()
    assert found.max() < share.max()
    assert found.min() > 0


def test_more_rounds_say_more():
    share, inside = np.array([1.0, 0.6], np.float32), np.ones(2, bool)
    few, many = (trust(share, inside, rounds, 1.0)[0] for rounds in (5, 500))
    assert few < many


@pytest.mark.parametrize("inside", [np.zeros(3, bool), np.array([True, False, False])])
def test_no_cell_has_no_probability(inside):
    found = trust(np.full(3, 0.7, np.float32), inside, 10, 1.0)
    assert (found[~inside] == 0).all()
    assert (found[inside] > 0).all()
    assert found.dtype == np.float32


def test_nothing_to_trust():
    assert len(trust(np.empty(0, np.float32), np.empty(0, bool), 50, 1.0)) == 0


def test_what_counts_is_how_distinct_cells_are():
    share, inside = np.full(100, 0.95, np.float32), np.ones(100, bool)
    blurred, clear = (trust(share, inside, 50, distinct)[0] for distinct in (0.1, 2.0))
    assert blurred < 0.5 < 0.9 < clear
