"""Outlines of voxels: exact, valid, without holes, and as a slow twin finds them."""

from itertools import pairwise

import numpy as np
import pytest
import shapely
from scipy import ndimage

from cellcarve.compat.proseg.outputs.columns import consensus, union
from cellcarve.compat.proseg.outputs.polygons import column_polygons, layer_polygons
from cellcarve.compat.proseg.outputs.trace import trace


def outline(mask):
    row, column = (part.astype(np.int32) for part in np.nonzero(mask))
    _, ring, corner = trace(np.array([0, len(row)]), row, column)
    return [shapely.Polygon(corner[a:b]) for a, b in pairwise(ring)]


def filled(mask):
    """Every piece (joined by sides) with what it encloses: the slow twin."""
    piece, pieces = ndimage.label(np.pad(mask, 1))
    whole = [ndimage.binary_fill_holes(piece == p) for p in range(1, pieces + 1)]
    return np.any(whole, axis=0)[1:-1, 1:-1]


def squares(mask):
    row, column = np.nonzero(mask)
    return shapely.union_all(shapely.box(column, row, column + 1, row + 1))


@pytest.mark.parametrize("share", [0.2, 0.4, 0.6, 0.8, 0.95])
def test_any_pattern_of_voxels(share):
    rng = np.random.default_rng(int(share * 100))
    for _ in range(150):
        mask = rng.random(rng.integers(1, 10, 2)) < share
        if not mask.any():
            continue
        rings = outline(mask)
        whole = shapely.MultiPolygon(rings)
        assert whole.is_valid, mask
        assert all(ring.exterior.is_ccw and not ring.interiors for ring in rings), mask
        assert whole.symmetric_difference(squares(filled(mask))).area == 0, mask


def test_straight_sides_have_no_corners_in_them():
    (ring,) = outline(np.ones((7, 3), bool))
    assert list(ring.exterior.coords) == [(0, 0), (3, 0), (3, 7), (0, 7), (0, 0)]


def test_voxels_that_touch_at_a_corner_are_two():
    assert len(outline(np.eye(2, dtype=bool))) == 2


def test_island_in_a_hole_is_left_out():
    mask = np.ones((5, 5), bool)
    mask[1:4, 1:4] = False
    mask[2, 2] = True
    (ring,) = outline(mask)
    assert ring.area == 25


def test_opening_at_a_corner_is_no_opening():
    mask = np.ones((3, 3), bool)
    mask[0, 0] = mask[1, 1] = False
    (ring,) = outline(mask)
    assert ring.area == 8


def test_groups_are_outlined_each_for_itself():
    row, column = np.array([0, 0, 0], np.int32), np.array([4, 4, 5], np.int32)
    group, ring, corner = trace(np.array([0, 1, 1, 3]), row, column)
    assert group.tolist() == [0, 2]
    assert corner[ring[1] : ring[2]].tolist() == [[4, 0], [6, 0], [6, 1], [4, 1], [4, 0]]


def test_layers_lie_where_their_voxels_are(chain, label):
    run, _ = chain
    cell, layer, shapes = layer_polygons(run)
    there = [(c, k) for c in range(1, len(run.names) + 1) for k in range(run.layers) if (label[k] == c).any()]
    assert [(c + 1, k) for c, k in zip(cell, layer, strict=True)] == there
    for (c, k), shape in zip(there, shapes, strict=True):
        scaled = shapely.transform(
            squares(filled(label[k] == c)), lambda p: p * run.voxel_size + (run.x0, run.y0)
        )
        assert shape.is_valid
        assert shape.symmetric_difference(scaled).area == pytest.approx(0, abs=1e-9)


def test_union_covers_every_layer(chain, label):
    run, _ = chain
    columns = union(run)
    for c in range(1, len(run.names) + 1):
        own = slice(columns.start[c - 1], columns.start[c])
        mask = (label == c).any(0)
        assert np.array_equal(
            np.column_stack(np.nonzero(mask)), np.column_stack([columns.row[own], columns.column[own]])
        )
        assert np.array_equal(columns.layers[own], (label == c).sum(0)[mask])
        held = run.voxel_cell == c
        assert columns.transcripts[own].sum() == run.voxel_count[held].sum()
        assert column_polygons(run, columns)[c - 1].area >= mask.sum() * run.voxel_size**2 - 1e-9


def elected(run, columns):
    """Who each column goes to, by the rule as it is told: the slow twin."""
    cell = np.repeat(np.arange(len(run.names)), np.diff(columns.start))
    centre = (run.centroid[:, :2] - (run.x0, run.y0)) / run.voxel_size - 0.5
    claims = {}
    for u in range(len(columns.row)):
        gap = np.hypot(columns.column[u] - centre[cell[u], 0], columns.row[u] - centre[cell[u], 1])
        claim = (-columns.layers[u], -columns.transcripts[u], gap, u)
        claims.setdefault((columns.row[u], columns.column[u]), []).append(claim)
    won = set()
    for place in claims.values():
        if 2 * -sum(claim[0] for claim in place) >= run.layers or any(claim[1] for claim in place):
            won.add(min(place)[3])
    return won, cell


def test_consensus_follows_its_rule_and_leaves_no_cell_without(chain):
    run, _ = chain
    columns = union(run)
    won, cell = elected(run, columns)
    agreed = consensus(run, columns)
    for c in range(len(run.names)):
        own = slice(agreed.start[c], agreed.start[c + 1])
        places = set(zip(agreed.row[own].tolist(), agreed.column[own].tolist(), strict=True))
        expected = {(int(columns.row[u]), int(columns.column[u])) for u in won if cell[u] == c}
        assert places == expected or (not expected and len(places) == 1)
    assert all(not shape.is_empty and shape.is_valid for shape in column_polygons(run, agreed))
