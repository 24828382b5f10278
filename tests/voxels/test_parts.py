import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import cKDTree

from cellcarve.data.prior import PriorRaster
from cellcarve.errors import MemoryBudgetError, SettingsError
from cellcarve.settings import VoxelSettings
from cellcarve.voxels.depth import depth_of, law_of
from cellcarve.voxels.intake import gene_order, near_cells
from cellcarve.voxels.lattice import block, columns_of, lay_frame, refine, sides_of, split_voxels, voxels_of
from cellcarve.voxels.nearest import two_nearest
from cellcarve.voxels.raster import from_raster
from cellcarve.voxels.start import ODDS, expand, fill_layers, from_rows, pop_bubbles, seated, votes, winners
from cellcarve.voxels.strata import strata_of


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1), st.integers(2, 5))
def test_two_nearest_cells_are_those_of_a_search(seed, cells):
    random = np.random.default_rng(seed)
    label = random.integers(1, cells + 1, (11, 13)) * (random.random((11, 13)) < 0.08)
    cell, near, far = two_nearest(label.astype(np.int32), 6.0)
    y, x = np.nonzero(label)
    for j, i in np.ndindex(label.shape):
        away = np.hypot(y - j, x - i)
        best = sorted(min(away[label[y, x] == c]) for c in np.unique(label[y, x]))
        best = [d for d in best if d <= 6.0] + [6.0, 6.0]
        # Propagation may miss a source by a fraction of a voxel, never by more.
        assert best[0] - 1e-5 <= near[j, i] <= best[0] + 0.5
        assert best[1] - 1e-5 <= far[j, i] <= max(best[1] + 0.8, 0)
        assert (cell[j, i] == 0) == (near[j, i] >= 6.0 and best[0] >= 6.0) or best[0] > 5.5


def test_depth_is_untilted_and_runs_from_0_to_1():
    random = np.random.default_rng(0)
    x, y = random.uniform(0, 1000, 5000), random.uniform(0, 500, 5000)
    level = random.uniform(0, 10, 5000)
    z = level + 0.02 * x - 0.01 * y
    law = low, high, slope_x, slope_y, intercept = law_of(x, y, z)
    depth = depth_of(x, y, z, law)
    assert slope_x == pytest.approx(0.02, abs=1e-3)
    assert slope_y == pytest.approx(-0.01, abs=1e-3)
    assert depth.min() == 0
    assert depth.max() == 1
    assert np.corrcoef(depth, level)[0, 1] > 0.999
    again = (np.clip(z - slope_x * x - slope_y * y - intercept, low, high) - low) / (high - low)
    assert np.allclose(again, depth, atol=1e-5)


def test_depth_without_span_is_one_layer():
    zero, seven = np.zeros(3), np.full(3, 7.0)
    for z in (seven, None):
        assert law_of(zero, zero, z) == (0, 0, 0, 0, 0)
        assert not depth_of(zero, zero, z, law_of(zero, zero, z)).any()


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1), st.floats(2, 40))
def test_distance_to_cells_is_that_of_a_search(seed, distance):
    random = np.random.default_rng(seed)
    x, y = random.uniform(-60, 200, (2, 300)).astype(np.float32)
    cell = random.integers(0, 4, 300) * (random.random(300) < 0.1)
    keep = near_cells(x, y, cell, distance)
    if not cell.any():
        assert keep.all()
        return
    centre = [[x[cell == c].mean(), y[cell == c].mean()] for c in np.unique(cell[cell > 0])]
    true = cKDTree(centre).query(np.column_stack([x, y]))[0]
    unsure = np.abs(true - distance) < 1e-3
    assert np.array_equal(keep[~unsure], (true <= distance)[~unsure])


def test_genes_go_by_count_with_factors_and_by_appearance_without():
    gene = np.array([4, 2, 2, 0, 0, 0])
    order, plain = gene_order(gene, 6, VoxelSettings(nunfactored=2, factorization=True))
    assert (order.tolist(), plain) == ([0, 2, 4], 2)
    order, plain = gene_order(gene, 6, VoxelSettings(factorization=False))
    assert (order.tolist(), plain) == ([4, 2, 0], 3)


def test_voxels_are_found_again():
    frame = lay_frame((10.0, -5.0, 29.0, 6.0), 2.0, 150.0, 3)
    x, y, z = np.array([10.0, 28.9, 15.2]), np.array([-5.0, 5.9, 0.0]), np.array([0.0, 1.0, 0.5])
    i, j, k = columns_of(frame, voxels_of(frame, x, y, z))
    assert i.tolist() == [0, 9, 2]
    assert j.tolist() == [0, 5, 2]
    assert k.tolist() == [0, 2, 1]
    fine = refine(frame, 2)
    label = np.arange((frame.grid.ny + 2) * (frame.grid.nx + 2) * 3, dtype=np.int32)
    split = split_voxels(frame.grid, fine.grid, label)
    a, b = voxels_of(frame, x, y, z), voxels_of(fine, x, y, z)
    assert np.array_equal(split[b], label[a])
    assert (block(fine.grid, split)[[0, -1]] == 0).all()


def test_sides_must_divide_and_lattices_must_fit():
    assert sides_of(VoxelSettings()) == (1.0, 2)
    assert sides_of(VoxelSettings(voxel_size=2.0, burnin_voxel_size=2.0)) == (2.0, 1)
    with pytest.raises(SettingsError, match="whole multiple"):
        sides_of(VoxelSettings(voxel_size=1.0, burnin_voxel_size=2.5))
    with pytest.raises(MemoryBudgetError, match="larger voxels"):
        lay_frame((0, 0, 1e6, 1e6), 1.0, 150.0, 4)


def test_votes_are_won_by_weight_and_ties_by_number():
    where, who, weight = winners(np.array([5, 5, 5, 2, 2]), np.array([3, 1, 3, 9, 4]), np.ones(5))
    assert where.tolist() == [2, 5]
    assert who.tolist() == [4, 3]
    assert weight.tolist() == [1, 2]


def test_first_labels_fill_layers_bubbles_and_grow():
    frame = lay_frame((0, 0, 8, 8), 1.0, 150.0, 3)
    voxel = voxels_of(frame, np.array([4.5]), np.array([4.5]), np.array([0.0]))
    start = from_rows(frame, voxel, np.array([1]), np.array([True]), (0.8, 0.5))
    assert start.label.sum() == 1
    assert ODDS[start.level[voxel[0]]] == pytest.approx(np.log(0.8 / 0.2), abs=1 / 32)
    fill_layers(frame, start.label)
    assert start.label.sum() == 3
    ring = start.label.copy()
    cube = block(frame.grid, ring)
    cube[4:7, 4:7, :] = 1
    cube[5, 5, :] = 0
    pop_bubbles(frame, ring)
    assert cube[5, 5].tolist() == [1, 1, 1]
    expand(frame, start.label, 1)
    assert start.label.sum() == 15


@pytest.mark.parametrize("change", [fill_layers, pop_bubbles, lambda frame, label: expand(frame, label, 2)])
def test_bands_of_a_lattice_do_not_show(change, monkeypatch):
    random = np.random.default_rng(5)
    frame = lay_frame((0, 0, 30, 40), 1.0, 150.0, 2)
    label = np.zeros((frame.grid.ny + 2) * (frame.grid.nx + 2) * 2, np.int32)
    inside = block(frame.grid, label)[1:-1, 1:-1]
    inside[:] = random.integers(1, 3, inside.shape) * (random.random(inside.shape) < 0.6)
    whole = label.copy()
    change(frame, whole)
    monkeypatch.setattr("cellcarve.voxels.lattice.BAND", 200)
    change(frame, label)
    assert np.array_equal(label, whole)


def test_rasters_vote_in_all_layers_by_share_of_pixels():
    frame = lay_frame((0, 0, 7, 7), 2.0, 150.0, 2)
    label = np.zeros((16, 16), np.int32)
    label[4:8, 4:8] = 7
    label[4:6, 8:10] = 3
    start = from_raster(frame, PriorRaster(label, (0.5, 0, 0, 0, 0.5, 0), weight=0.5))
    cube, odds = (block(frame.grid, v)[1:-1, 1:-1] for v in (start.label, ODDS[start.level]))
    assert cube[1, 1].tolist() == [7, 7]
    assert odds[1, 1].tolist() == [0, 0]
    assert cube[1, 2].tolist() == [3, 3]
    assert odds[1, 2, 0] == pytest.approx(np.log(0.125 / 0.875), abs=1 / 32)
    assert (cube > 0).sum() == 4


def test_strata_hold_the_whole_tissue_once():
    random = np.random.default_rng(1)
    x, y = random.uniform(0, 60, (2, 2000))
    frame = lay_frame((0, 0, 60, 60), 1.0, 150.0, 4)
    stratum, volume = strata_of(frame, x, y, 0.5, 5)
    assert stratum.max() == 4
    assert volume.sum() == pytest.approx(61 * 61 / 4, rel=0.05)
    j, i = y.astype(int), x.astype(int)
    assert stratum[j, i].mean() > stratum.mean()


def test_a_cell_that_wins_nowhere_gets_a_seat_where_the_winner_has_others():
    # Cell 1 wins voxels 2 and 5; 3 and 4 win nowhere, 4 has more votes; 7 wins a single voxel and keeps it from 8.
    voxel = np.array([2, 2, 2, 5, 5, 5, 5, 5, 5, 5, 9, 9, 9])
    cell = np.array([1, 1, 3, 1, 1, 1, 1, 4, 4, 3, 7, 7, 8])
    where, who = seated(*votes(voxel, cell, np.ones(13)))
    assert where.tolist() == [2, 5, 9]
    assert who[0] == 1
    assert who[1] == 4
    assert who[2] == 7


@given(seed=st.integers(0, 10_000))
def test_seats_never_unseat_a_cell(seed):
    rng = np.random.default_rng(seed)
    voxel, cell = rng.integers(0, 12, 60), rng.integers(1, 15, 60)
    before = set(winners(voxel, cell, np.ones(60))[1].tolist())
    where, who = seated(*votes(voxel, cell, np.ones(60)))
    assert before <= set(who.tolist())
    assert all(np.any((voxel == v) & (cell == c)) for v, c in zip(where, who, strict=True))
