from collections import Counter

import numpy as np
import pandas as pd
import pytest
import shapely

from cellcarve.progress import Silent
from cellcarve.summarise import summarise
from cellcarve.summarise.cells import areas
from cellcarve.summarise.counts import count
from cellcarve.summarise.layers import outline_layers


@pytest.fixture(scope="module")
def run(tools):
    """A summarised run; cell 7 of the prior has lost all its transcripts and some transcripts have no cell."""
    x, y, cell = tools.leaky()
    rng = np.random.default_rng(9)
    z = rng.uniform(0, 12, len(x)).astype(np.float32)
    parts = tools.run_parts(x, y, z, rng.integers(0, 25, len(x)), cell, 60)
    parts.segmentation.cell = np.where((cell == 7) | (rng.random(len(x)) < 0.1), 0, cell).astype(np.int32)
    parts.summary = summarise(parts.table, parts.prior, parts.segmentation, Silent())
    return parts


def test_counts_match_a_slow_count():
    rng = np.random.default_rng(0)
    cell, gene = rng.integers(0, 9, 500).astype(np.int32), rng.integers(0, 5, 500).astype(np.int32)
    counts = count(cell, gene, 8, 5)
    assert counts.shape == (8, 5)
    assert counts.dtype == np.int32
    slow = Counter((c - 1, g) for c, g in zip(cell, gene, strict=True) if c)
    assert {(i, j): v for (i, j), v in np.ndenumerate(counts.toarray()) if v} == slow


def test_counts_of_nothing():
    assert count(np.zeros(4, np.int32), np.zeros(4, np.int32), 0, 3).shape == (0, 3)


def test_columns_agree_with_counts(run):
    cells, counts = run.summary.cells, run.summary.counts
    assert list(cells.columns) == [
        "cell_id", "origin", "prior_id", "x", "y", "z", "area", "volume", "transcripts", "genes",
        "mean_probability", "cluster", "border", "existence",
    ]  # fmt: skip
    np.testing.assert_array_equal(cells.transcripts, np.asarray(counts.sum(1)).ravel())
    np.testing.assert_array_equal(cells.genes, (counts.toarray() > 0).sum(1))
    assert counts.sum() == (run.segmentation.cell > 0).sum()


def test_places_origin_and_probability(run):
    cells, table = run.summary.cells, run.table
    own = run.segmentation.cell == 3
    assert cells.x[2] == pytest.approx(table.x[own].mean(), rel=1e-5)
    assert cells.z[2] == pytest.approx(table.z[own].mean(), rel=1e-5)
    assert cells.mean_probability[2] == 0.75
    assert cells.prior_id[2] == "n3"
    assert pd.isna(cells.prior_id[59])
    assert cells.origin[59] == "new"


def test_cell_without_transcripts_stands_at_its_nucleus(run):
    empty, before = run.summary.cells.iloc[6], run.prior.cell == 7
    assert empty.transcripts == 0
    assert empty.area == 0
    assert np.isnan(empty.mean_probability)
    assert empty.x == pytest.approx(run.table.x[before].mean(), rel=1e-5)
    assert 7 not in run.summary.outlines.cell


def test_area_and_volume(run, tools):
    cells, outlines = run.summary.cells, run.summary.outlines
    np.testing.assert_allclose(areas(outlines, 60)[outlines.cell - 1], shapely.area(tools.polygons(outlines)))
    thick = cells.volume[cells.transcripts > 40] / cells.area[cells.transcripts > 40]
    # 5 to 95 % of a uniform depth of 12 µm.
    assert thick.median() == pytest.approx(0.9 * 12, rel=0.1)


def test_border(run):
    cells, table = run.summary.cells, run.table
    margin = np.minimum.reduce([cells.x - table.x.min(), table.x.max() - cells.x, cells.y - table.y.min(),
                                table.y.max() - cells.y])  # fmt: skip
    np.testing.assert_array_equal(cells.border, margin < 10)
    assert 0 < cells.border.sum() < 60


def test_layers_share_out_the_depth(run, tools):
    layers, edges = run.summary.layers, run.summary.layer_edges
    assert list(layers) == [0, 1, 2, 3, 4]
    np.testing.assert_allclose(edges, np.linspace(0, 12, 6), atol=0.5)
    held = run.segmentation.cell > 0
    layer = np.clip(np.searchsorted(edges, run.table.z[held], "right") - 1, 0, 4)
    for k, outlines in layers.items():
        tools.check(outlines, run.segmentation.cell[held][layer == k])


@pytest.mark.parametrize("z", [None, [0, 0, 1, 1], [0, 1, 2, 2.5], [0, 9, 0, 9]])
def test_flat_tissue_has_no_layers(z):
    z = None if z is None else np.array(z, np.float32)
    place = np.arange(4, dtype=np.float32)
    assert outline_layers(place, place, z, np.ones(4, np.int32), 1) == ({}, ())


def test_planes_become_layers():
    z = np.repeat(np.array([0, 3, 6], np.float32), 20)
    place = np.tile(np.arange(20, dtype=np.float32), 3)
    layers, edges = outline_layers(place, place, z, np.ones(60, np.int32), 1)
    assert len(layers) == len(edges) - 1
    assert all(len(outlines.cell) == 1 for outlines in layers.values())


def test_nothing_assigned(tools):
    x, y, cell = tools.leaky(5, 10)
    parts = tools.run_parts(x, y, None, 0 * cell, cell, 5)
    parts.segmentation.cell = 0 * cell
    summary = summarise(parts.table, parts.prior, parts.segmentation, Silent())
    assert summary.counts.nnz == 0
    assert len(summary.cells) == 5
    assert summary.layers == {}
