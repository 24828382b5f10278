"""Pieces of tissue moved together: there and back, and how much stays between them."""

import numpy as np
import pytest

from cellcarve.voxels.folds import fold

MARGIN, UNIT = 150.0, 1.6


@pytest.fixture
def sections():
    """A large section, two small ones far off, and one inside the bend of an L."""
    rng = np.random.default_rng(2)
    boxes = [
        *((0, 0, 3_000, 300), (0, 0, 300, 3_000), (1_500, 1_500, 400, 400)),
        *((20_000, 100, 500, 200), (700, 70_000, 200, 500)),
    ]
    number = np.repeat(np.arange(len(boxes)), 3_000)
    x, y, wide, high = np.array(boxes, float)[number].T
    piece = np.array([0, 0, 1, 2, 3])[number]
    return x + wide * rng.uniform(size=len(x)), y + high * rng.uniform(size=len(x)), piece


def test_the_way_back_leads_to_where_it_began(sections):
    x, y, _ = sections
    folds = fold(x, y, MARGIN, UNIT)
    for by in (0, -MARGIN, MARGIN):
        u, v = folds.along(x, y)
        np.testing.assert_allclose(folds.place(u + by, v - by), (x + by, y - by), atol=1e-9)


def test_a_piece_moves_as_one_and_by_whole_voxels(sections):
    x, y, piece = sections
    u, v = fold(x, y, MARGIN, UNIT).along(x, y)
    for moved in (x - u, y - v):
        for p in range(4):
            assert np.ptp(moved[piece == p]) < 1e-6
        np.testing.assert_allclose(moved / UNIT, np.round(moved / UNIT), atol=1e-6)


def test_pieces_stay_two_margins_apart_on_a_small_lattice(sections):
    from scipy.spatial import cKDTree

    x, y, piece = sections
    place = np.column_stack(fold(x, y, MARGIN, UNIT).along(x, y))
    for p in range(4):
        apart = cKDTree(place[piece == p]).query(place[piece != p])[0]
        assert apart.min() >= 2 * MARGIN
    assert np.prod(np.ptp(place, axis=0)) < 5e7
    assert np.ptp(x) * np.ptp(y) > 1e9


def test_one_piece_of_tissue_is_left_alone(sections):
    x, y, piece = sections
    assert fold(x[piece == 0], y[piece == 0], MARGIN, UNIT) is None
    assert fold(x[piece == 1], y[piece == 1], MARGIN, UNIT) is None


def test_what_is_larger_than_any_slide_is_left_alone():
    x = np.array([0.0, 1e9])
    assert fold(x, x, MARGIN, UNIT) is None
