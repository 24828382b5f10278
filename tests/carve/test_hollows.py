"""Empty spots as nuclei, on hexagons of four kinds whose RNA lies in rings, in blobs, or tells nothing."""

import numpy as np
import pandas as pd
import pytest

import cellcarve
from cellcarve.carve import across
from cellcarve.carve.across import empty_within
from cellcarve.carve.hollows import TRUST, find_hollows
from cellcarve.data.tiles import cut
from cellcarve.progress import Silent
from cellcarve.read import read
from cellcarve.settings import ReadSettings

RADIUS, EACH, GENES = 6.0, 150, 40


def tissue_of(shape, told=True, seed=1):
    """Cells' middles (C, 2), a table, and the true cell of each row; `shape` gives distances to the middle, in radii."""
    rng = np.random.default_rng(seed)
    i, j = (v.ravel() for v in np.mgrid[0:16, 0:16])
    middle = np.column_stack([(i + j % 2 / 2), j * np.sqrt(3) / 2]) * 2 * RADIUS + 10
    middle += rng.normal(0, 0.5, middle.shape)
    cell = np.repeat(np.arange(len(middle)), EACH)
    turn = rng.uniform(0, 2 * np.pi, len(cell))
    at = middle[cell] + (RADIUS * shape(rng, len(cell)) * np.array([np.cos(turn), np.sin(turn)])).T
    kind = rng.integers(0, 4, len(middle))[cell] if told else np.zeros(len(cell), int)
    gene = np.where(rng.uniform(size=len(cell)) < 0.5, rng.integers(0, GENES, len(cell)), GENES + kind)
    frame = pd.DataFrame({"x": at[:, 0], "y": at[:, 1], "gene": np.char.add("g", gene.astype(str))})
    return middle, frame, cell


def ring(rng, n):
    return rng.normal(0.9, 0.12, n)


def blob(rng, n):
    return np.abs(rng.normal(0, 0.45, n))


def table_from(frame):
    return read(frame, ReadSettings(), Silent())


def tissue_from(frame, side=400.0):
    table = table_from(frame)
    return cut(table, np.zeros(len(table), np.int32), np.zeros(len(table), bool), 0, side)


def test_rings_around_empty_spots_are_cells():
    middle, frame, truth = tissue_of(ring)
    found = find_hollows(table_from(frame), RADIUS, 400.0, 1, Silent())
    core = found > 0
    assert np.bincount(found[core])[1:].min() >= 4
    pairs = pd.crosstab(found[core], truth[core])
    assert pairs.max(axis=1).sum() > 0.9 * core.sum()
    assert np.unique(pairs.to_numpy().argmax(1)).size > 0.9 * len(middle)
    assert len(pairs) < 1.1 * len(middle)


@pytest.mark.parametrize(("shape", "told"), [(blob, True), (blob, False), (ring, False)])
def test_gaps_between_cells_and_silent_genes_are_no_nuclei(shape, told):
    assert find_hollows(table_from(tissue_of(shape, told)[1]), RADIUS, 400.0, 1, Silent()) is None


def test_one_gene_that_lies_everywhere_does_not_decide():
    """A stray gene fills the gaps between cells: pairs across gaps are then of this gene, and say nothing."""
    _, frame, _ = tissue_of(blob)
    rng = np.random.default_rng(3)
    box = frame[["x", "y"]].max()
    stray = pd.DataFrame(
        {"x": rng.uniform(0, box.x, 20_000), "y": rng.uniform(0, box.y, 20_000), "gene": "stray"}
    )
    assert not empty_within(tissue_from(pd.concat([frame, stray])), RADIUS, 1)[0]


def test_threads_do_not_matter():
    _, frame, _ = tissue_of(ring)
    found = []
    for threads in (1, 3):
        found.append(find_hollows(table_from(frame), RADIUS, 60.0, threads, Silent()))
    assert found[0].any()
    assert np.array_equal(found[0], found[1])


def test_tiles_have_as_many_pixels_whatever_the_radius(monkeypatch):
    """Small cells are found as large ones are, and a radius that is no cell's takes no memory."""
    pixels, densities = [], across.densities

    def noted(*told):
        found = densities(*told)
        pixels.append(found[0].size)
        return found

    monkeypatch.setattr(across, "densities", noted)
    _, frame, _ = tissue_of(ring)
    for smaller in (1, 8):
        table = table_from(frame.assign(x=frame.x / smaller, y=frame.y / smaller))
        assert find_hollows(table, RADIUS / smaller, 400.0, 1, Silent()).any()
    assert max(pixels) < 1000**2
    assert find_hollows(table, 0.01, 400.0, 1, Silent()) is None


def test_pairs_count_once_where_cells_are_larger_than_tiles():
    rng = np.random.default_rng(5)
    at = rng.uniform(10, 190, (12, 2)).repeat(60, 0) + rng.normal(0, 3, (720, 2))
    frame = pd.DataFrame({"x": at[:, 0], "y": at[:, 1], "gene": rng.integers(0, 3, 720).astype(str)})
    sums = []
    for side in (110.0, 1000.0):
        tissue = tissue_from(frame, side)
        signs = [across._sign(tissue, n, 100.0, np.ones(3, np.float32), 1) for n in range(len(tissue.grid))]
        sums.append([sum(sign[n] for sign in signs) for n in range(4)])
    assert min(sums[1][0], sums[1][3]) > 0
    assert sums[0] == pytest.approx(sums[1], rel=1e-3)


@pytest.mark.parametrize("method", ["carve", "mixture"])
def test_both_methods_start_from_them(method):
    middle, frame, truth = tissue_of(ring)
    told = {"carve": {"cell_diameter": 2 * RADIUS}, "mixture": {"cell_scale": RADIUS}}[method]
    result = cellcarve.segment(frame, method=method, prior="none", **told)
    found = result.run.segmentation
    assert abs(len(found.names) / len(middle) - 1) < 0.2
    assert set(found.origin.tolist()) == {1}
    assert not found.prior.any()
    assert found.probability.max() <= TRUST
    assert len(set(found.names)) == len(found.names)
    pairs = pd.crosstab(found.cell[found.cell > 0], truth[found.cell > 0])
    assert pairs.max(axis=1).sum() > 0.7 * len(frame)
    assert any("taken for nuclei" in note for note in result.run.record["notes"])
