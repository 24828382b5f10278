"""Points in polygons, beside a slow twin."""

import itertools

import numpy as np
import pytest
import shapely

from cellcarve.data.rings import ring_areas
from cellcarve.priors.inside import polygon_of


def stars(rng, count, size):
    """Star-shaped rings, some of them thin, some partly outside of the field; vertices and starts."""
    rings = []
    for _ in range(count):
        angle = np.sort(rng.uniform(0, 2 * np.pi, rng.integers(3, 20)))
        radius, centre = rng.uniform(2, 15, len(angle)), rng.uniform(0, size, 2)
        rings.append(
            np.column_stack([centre[0] + radius * np.cos(angle), centre[1] + radius * np.sin(angle)])
        )
    start = np.cumsum([0] + [len(ring) for ring in rings])
    return np.concatenate(rings), start


def slow(x, y, ring, start):
    """Polygon by polygon with shapely, the smallest last."""
    shapes = [shapely.Polygon(ring[a:b]) for a, b in itertools.pairwise(start)]
    owner = np.full(len(x), -1)
    for p in np.argsort([-shape.area for shape in shapes], kind="stable"):
        shapely.prepare(shapes[p])
        owner[shapely.contains_xy(shapes[p], x.astype(float), y.astype(float))] = p
    return owner


@pytest.mark.parametrize("shift", [0, -300, 20_000])
def test_as_shapely_sees_it(shift):
    rng = np.random.default_rng(5)
    ring, start = stars(rng, 60, 100)
    x, y = rng.uniform(0, 100, (2, 5000)).astype(np.float32) + np.float32(shift)
    ring = ring + shift
    found = polygon_of(x, y, *np.ascontiguousarray(ring.T), start)
    simple = np.array([shapely.Polygon(ring[a:b]).is_valid for a, b in itertools.pairwise(start)])
    assert simple.all()
    assert (found == slow(x, y, ring, start)).all()
    assert (found >= 0).mean() > 0.3


def test_points_far_apart_cost_no_memory():
    x = np.array([0, 1e7, 5], np.float32)
    y = np.array([0, 1e7, 5], np.float32)
    ring_x, ring_y = np.array([4.0, 6, 6, 4]), np.array([4.0, 4, 6, 6])
    assert polygon_of(x, y, ring_x, ring_y, np.array([0, 4])).tolist() == [-1, -1, 0]


@pytest.mark.parametrize("vertices", [0, 1, 2])
def test_rings_without_area_hold_nothing(vertices):
    x = np.array([0.5], np.float32)
    ring = np.full(vertices, 0.5)
    assert polygon_of(x, x, ring, ring, np.array([0, vertices])).tolist() == [-1]


def test_nothing_in_nothing():
    none = np.empty(0)
    assert (
        len(polygon_of(none.astype(np.float32), none.astype(np.float32), none, none, np.zeros(1, int))) == 0
    )
    assert (
        polygon_of(np.ones(2, np.float32), np.ones(2, np.float32), none, none, np.zeros(1, int)).max() == -1
    )


def test_areas_far_from_the_origin():
    ring, start = stars(np.random.default_rng(7), 20, 50)
    expected = [shapely.Polygon(ring[a:b]).area for a, b in itertools.pairwise(start)]
    for shift in (0.0, 1e6):
        moved = np.ascontiguousarray((ring + shift).T)
        assert ring_areas(*moved, start) == pytest.approx(np.array(expected), rel=1e-6)
