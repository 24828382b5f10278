"""Tiles hold every kept row once; a view holds what lies in its box and around it, no more and no less."""

from itertools import pairwise

import numpy as np
import pytest

from cellcarve.carve.lattice import lay_lattice, pixels_of
from cellcarve.data import sorting
from cellcarve.data.sorting import rows_of
from cellcarve.data.table import Status
from cellcarve.data.tiles import cut, view_box, view_tile

HALO, N = 12.0, 3000


@pytest.fixture(params=[(30.0, 0), (55.0, 1), (1000.0, 2)])
def parts(request, made):
    """Table, prior, tissue and side; a tenth of the rows is left out."""
    side, seed = request.param
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(-80, 60, N), rng.uniform(1000, 1090, N)
    cell = rng.integers(0, 9, N)
    table, prior = made(x, y, rng.integers(0, 5, N), cell, (cell > 0) & (rng.random(N) < 0.5))
    table.status[rng.random(N) < 0.1] = Status.CONTROL
    return table, prior, cut(table, prior.cell, prior.core, len(prior.names), side), side


def test_every_kept_row_is_in_one_tile_once(parts):
    table, prior, tissue, side = parts
    t, grid = tissue.transcripts, tissue.grid
    assert sorted(t.row.tolist()) == np.flatnonzero(table.status == Status.KEPT).tolist()
    for name, whole in (("x", table.x), ("y", table.y), ("gene", table.gene), ("cell", prior.cell)):
        np.testing.assert_array_equal(getattr(t, name), whole[t.row])
    np.testing.assert_array_equal(t.core, prior.core[t.row])
    assert t.start[0] == 0
    assert t.start[-1] == len(t)
    for tile in range(len(grid)):
        xmin, ymin, xmax, ymax = grid.box(tile)
        own = slice(t.start[tile], t.start[tile + 1])
        assert ((t.x[own] >= xmin - 1e-3) & (t.x[own] <= xmax + 1e-3)).all()
        assert ((t.y[own] >= ymin - 1e-3) & (t.y[own] <= ymax + 1e-3)).all()
    assert grid.nx * side >= np.ptp(t.x)
    assert (grid.nx - 1) * side <= np.ptp(t.x) + 1e-3


def test_views_hold_their_box_and_its_surroundings(parts):
    *_, tissue, side = parts
    t, grid = tissue.transcripts, tissue.grid
    times = np.zeros(len(t), int)
    for tile in range(len(grid)):
        view = view_tile(tissue, tile, min(HALO, side))
        xmin, ymin, xmax, ymax = grid.box(tile)
        wanted = (t.x >= xmin - HALO) & (t.x < xmax + HALO) & (t.y >= ymin - HALO) & (t.y < ymax + HALO)
        np.testing.assert_array_equal(np.sort(view.index), np.flatnonzero(wanted))
        np.testing.assert_array_equal(view.gene, t.gene[view.index])
        np.testing.assert_allclose(view.x, t.x[view.index] - grid.centre_x, atol=1e-4)
        np.testing.assert_allclose(view.y, t.y[view.index] - grid.centre_y, atol=1e-3)
        times[view.index[view.inside]] += 1
    assert (times == 1).all()


def test_view_of_a_box_that_is_no_tile(parts):
    *_, tissue, _ = parts
    t, grid = tissue.transcripts, tissue.grid
    box = (-20.0, 1020.0, 25.0, 1050.0)
    view = view_box(tissue, box, 5.0, list(range(len(grid))))
    inside = (t.x >= -20) & (t.x < 25) & (t.y >= 1020) & (t.y < 1050)
    assert set(view.index[view.inside]) == set(np.flatnonzero(inside))
    around = (t.x >= -25) & (t.x < 30) & (t.y >= 1015) & (t.y < 1055)
    assert set(view.index) == set(np.flatnonzero(around))


def test_lattices_of_all_tiles_fit_together(parts):
    """Pixels are anchored to the tissue: a transcript lies in the same place of its pixel in every view."""
    *_, tissue, side = parts
    seen = {}
    for tile in range(len(tissue.grid)):
        view = view_tile(tissue, tile, min(HALO, side))
        lattice = lay_lattice(view, 1.75)
        pixel = pixels_of(lattice, view.x, view.y)
        row, column = np.divmod(pixel, lattice.nx)
        corner_x = np.round(lattice.x0 / 1.75).astype(int) + column
        corner_y = np.round(lattice.y0 / 1.75).astype(int) + row
        assert (view.x >= lattice.x0 + 1.75 * column - 1e-3).all()
        assert (view.x <= lattice.x0 + 1.75 * (column + 1) + 1e-3).all()
        for key, place in zip(view.index.tolist(), zip(corner_x, corner_y, strict=True), strict=True):
            assert seen.setdefault(key, place) == place


def test_a_turned_tissue_is_cut_in_the_same_way(made):
    rng = np.random.default_rng(0)
    x, y, gene = rng.uniform(0, 130, 500), rng.uniform(0, 70, 500), np.zeros(500, int)
    tissue = [
        cut(table, prior.cell, prior.core, 0, 40.0)
        for table, prior in (made(a, b, gene, gene, gene > 0) for a, b in ((x, y), (-y, x)))
    ]
    together = [{frozenset(s.transcripts.row[a:b].tolist()) for a, b in _pairs(s)} for s in tissue]
    assert together[0] == together[1]


def _pairs(tissue):
    start = tissue.transcripts.start
    return [(a, b) for a, b in pairwise(start) if b > a]


def test_rows_of_is_a_stable_sort():
    rng = np.random.default_rng(0)
    label = rng.integers(0, 6, 100)
    order, start = rows_of(label, 8)
    for k in range(8):
        assert order[start[k] : start[k + 1]].tolist() == np.flatnonzero(label == k).tolist()
    assert start[-1] == 100


def test_rows_of_counts_beyond_int32(monkeypatch):
    monkeypatch.setattr(sorting, "MOST", 5)
    order, start = rows_of(np.array([1, 0, 1, 2, 0, 1]), 3)
    assert order.dtype == start.dtype == np.int64
    assert order.tolist() == [1, 4, 0, 2, 5, 3]
    assert start.tolist() == [0, 2, 5, 6]
