"""Cells that reach for their strays stay whole, and take from others only what these can spare."""

import numpy as np
import pytest
from scipy import ndimage
from scipy.spatial import cKDTree

from cellcarve.summarise.rings import lost, smooth_corners
from cellcarve.summarise.strays import COSTS, reach_out

SIDE, CELLS = 60, 12


def scene(seed):
    """Cells as places nearest to a centre within a disc, and transcripts a fifth of which belong to the next cell."""
    rng = np.random.default_rng(seed)
    label = np.zeros((SIDE, SIDE), np.int32)
    centre = rng.uniform(12, SIDE - 12, (CELLS, 2))
    pixel = np.stack(np.meshgrid(np.arange(SIDE), np.arange(SIDE), indexing="ij"), -1).reshape(-1, 2) + 0.5
    _, near = cKDTree(centre).query(pixel)
    inside = np.hypot(*(pixel - (SIDE / 2, SIDE / 2)).T) < SIDE / 2 - 4
    label.ravel()[inside] = near[inside] + 1
    place = rng.integers(3, SIDE - 3, (1500, 2))
    two = cKDTree(centre).query(place + 0.5, 2)[1] + 1
    code = np.where(rng.random(1500) < 0.2, two[:, 1], two[:, 0]).astype(np.int32)
    return label, place[:, 0] * SIDE + place[:, 1], code


def count(label, place, code):
    return np.bincount(code[label.ravel()[place] == code], minlength=CELLS + 1)


@pytest.mark.parametrize("seed", range(6))
def test_pixels_change_hands_within_bounds(seed):
    label, place, code = scene(seed)
    before = label.copy()
    held = count(label, place, code)
    start = held.copy()
    least = np.ceil(0.9 * np.bincount(code, minlength=CELLS + 1)).astype(np.int64)
    order = np.argsort(place, kind="stable").astype(np.int32)
    first = np.append(0, np.cumsum(np.bincount(place, minlength=SIDE * SIDE))).astype(np.int32)
    reach_out(label, (first, order, code), place, held, least, np.arange(len(code)), COSTS)
    np.testing.assert_array_equal(held, count(label, place, code))
    assert (label != before).any()
    # Whoever had enough still has; whoever had too little has no less.
    assert (held >= np.minimum(start, least)).all()
    assert held.sum() > start.sum()
    for cell in range(1, CELLS + 1):
        own = label == cell
        if not own.any():
            continue
        assert ndimage.label(own)[1] == ndimage.label(before == cell)[1]
        outside = ndimage.label(~own, np.ones((3, 3)))[1]
        assert outside == ndimage.label(before != cell, np.ones((3, 3)))[1]
    assert not label[0].any()
    assert not label[:, -1].any()


def test_transcripts_outside_smoothed_outlines(tools):
    """Against polygons of the moved pixels."""
    import shapely

    label, place, code = scene(1)
    move, _ = smooth_corners(label, 0, np.zeros((SIDE + 1, SIDE + 1), bool))
    rng = np.random.default_rng(0)
    v, u = np.array(np.divmod(place, SIDE)) + rng.random((2, len(place)))
    corner = np.stack(np.meshgrid(np.arange(SIDE + 1), np.arange(SIDE + 1)), -1) + move
    found = lost(label, move, u, v, code)
    assert found.any()
    assert not lost(label, 0 * move, u, v, code).any()
    for cell in range(1, CELLS + 1):
        i, j = np.nonzero(label == cell)
        quads = np.stack([corner[i, j], corner[i, j + 1], corner[i + 1, j + 1], corner[i + 1, j]], 1)
        shape = shapely.union_all(shapely.buffer(shapely.polygons(quads), 1e-7))
        own = (code == cell) & (label.ravel()[place] == cell)
        outside = ~shapely.contains_xy(shape, u[own], v[own])
        assert (outside == found[own]).mean() > 0.999


def test_pinned_corners_stay():
    label, *_ = scene(2)
    pinned = np.zeros((SIDE + 1, SIDE + 1), bool)
    pinned[20:40] = True
    move, _ = smooth_corners(label, 0, pinned)
    assert not move[20:40].any()
    assert move[:20].any()
