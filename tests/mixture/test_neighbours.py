"""Nearest neighbours and the molecule graph against SciPy."""

import numpy as np
import pytest
from scipy.spatial import Delaunay, cKDTree

from cellcarve.mixture import delaunay
from cellcarve.mixture.graph import FULL, adjacency, build_graph, usual_distance, weigh
from cellcarve.mixture.molecules import arrange, morton
from cellcarve.mixture.near import distance_to, lay_grid, nearest, nearest_of


def scattered(seed, n, deep=False):
    rng = np.random.default_rng(seed)
    at = rng.normal(0, 20, (n, 3 if deep else 2))
    at[: n // 5] += 300
    return at.astype(np.float32)


@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize("k", [1, 5, 12])
def test_nearest_are_those_of_a_tree(kit, deep, k):
    at = scattered(3, 400, deep)
    grid_points = kit.points(*at.T)
    grid = lay_grid(grid_points)
    index, squared = nearest(grid_points, grid, k, 0, len(at))
    distance, _ = cKDTree(at.astype(np.float64)).query(at, k + 1)
    assert np.allclose(np.sqrt(squared), distance[:, 1:], rtol=1e-4)
    assert np.allclose(distance_to(grid_points, grid, k, 2), distance[:, -1], rtol=1e-4)
    assert all(i not in row for i, row in enumerate(index))


def test_places_off_the_grid_find_their_nearest_too(kit):
    at = scattered(5, 300)
    queries = np.random.default_rng(1).uniform(-200, 500, (200, 2)).astype(np.float32)
    _, distance = nearest_of(kit.points(*at.T), kit.points(*queries.T), 2)
    assert np.allclose(distance, cKDTree(at).query(queries, 2)[0], rtol=1e-4)


def test_fewer_points_than_neighbours_leave_gaps(kit):
    few = kit.points([0, 1, 5], [0, 0, 0])
    index, _ = nearest(few, lay_grid(few), 5, 0, 3)
    assert index[:, 2:].max() == -1
    assert np.allclose(distance_to(few, lay_grid(few), 5, 1), [5, 4, 5])


def edges_of_scipy(at, furthest):
    """Delaunay edges of triangles whose circle is no wider than `furthest`."""
    corner = Delaunay(at.astype(np.float64)).simplices
    a, b, c = (at[corner[:, s]].astype(np.float64) for s in range(3))
    sides = [np.linalg.norm(u - v, axis=1) for u, v in ((a, b), (b, c), (c, a))]
    (ux, uy), (vx, vy) = (b - a).T, (c - a).T
    area = np.abs(ux * vy - uy * vx) / 2
    small = np.prod(sides, axis=0) / (4 * area) <= furthest
    return {tuple(sorted((t[i], t[j]))) for t in corner[small].tolist() for i, j in ((0, 1), (1, 2), (0, 2))}


@pytest.mark.parametrize("per_tile", [10_000, 150])
def test_edges_are_those_of_the_whole_whatever_the_tiles(kit, monkeypatch, per_tile):
    monkeypatch.setattr(delaunay, "PER_TILE", per_tile)
    monkeypatch.setattr(delaunay, "_JITTER", 0.0)
    at = np.random.default_rng(2).uniform(0, 100, (1500, 2)).astype(np.float32)
    found = delaunay.edges(kit.points(*at.T), np.arange(1500, dtype=np.int32), 1.0, 8.0, 2)
    assert {tuple(pair) for pair in found.tolist()} == edges_of_scipy(at, 8.0)
    assert np.all(found[:, 0] < found[:, 1])


def test_points_on_a_lattice_and_on_each_other_have_the_same_edges_in_all_tiles(kit, monkeypatch):
    axis = np.arange(30.0)
    at = np.array([(x, y) for x in axis for y in axis])
    at = np.vstack([at, at[:40]])
    place = np.arange(len(at), dtype=np.int32)
    once = delaunay.edges(kit.points(*at.T), place, 1.0, 6.0, 1)
    monkeypatch.setattr(delaunay, "PER_TILE", 100)
    tiled = delaunay.edges(kit.points(*at.T), place, 1.0, 6.0, 1)
    assert np.array_equal(np.unique(once, axis=0), np.unique(tiled, axis=0))
    degree = np.bincount(once.ravel(), minlength=len(at))
    assert degree.min() >= 2


def test_points_in_a_line_are_neighbours_of_the_next(kit):
    monkey = kit.points(np.arange(6), np.zeros(6))
    found = delaunay.edges(monkey, np.arange(6, dtype=np.int32), 0.0, 100.0, 1)
    assert {tuple(p) for p in found.tolist()} == {(i, i + 1) for i in range(5)}


@pytest.mark.parametrize("deep", [False, True])
def test_graph_is_mutual_sorted_and_without_loops(kit, deep):
    at = scattered(8, 500, deep)
    molecules = arrange(kit.table(at[:, 0], at[:, 1], np.zeros(500), 1, at[:, 2] if deep else None))
    graph = build_graph(molecules, lay_grid(molecules.at), 1)
    here = np.column_stack(molecules.at)
    pairs = set()
    for i in range(500):
        mine = graph.neighbour[graph.start[i] : graph.start[i + 1]]
        assert i not in mine
        assert len(set(mine.tolist())) == len(mine)
        assert np.all(np.diff(np.linalg.norm(here[mine] - here[i], axis=1)) >= -1e-5)
        assert 0 <= graph.near[i] <= len(mine)
        pairs |= {(i, int(j)) for j in mine}
    assert pairs == {(j, i) for i, j in pairs}
    assert molecules.deep is deep


def test_weights_fall_with_distance_and_unusual_edges_are_told_apart():
    length = np.concatenate([np.random.default_rng(0).lognormal(0, 0.2, 1000), [50.0]]).astype(np.float32)
    weight, limit = weigh(length)
    close = np.quantile(length, 0.3)
    assert np.allclose(weight / FULL, close / np.maximum(length, close), atol=0.51 / FULL)
    logs = np.log10(length)
    spread = 1.4826 * np.median(np.abs(logs - np.median(logs)))
    assert limit == pytest.approx(10 ** (np.median(logs) + 2 * spread), rel=1e-4)
    assert length[-1] >= limit


def test_adjacency_keeps_pairs_by_distance_then_place(kit):
    at = kit.points([0, 1, -1, 0, 0], [0, 0, 0, 1, -1])
    pairs = np.array([[0, j] for j in range(1, 5)], np.int32)
    start, neighbour, length = adjacency(at, pairs, np.array([0, 3, 1, 4, 2], np.int32))
    assert neighbour[start[0] : start[1]].tolist() == [2, 4, 1, 3]
    assert np.all(length == 1)


def test_spots_shared_by_most_do_not_make_the_usual_distance_zero(kit):
    at = kit.points(np.repeat(np.arange(10.0), 8), np.zeros(80))
    assert usual_distance(at, lay_grid(at), 1) == pytest.approx(1.0)


def test_order_keeps_neighbours_near_and_knows_the_way_back(kit):
    at = scattered(4, 300)
    table = kit.table(at[:, 0], at[:, 1], np.arange(300) % 7, 7)
    table.status[::3] = 2
    molecules = arrange(table)
    kept = np.flatnonzero(table.status == 0)
    assert np.array_equal(molecules.row, kept)
    assert np.array_equal(molecules.to_input(molecules.gene), table.gene[kept])
    assert np.array_equal(
        molecules.to_input(molecules.from_input(np.arange(len(kept)))), np.arange(len(kept))
    )
    code = morton(np.array([0.0, 1, 0, 1]), np.array([0.0, 0, 1, 1]))
    assert np.all(np.diff(code.astype(np.int64)) > 0)
