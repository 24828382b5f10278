"""Outlines against shapely: one valid ring per cell, whatever its transcripts."""

import numpy as np
import pytest
import shapely
from scipy.spatial import ConvexHull, Delaunay

from cellcarve.mixture.outlines import layer_edges, outline, outline_slices
from cellcarve.mixture.triangles import triangulate


def polygons(rings):
    spans = zip(rings.start[:-1], rings.start[1:], strict=True)
    return [shapely.Polygon(np.column_stack([rings.x[a:b], rings.y[a:b]])) for a, b in spans]


def check(rings, cells):
    """Every cell has a closed, simple, counter-clockwise ring with an area."""
    assert rings.cell.tolist() == cells
    for a, b, shape in zip(rings.start[:-1], rings.start[1:], polygons(rings), strict=True):
        assert b - a >= 4
        assert (rings.x[a], rings.y[a]) == (rings.x[b - 1], rings.y[b - 1])
        assert shape.is_valid
        assert shape.area > 0
        assert shape.exterior.is_ccw


def test_triangles_are_those_of_scipy():
    at = np.random.default_rng(0).uniform(0, 10, (60, 2))
    found = {tuple(sorted(t)) for t in triangulate(*at.T).tolist()}
    expected = {tuple(sorted(t)) for t in Delaunay(at).simplices.tolist()}
    assert len(found ^ expected) <= 2
    assert len(found & expected) > 90


@pytest.mark.parametrize("turn", [0.0, 0.3])
@pytest.mark.parametrize("radius", [1.5, 7, 17])
def test_points_on_a_lattice_are_triangulated_without_gaps(turn, radius):
    """Four on a circle and three in a line, everywhere: the triangles still cover the hull, each place once."""
    row, column = (v.ravel() for v in np.mgrid[-20:21, -20:21].astype(float))
    inside = np.hypot(row, column) <= radius
    x, y = row[inside], column[inside]
    at = np.column_stack([x * np.cos(turn) - y * np.sin(turn), x * np.sin(turn) + y * np.cos(turn)])
    corner = triangulate(*at.T)
    shapes = shapely.polygons(at[corner])
    assert shapely.area(shapes).sum() == pytest.approx(ConvexHull(at).volume)
    assert shapely.union_all(shapes).area == pytest.approx(ConvexHull(at).volume)
    assert set(corner.ravel()) == set(range(len(at)))


def test_cells_of_bins_have_rings(kit):
    """Transcripts at whole numbers, many to a bin, as in Stereo-seq."""
    rng = np.random.default_rng(2)
    at = np.rint(rng.uniform(0, 60, (6000, 2)))
    cell = (1 + (at[:, 0] // 20) + 3 * (at[:, 1] // 20)).astype(np.int32)
    cell[rng.random(len(cell)) < 0.1] = 0
    rings = outline(kit.points(*at.T), cell, 1.0)
    check(rings, np.unique(cell[cell > 0]).tolist())
    areas = {k: shape.area for k, shape in zip(rings.cell.tolist(), polygons(rings), strict=True)}
    assert 0.6 * 19**2 < areas[1] <= 19**2


def test_every_cell_has_a_ring_that_holds_its_own_transcripts(kit):
    field = kit.field(seed=4)
    rings = outline(kit.points(field.table.x, field.table.y), field.cell, 0.5, 2)
    check(rings, list(range(1, 26)))
    for k, shape in zip(rings.cell, polygons(rings), strict=True):
        own = np.column_stack([field.table.x, field.table.y])[field.cell == k].astype(np.float64)
        inside = shapely.covers(shape.buffer(1e-3), shapely.points(own))
        assert inside.mean() > 0.95


def test_a_cell_bends_around_another(kit):
    rng = np.random.default_rng(1)
    at = rng.uniform(-10, 10, (1500, 2))
    inner = (np.abs(at[:, 0]) < 4) & (at[:, 1] > -3)
    rings = outline(kit.points(*at.T), np.where(inner, 2, 1).astype(np.int32), 0.5)
    check(rings, [1, 2])
    horse, stone = polygons(rings)
    assert horse.intersection(stone).area < 0.15 * stone.area
    assert horse.area < 0.85 * horse.convex_hull.area


def test_few_transcripts_and_lines_have_thin_rings(kit):
    x = [0, 5, 6, 10, 11, 12, 20, 20, 20]
    y = [0, 0, 1, 3, 3, 3, 7, 7, 7]
    cell = np.array([1, 2, 2, 3, 3, 3, 4, 4, 4], np.int32)
    rings = outline(kit.points(x, y), cell, 1.0)
    check(rings, [1, 2, 3, 4])
    assert np.diff(rings.start).tolist() == [5, 5, 5, 5]
    assert shapely.hausdorff_distance(polygons(rings)[2], shapely.LineString([(10, 3), (12, 3)])) < 0.05


def test_a_hundred_lonely_transcripts(kit):
    at = np.random.default_rng(0).uniform(0, 100, (100, 2))
    check(outline(kit.points(*at.T), np.arange(1, 101, dtype=np.int32), 1.0), list(range(1, 101)))


def test_noise_alone_has_no_ring(kit):
    rings = outline(kit.points([0, 1], [0, 1]), np.zeros(2, np.int32), 1.0)
    assert len(rings.cell) == 0
    assert rings.start.tolist() == [0]


@pytest.mark.parametrize("threads", [2, 4])
def test_rings_do_not_depend_on_threads(kit, threads):
    field = kit.field(seed=4)
    at = kit.points(field.table.x, field.table.y)
    one, many = (outline(at, field.cell, 0.5, t) for t in (1, threads))
    assert np.array_equal(one.x, many.x)
    assert np.array_equal(one.start, many.start)


def test_three_values_of_z_are_three_layers_and_fifty_are_ten(kit):
    field = kit.field(seed=4, side=3)
    at = kit.points(field.table.x, field.table.y)
    z = np.random.default_rng(0).integers(0, 3, len(field.cell)).astype(np.float32)
    slices = outline_slices(at, z, field.cell, 0.5)
    assert [s.label for s in slices] == ["0.0", "1.0", "2.0"]
    for layer, value in zip(slices, (0, 1, 2), strict=True):
        check(layer.rings, np.unique(field.cell[(z == value) & (field.cell > 0)]).tolist())
    labels, bounds = layer_edges(np.random.default_rng(0).permutation(np.repeat(np.arange(50.0), 20)))
    assert len(labels) == 10
    assert bounds[0][0] == -np.inf
    assert bounds[-1][1] == np.inf
