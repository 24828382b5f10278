"""Neighbourhood compositions and what stands for them."""

import numpy as np
import pytest
from scipy.spatial import cKDTree

from cellcarve.mixture import composition_colours, composition_rows
from cellcarve.mixture.colours import _srgb, colours
from cellcarve.mixture.compositions import compositions, logged, neighbours_for, reduce
from cellcarve.mixture.molecules import arrange
from cellcarve.mixture.near import lay_grid


@pytest.fixture(scope="module")
def source(kit):
    molecules = arrange(kit.field(seed=1, side=3, per_cell=30).table)
    return compositions(molecules, lay_grid(molecules.at), 8, 1)


def test_rows_are_weighted_shares_of_neighbours(kit):
    table = kit.field(seed=1, side=3, per_cell=30).table
    rows, row = composition_rows(table, 8, kit.compute())
    at = np.column_stack([table.x, table.y]).astype(np.float64)
    distance, index = cKDTree(at).query(at, 8)
    closest = np.median(distance[:, 1])
    expected = np.zeros(rows.shape)
    weight = 1 / np.maximum(distance, closest)
    np.add.at(
        expected, (np.arange(len(at))[:, None], table.gene[index]), weight / weight.sum(1, keepdims=True)
    )
    assert np.allclose(rows.toarray(), expected, atol=1e-3)
    assert np.allclose(rows.sum(1), 1, atol=1e-5)
    assert np.array_equal(row, np.arange(len(at)))


def test_gene_vectors_are_those_of_the_full_product(source):
    found = reduce(source, "ri", 5, (0, 1, True))
    rows = logged(source.rows(0, len(source.molecules))).toarray().astype(np.float64)
    from cellcarve.chain.streams import MIXTURE_COLOURS

    random = np.random.Generator(np.random.Philox(key=[0, MIXTURE_COLOURS])).standard_normal((20, 5))
    together = rows.T @ rows
    total = together.sum(1)
    share = np.diag(together) / np.maximum(total, 1e-300)
    limit = np.quantile(share[total > 0], 0.95) * total
    together[np.diag_indices(20)] = np.minimum(np.diag(together), limit)
    sums = together.sum(1)
    vectors = np.where(total[:, None] > 0, together @ random / np.where(sums == 0, 1, sums)[:, None], 0)
    assert np.allclose(found, rows @ vectors, rtol=2e-3, atol=2e-2)


@pytest.mark.parametrize("method", ["dense", "sparse"])
def test_principal_components_do_not_depend_on_threads(source, method):
    one, two = (reduce(source, method, 4, (0, threads, False)) for threads in (1, 2))
    assert np.array_equal(one, two)
    assert np.ptp(one[:, 0]) > 0


def test_large_panels_do_not_take_hundreds_of_neighbours():
    assert neighbours_for(5000, 50, False) == 100
    assert neighbours_for(5000, 50, True) == 500
    assert neighbours_for(300, 50, False) == 50


def test_colours_of_a_few_noisy_transcripts_are_colours(kit):
    table = kit.field(seed=1, side=2, per_cell=12).table
    found = composition_colours(table, np.zeros(len(table), np.float32), 5, ("ri", False), kit.compute())
    assert found.shape == (len(table), 3)
    assert found.dtype == np.uint8
    assert len(np.unique(found, axis=0)) > 3


def test_alike_surroundings_have_alike_colours():
    """Many more kinds than three directions can hold, which principal components would mix."""
    rng = np.random.default_rng(0)
    kind = rng.integers(0, 10, 1500)
    vectors = (rng.normal(0, 0.1, (1500, 10)) + np.eye(10)[kind]).astype(np.float32)
    found = colours(vectors, np.ones(1500, np.float32), 0, 1).astype(float)
    _, near = cKDTree(found + rng.normal(0, 1e-3, found.shape)).query(found, 11)
    assert np.mean(kind[near[:, 1:]] == kind[:, None]) > 0.95


def test_colours_depend_on_the_seed_and_not_on_threads(monkeypatch):
    monkeypatch.setattr("cellcarve.mixture.colours._AT_ONCE", 50)
    vectors = np.random.default_rng(0).normal(size=(300, 12)).astype(np.float32)
    sure = np.ones(300, np.float32)
    first = colours(vectors, sure, 1, 1)
    assert np.array_equal(first, colours(vectors, sure, 1, 2))
    assert not np.array_equal(first, colours(vectors, sure, 2, 1))


@pytest.mark.parametrize("number", [1, 2, 3])
def test_very_few_transcripts_have_colours_too(number):
    vectors = np.random.default_rng(0).normal(size=(number, 2)).astype(np.float32)
    assert colours(vectors, np.ones(number, np.float32), 1, 1).shape == (number, 3)


def test_types_of_cells_are_told_apart_unless_logs_are_taken(kit):
    """Logs of shares add up to how many genes are around, which hides which they are."""
    field = kit.field(seed=2, side=10, per_cell=80, genes=60, noise=0)
    sure = np.ones(len(field.table), np.float32)

    def spread(logs):
        """Of colours within cells, each of which has genes of its own, as a share of all."""
        found = composition_colours(field.table, sure, 20, ("ri", logs), kit.compute()).astype(float)
        within = [found[field.cell == c].std(0).mean() for c in np.unique(field.cell)]
        return np.mean(within) / found.std(0).mean()

    assert spread(False) < spread(True)


def test_colour_space():
    assert _srgb(
        np.array([100.0, 0, 53.24]), np.array([0.0, 0, 80.09]), np.array([0.0, 0, 67.2])
    ).tolist() == [
        [255, 255, 255],
        [0, 0, 0],
        [255, 0, 0],
    ]
