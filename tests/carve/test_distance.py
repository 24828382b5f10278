"""Distances from nuclei against shortest paths in the same graph of 16 neighbours, and what is read off them."""

import numpy as np
import pytest
from scipy.ndimage import map_coordinates
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import dijkstra

from cellcarve.carve import distance
from cellcarve.carve.distance import FAR, Anchors, at, gaps_of, measure_distance, nearest_cells
from cellcarve.carve.lattice import Lattice, pixels_of

REACH = 8.0
LATTICE = Lattice(2.0, -10.0, 6.0, 12, 9)
FINE = (2 * LATTICE.ny, 2 * LATTICE.nx)
OFFSETS = range(-2, 3)
STEPS = [(dx, dy) for dx in OFFSETS for dy in OFFSETS if dx**2 + dy**2 in (1, 2, 5)]


def anchors_of(rng, cells, per_cell=4):
    """A few anchors for every cell but the last, close together and within the lattice."""
    x0, y0 = LATTICE.x0, LATTICE.y0
    x1, y1 = x0 + LATTICE.nx * LATTICE.pixel, y0 + LATTICE.ny * LATTICE.pixel
    middle = rng.uniform((x0, y0), (x1, y1), (cells - 1, 2))
    place = (middle[:, None] + rng.normal(0, 1, (cells - 1, per_cell, 2))).reshape(-1, 2)
    place = np.clip(place, (x0 + 0.01, y0 + 0.01), (x1 - 0.01, y1 - 0.01)).astype(np.float32)
    start = np.concatenate([[0], np.arange(cells) * per_cell, [(cells - 1) * per_cell]])
    return Anchors(place[:, 0], place[:, 1], start.astype(np.int32))


def shortest(cost, box, column, row, fine):
    """Dijkstra within a cell's box; anchors are linked to the four pixels around them."""
    x0, y0, nx, ny = box
    price = cost[y0 : y0 + ny, x0 : x0 + nx].astype(float)
    number = np.arange(nx * ny).reshape(ny, nx)
    tail, head, length = [], [], []
    for dx, dy in STEPS:
        for y in range(ny):
            for x in range(nx):
                if 0 <= x + dx < nx and 0 <= y + dy < ny:
                    tail.append(number[y, x])
                    head.append(number[y + dy, x + dx])
                    length.append(0.5 * fine * np.hypot(dx, dy) * (price[y, x] + price[y + dy, x + dx]))
    best = np.full((ny, nx), np.inf)
    for c, r in zip(column - x0, row - y0, strict=True):
        for y in (int(np.floor(r)), int(np.floor(r)) + 1):
            for x in (int(np.floor(c)), int(np.floor(c)) + 1):
                if 0 <= x < nx and 0 <= y < ny:
                    best[y, x] = min(best[y, x], np.hypot(c - x, r - y) * fine * price[y, x])
    source = np.flatnonzero(np.isfinite(best))
    tail += [nx * ny] * len(source)
    head += source.tolist()
    length += np.maximum(best.ravel()[source], 1e-12).tolist()
    graph = coo_matrix((length, (tail, head)), shape=(nx * ny + 1,) * 2).tocsr()
    found = dijkstra(graph, indices=nx * ny)[:-1]
    return np.where(found <= REACH, found, FAR)


def measured(cost, anchors):
    fields = measure_distance(LATTICE, cost, anchors, REACH)
    fine = LATTICE.pixel / 2
    column = (anchors.x - LATTICE.x0) / fine - 0.5
    row = (anchors.y - LATTICE.y0) / fine - 0.5
    for c in range(1, len(fields.box)):
        a, b = anchors.start[c], anchors.start[c + 1]
        if a == b:
            assert (fields.box[c] == 0).all()
            continue
        wanted = shortest(cost, fields.box[c], column[a:b], row[a:b], fine)
        yield fields.value[fields.start[c] : fields.start[c + 1]], wanted


@pytest.mark.parametrize("seed", range(4))
def test_even_price_gives_the_shortest_path(seed):
    anchors = anchors_of(np.random.default_rng(seed), 5)
    for found, wanted in measured(np.ones(FINE, np.float32), anchors):
        # On the verge of reach rounding decides.
        clear = np.abs(wanted - REACH) > 1e-3
        np.testing.assert_allclose(found[clear], wanted[clear], rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("seed", range(4))
def test_uneven_price_gives_nearly_the_shortest_path(seed):
    rng = np.random.default_rng(seed)
    cost = np.clip(rng.lognormal(0, 0.7, FINE), 0.1, 10).astype(np.float32)
    for found, wanted in measured(cost, anchors_of(rng, 5)):
        assert (found >= wanted - 1e-3).all()
        near = (wanted < REACH - 0.5) & (found < FAR)
        # Passes end once no place comes nearer by more than 0.1 µm: what is left over can add up to a little more.
        assert (found[near] - wanted[near]).max(initial=0) <= 0.2
        assert (found[wanted < REACH - 0.5] < FAR).all()


def test_a_wall_is_walked_around():
    cost = np.ones(FINE, np.float32)
    cost[:14, 12] = 10
    cost[:14, 13] = 10
    anchors = Anchors(
        np.array([-0.5], np.float32), np.array([9.5], np.float32), np.array([0, 0, 1], np.int32)
    )
    walled = measure_distance(LATTICE, cost, anchors, 30.0)
    free = measure_distance(LATTICE, np.ones(FINE, np.float32), anchors, 30.0)
    behind = (15 - walled.box[1, 0]) + walled.box[1, 2] * (3 - walled.box[1, 1])
    assert walled.value[behind] > free.value[behind] + 5


def test_distance_grows_with_the_price():
    anchors = anchors_of(np.random.default_rng(9), 3)
    cheap = measure_distance(LATTICE, np.full(FINE, 0.5, np.float32), anchors, REACH).value
    dear = measure_distance(LATTICE, np.full(FINE, 1.0, np.float32), anchors, REACH).value
    reached = dear < FAR
    np.testing.assert_allclose(dear[reached], 2 * cheap[reached], rtol=1e-5)
    assert (cheap < FAR).sum() > reached.sum()


def test_no_anchors_give_no_fields():
    none = Anchors(np.empty(0, np.float32), np.empty(0, np.float32), np.zeros(4, np.int32))
    fields = measure_distance(LATTICE, np.ones(FINE, np.float32), none, REACH)
    assert len(fields.value) == 0
    assert (fields.box == 0).all()


def test_at_is_bilinear_inside_and_far_outside():
    rng = np.random.default_rng(1)
    nx, ny = 6, 5
    field = rng.uniform(0, 10, nx * ny).astype(np.float32)
    place = rng.uniform((-2, -2), (nx + 1, ny + 1), (300, 2))
    for column, row in place:
        found = at(field, nx, ny, column, row)
        if 0 <= column < nx - 1 and 0 <= row < ny - 1:
            wanted = map_coordinates(field.reshape(ny, nx), [[row], [column]], order=1, output=float)[0]
            assert found == pytest.approx(wanted, abs=1e-5)
        else:
            assert found == FAR


def test_at_takes_the_nearest_known_corner_at_the_verge():
    field = np.array([2, FAR, 3, FAR], np.float32)
    assert at(field, 2, 2, 0.9, 0.5) == 2
    assert at(np.full(4, FAR, np.float32), 2, 2, 0.5, 0.5) == FAR


@pytest.mark.parametrize("seed", range(3))
def test_nearest_cells_and_gaps(seed):
    rng = np.random.default_rng(seed)
    anchors = anchors_of(rng, 8)
    fields = measure_distance(LATTICE, np.ones(FINE, np.float32), anchors, REACH)
    unit = rng.uniform(2, 5, 9).astype(np.float32)
    shift = rng.normal(0, 0.2, 9).astype(np.float32)
    limits = np.array([3, 3.0], np.float32)
    candidate, gap = nearest_cells(
        fields.box, fields.start, fields.value, unit, shift, LATTICE.nx, LATTICE.ny, limits
    )

    def gap_at(c, column, row):
        x0, y0, nx, ny = fields.box[c]
        field = fields.value[fields.start[c] : fields.start[c + 1]]
        return at(field, nx, ny, column - x0, row - y0) if nx else FAR

    for v in range(len(LATTICE)):
        y, x = divmod(v, LATTICE.nx)
        found = []
        for c in range(1, 9):
            g = gap_at(c, 2 * x + 0.5, 2 * y + 0.5)
            rho = 1 + g / unit[c] + shift[c]
            if g < 900 and rho <= 3:
                found.append((rho, c, g))
        found = sorted(found)[:3]
        assert candidate[v, : len(found)].tolist() == [c for _, c, _ in found]
        assert (candidate[v, len(found) :] == 0).all()
        np.testing.assert_allclose(gap[v, : len(found)], [g for _, _, g in found], atol=1e-5)
    column = rng.uniform(0, FINE[1] - 1, 50).astype(np.float32)
    row = rng.uniform(0, FINE[0] - 1, 50).astype(np.float32)
    fine = LATTICE.pixel / 2
    pixel = pixels_of(LATTICE, LATTICE.x0 + (column + 0.5) * fine, LATTICE.y0 + (row + 0.5) * fine)
    here = gaps_of(fields.box, fields.start, fields.value, candidate, pixel, column, row)
    for t in range(50):
        for k in range(3):
            c = candidate[pixel[t], k]
            assert here[t, k] == pytest.approx(gap_at(c, column[t], row[t]) if c else FAR, abs=1e-5)


def test_density_is_one_in_even_tissue_and_ignores_depth_of_sequencing():
    side = np.arange(-40, 40, 0.5) + 0.25
    x, y = (v.ravel() for v in np.meshgrid(side, side))
    lattice = Lattice(2.0, -40.0, -40.0, 40, 40)
    even = distance.density(lattice, x, y, 2.0)
    np.testing.assert_allclose(even, 1, atol=0.02)
    rng = np.random.default_rng(0)
    x, y = rng.normal(0, 12, (2, 4000)).clip(-39.9, 39.9)
    once = distance.density(lattice, x, y, 2.0)
    thrice = distance.density(lattice, np.tile(x, 3), np.tile(y, 3), 2.0)
    np.testing.assert_allclose(once, thrice, rtol=1e-3)


def test_price_of_valleys_and_ridges():
    relative = np.array([[0.01, 0.5, 1, 2, 100]], np.float32)
    np.testing.assert_allclose(distance.price(relative, 0.0), 1)
    valley, ridge = distance.price(relative, 1.0)[0], distance.price(relative, -1.0)[0]
    assert (np.diff(valley) < 0).all()
    assert (np.diff(ridge) > 0).all()
    np.testing.assert_allclose(valley[1:4], [2, 1, 0.5], rtol=1e-5)
    assert valley.max() <= 10
    assert valley.min() >= np.float32(0.1)
