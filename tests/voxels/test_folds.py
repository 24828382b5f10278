"""Folding away empty stretches: there and back, and how much stays."""

import numpy as np
import pytest

from cellcarve.voxels.folds import fold

MARGIN, UNIT = 150.0, 1.5


@pytest.fixture
def sections():
    """Three sections of tissue: two side by side far apart, one far below."""
    rng = np.random.default_rng(2)
    corners = np.array([[100, 50], [9_000, 80], [500, 70_000]])
    return np.repeat(corners, 400, 0) + rng.uniform(0, 400, (1200, 2))


def test_the_way_back_leads_to_where_it_began(sections):
    x, y = sections.T
    folds = fold(x, y, MARGIN, UNIT)
    np.testing.assert_allclose(folds.place(*folds.along(x, y)), (x, y), atol=1e-9)


def test_little_stays_of_what_is_empty_but_never_less_than_two_margins(sections):
    x, y = sections.T
    u, v = fold(x, y, MARGIN, UNIT).along(x, y)
    for axis, folded in ((x, u), (y, v)):
        order = np.argsort(axis, kind="stable")
        before, after = np.diff(axis[order]), np.diff(folded[order])
        assert (after[before > 10 * MARGIN] >= 2 * MARGIN).all()
        assert (after < 5 * MARGIN).all()
        np.testing.assert_allclose(after[before < MARGIN], before[before < MARGIN])
        moved = (axis - folded) / UNIT
        np.testing.assert_allclose(moved, np.round(moved), atol=1e-6)
        assert moved.min() == pytest.approx(0)


def test_corners_of_voxels_up_to_a_margin_from_tissue_come_back_beside_it(sections):
    x, y = sections.T
    folds = fold(x, y, MARGIN, UNIT)
    for by in (-MARGIN, MARGIN):
        u, v = folds.along(x, y)
        back = folds.place(u + by, v + by)
        np.testing.assert_allclose(back, (x + by, y + by), atol=1e-9)


def test_one_piece_of_tissue_is_left_alone(sections):
    x, y = sections[:400].T
    assert fold(x, y, MARGIN, UNIT) is None
    assert fold(x, y * 2.5, MARGIN, UNIT) is None
