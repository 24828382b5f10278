"""The method as a whole: conservation, determinism, invariance, and that it finds what is there."""

from dataclasses import fields, replace

import numpy as np
import pytest

from cellcarve.data.prior import Prior
from cellcarve.data.segmentation import Origin

ARRAYS = ("cell", "best", "probability", "runner_up", "background", "origin", "prior", "existence", "cluster")


def moved(table, x, y):
    return replace(table, x=x.astype(np.float32), y=y.astype(np.float32))


def test_every_row_has_one_answer(tissue, usual):
    kept = tissue.table.status == 0
    assert len(usual.cell) == len(tissue.table)
    assert not usual.cell[~kept].any()
    assert not usual.background[~kept].any()
    assert ((usual.cell == 0) | (usual.cell == usual.best)).all()
    assert ((usual.best > 0) | usual.background | ~kept).all()
    assert (usual.probability[usual.best > 0] > 0).all()
    assert usual.probability.max() <= 1 + 1e-5
    assert usual.best.max() <= len(usual.names)
    assert (usual.runner_up != usual.best)[usual.best > 0].all()
    assert len(set(usual.names)) == len(usual.names)


def test_expected_counts_hold_every_kept_transcript_at_most_once(tissue, usual):
    kept = (tissue.table.status == 0).sum()
    total = usual.expected.sum()
    assert usual.probability.sum() - 1 <= total <= kept
    by_gene = np.asarray(usual.expected.sum(0)).ravel()
    every = np.bincount(tissue.table.gene[tissue.table.status == 0], minlength=len(tissue.table.genes))
    assert (by_gene <= every + 0.5).all()


@pytest.mark.parametrize("threads", [1, 4])
def test_same_bytes_on_any_number_of_threads(tissue, run, threads):
    two, other = (run(tissue.table, tissue.prior, threads=n, tile=100.0) for n in (2, threads))
    for name in ARRAYS:
        assert getattr(two, name).tobytes() == getattr(other, name).tobytes(), name
    assert two.names == other.names
    assert (two.expected != other.expected).nnz == 0


def test_tiles_hardly_matter(tissue, usual, run, agreement):
    """Tiles of 100, 200 and 400 µm agree on at least 98.5 % of the assigned transcripts."""
    for side in (100.0, 200.0):
        assert agreement(usual.best, run(tissue.table, tissue.prior, tile=side).best) > 0.985


def test_place_does_not_matter(tissue, usual, run, agreement):
    table = tissue.table
    shifted = run(moved(table, table.x + 1234.5, table.y - 987.25), tissue.prior)
    assert agreement(usual.best, shifted.best) > 0.98
    turned = run(moved(table, -table.y, table.x), tissue.prior)
    assert agreement(usual.best, turned.best) > 0.97


def test_row_order_does_not_matter(tissue, usual, run, agreement):
    order = np.random.default_rng(4).permutation(len(tissue.table))
    per_row = ("ids", "x", "y", "z", "gene", "quality", "fov", "cell", "nucleus", "status")
    import pyarrow as pa

    changed = {}
    for f in fields(tissue.table):
        value = getattr(tissue.table, f.name)
        if f.name in per_row and value is not None:
            changed[f.name] = value.take(pa.array(order)) if f.name == "ids" else value[order]
    table = replace(tissue.table, **changed)
    prior = replace(tissue.prior, cell=tissue.prior.cell[order], core=tissue.prior.core[order])
    back = np.empty_like(usual.best)
    back[order] = run(table, prior).best
    assert agreement(usual.best, back) > 0.995


def test_names_of_genes_and_cells_do_not_matter(tissue, usual, run, agreement):
    rng = np.random.default_rng(8)
    genes = rng.permutation(len(tissue.table.genes)).astype(np.int32)
    cells = np.concatenate([[0], 1 + rng.permutation(len(tissue.prior.names))]).astype(np.int32)
    table = replace(tissue.table, gene=genes[tissue.table.gene])
    prior = replace(tissue.prior, cell=cells[tissue.prior.cell])
    assert agreement(usual.best, run(table, prior).best) > 0.9


def test_better_than_the_nearest_nucleus(tissue, usual, agreement):
    from scipy.spatial import cKDTree

    table, prior = tissue.table, tissue.prior
    core = np.flatnonzero(prior.core)
    place = np.column_stack([table.x, table.y])
    nearest = prior.cell[core][cKDTree(place[core]).query(place)[1]]
    judged = (table.status == 0) & (tissue.truth > 0)
    ours, rule = (agreement(tissue.truth[judged], c[judged]) for c in (usual.best, nearest))
    assert ours > rule + 0.02


def test_probabilities_are_calibrated(tissue, usual):
    judged = (tissue.truth > 0) & (usual.best > 0)
    true, best = tissue.truth[judged], usual.best[judged]
    pairs, place, count = np.unique(np.stack([true, best]), axis=1, return_inverse=True, return_counts=True)
    largest = np.zeros(best.max() + 1, int)
    np.maximum.at(largest, pairs[1], count)
    hit = (count == largest[pairs[1]])[place.ravel()]
    promised = usual.probability[judged]
    slot = np.minimum((promised * 10).astype(int), 9)
    gap = sum(abs(hit[slot == k].sum() - promised[slot == k].sum()) for k in range(10)) / len(hit)
    assert gap < 0.06


def test_purity_gives_up_the_doubtful(tissue, usual, run):
    share = {}
    right = {}
    for purity in ("complete", "balanced", "pure"):
        found = run(tissue.table, tissue.prior, purity=purity)
        given = found.cell > 0
        share[purity] = given.mean()
        right[purity] = found.probability[given].mean()
    assert share["complete"] > share["balanced"] > share["pure"] > 0.7
    assert right["complete"] < right["balanced"] < right["pure"]


def test_a_nucleus_that_was_taken_away_comes_back(tissue, usual, run):
    size = np.bincount(tissue.prior.cell[tissue.prior.core], minlength=len(tissue.prior.names) + 1)
    taken = np.argsort(-size)[:12]
    gone = np.isin(tissue.prior.cell, taken)
    prior = replace(
        tissue.prior,
        cell=np.where(gone, 0, tissue.prior.cell).astype(np.int32),
        core=tissue.prior.core & ~gone,
    )
    found = run(tissue.table, prior)
    new = np.flatnonzero(found.origin == Origin.NEW) + 1
    covered = [
        np.isin(found.best[tissue.prior.core & (tissue.prior.cell == c)], new).mean() > 0.5 for c in taken
    ]
    assert sum(covered) >= 4
    without = run(tissue.table, prior, new_cells=False)
    assert not (without.origin == Origin.NEW).any()


def test_no_prior_at_all(tissue, run):
    nothing = Prior(
        np.zeros(len(tissue.table), np.int32), np.zeros(len(tissue.table), bool), [], "none", "none"
    )
    found = run(tissue.table, nothing)
    true = (np.bincount(tissue.truth[tissue.truth > 0]) >= 10).sum()
    assert true / 2 < len(found.names) < true * 2
    assert (found.origin == Origin.NEW).all()
    assert (found.cell > 0).mean() > 0.8


@pytest.mark.parametrize("keep", [1, 2, 7, 40])
@pytest.mark.parametrize("core", [True, False])
def test_hardly_any_transcripts(tissue, run, keep, core):
    chosen = np.flatnonzero(tissue.prior.core)[:keep]
    status = np.ones(len(tissue.table), np.uint8)
    status[chosen] = 0
    prior = tissue.prior if core else replace(tissue.prior, core=np.zeros(len(status), bool))
    found = run(replace(tissue.table, status=status), prior)
    assert len(found.cell) == len(tissue.table)
    assert not found.cell[status > 0].any()


def test_one_gene(tissue, run):
    table = replace(tissue.table, gene=np.zeros_like(tissue.table.gene), genes=["only"])
    found = run(table, tissue.prior)
    assert (found.cell > 0).mean() > 0.7
