"""Ways across ridges of RNA: distances against a plain search, and when there are ridges at all."""

import numpy as np
import pytest
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import dijkstra

from cellcarve.chain.ridges import cost_of
from cellcarve.voxels.lattice import Frame
from cellcarve.voxels.nearest import two_nearest
from cellcarve.voxels.paths import LENGTHS, STEPS, two_nearest_by_cost
from cellcarve.voxels.ridges import STEEPEST, STEEPNESS, density_of_columns, rise_of, steepness_of
from cellcarve.voxels.state import Grid


def searched(label, cost):
    """Distance of every cell (rows) to every column, by Dijkstra's search over the same steps."""
    ny, nx = label.shape
    j, i = np.mgrid[:ny, :nx]
    edges = []
    for (di, dj), length in zip(STEPS, LENGTHS, strict=True):
        a, b = i + di, j + dj
        ok = (a >= 0) & (a < nx) & (b >= 0) & (b < ny)
        way = length * 0.5 * (cost[j[ok], i[ok]] + cost[b[ok], a[ok]])
        edges.append((way, (j * nx + i)[ok], (b * nx + a)[ok]))
    value, row, column = (np.concatenate(part) for part in zip(*edges, strict=True))
    graph = coo_matrix((value, (row, column)), (label.size,) * 2).tocsr()
    far = dijkstra(graph, indices=np.flatnonzero(label))
    owner = label.ravel()[np.flatnonzero(label)]
    return np.array([far[owner == cell].min(0) for cell in range(1, label.max() + 1)])


@pytest.mark.parametrize("seed", range(4))
def test_two_nearest_are_those_of_a_search(seed):
    random = np.random.default_rng(seed)
    label = np.zeros((25, 31), np.int32)
    label.ravel()[random.choice(label.size, 6, replace=False)] = np.arange(1, 7)
    cost = random.uniform(0.5, 2, label.shape).astype(np.float32)
    far = searched(label, cost)
    cell, near, next_ = two_nearest_by_cost(label, cost, 1e6)
    ranked = np.sort(far, axis=0)
    np.testing.assert_allclose(near.ravel(), ranked[0], rtol=1e-5)
    np.testing.assert_allclose(next_.ravel(), ranked[1], rtol=1e-5)
    clear = ranked[1] > ranked[0] + 1e-4
    assert (cell.ravel() == far.argmin(0) + 1)[clear].all()


def test_equal_costs_give_plain_distances():
    label = np.zeros((20, 20), np.int32)
    label[4, 5], label[15, 12] = 1, 2
    plain, costly = two_nearest(label, 30.0), two_nearest_by_cost(label, np.ones((20, 20), np.float32), 30.0)
    for a, b in zip(plain[1:], costly[1:], strict=True):
        np.testing.assert_allclose(a, b, rtol=0.03)
        assert (b >= a - 1e-4).all()


def test_nothing_lies_beyond_reach():
    label = np.zeros((9, 9), np.int32)
    label[0, 0] = 1
    cell, near, next_ = two_nearest_by_cost(label, np.ones((9, 9), np.float32), 4.0)
    assert cell[0, 3] == 1
    assert cell[8, 8] == 0
    assert near[8, 8] == next_[0, 1] == 4.0


def rings(outer):
    """Density around one nucleus of radius 4: 1 next to it, something else farther away."""
    j, i = np.mgrid[:41, :41] - 20
    far = np.hypot(i, j)
    return np.where(far > 6, outer, 1.0), (far <= 4).astype(np.int32)


def test_density_that_rises_makes_ridges():
    assert rise_of(*rings(1.25)) == pytest.approx(np.log(1.25), rel=0.1)
    assert steepness_of(rise_of(*rings(0.8))) == 0
    assert steepness_of(0.1) == pytest.approx(STEEPNESS * 0.1)
    assert steepness_of(9.0) == STEEPEST
    assert rise_of(np.ones((5, 5)), np.zeros((5, 5), np.int32)) == 0
    density = np.array([0.5, 1.0, 2.0], np.float32)
    assert (np.diff(cost_of(density, 1.0)) > 0).all()
    assert cost_of(density, 0.7)[1] == pytest.approx(1)


def test_density_is_relative_to_the_surroundings():
    frame = Frame(0.0, 0.0, 1.0, Grid(80, 70, 1, 80, 1, 1))
    even = density_of_columns(frame, np.repeat(np.arange(5600), 3))
    assert even[30:40, 30:50] == pytest.approx(1, abs=0.05)
    assert (density_of_columns(frame, np.array([5])) == 1).sum() < 5600
