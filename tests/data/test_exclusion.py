"""Which genes hardly ever share a cell."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from cellcarve.data import exclusion
from cellcarve.data.exclusion import Exclusion, find_exclusion, rare_partners


def nuclei(seed, cells=300, genes=40):
    """Counts of nuclei that show either the first ten genes or the next ten, and any of the others but the last."""
    rng = np.random.default_rng(seed)
    rate = np.full((cells, genes), 0.4)
    side = rng.random(cells) < 0.5
    rate[side, :10], rate[~side, 10:20] = 0.01, 0.01
    rate[:, -1] = 0
    return csr_matrix(rng.poisson(rate).astype(np.float32))


def table(found, genes):
    rare = np.zeros((genes, genes), bool)
    rare[np.repeat(np.arange(genes), np.diff(found.start)), found.partner] = True
    return rare


@pytest.mark.parametrize("seed", range(3))
def test_rare_pairs_are_the_lowest_eighth(seed):
    counts = nuclei(seed)
    seen = (counts.toarray() > 0).astype(float)
    number, together = seen.sum(0), seen.T @ seen
    ratio = (together + 3) / (np.outer(number, number) / len(seen) + 3)
    common = np.flatnonzero(number >= 0.02 * len(seen))
    low, high = (common[v] for v in np.triu_indices(len(common), 1))
    cut = np.quantile(ratio[low, high], 0.125)
    rare = table(find_exclusion(counts), counts.shape[1])
    np.testing.assert_array_equal(rare, rare.T)
    assert not rare[-1].any()
    # Ratios are told apart to a step of 1/2048.
    assert rare[low, high][ratio[low, high] < cut - 1e-3].all()
    assert not rare[low, high][ratio[low, high] > cut + 1e-3].any()


def test_genes_that_exclude_each_other_are_found():
    rare = table(find_exclusion(nuclei(5)), 40)
    assert rare[:10, 10:20].mean() > 0.9
    assert rare[:10, :10].mean() < 0.05


def test_the_order_of_genes_and_nuclei_does_not_matter():
    counts = nuclei(6)
    rng = np.random.default_rng(0)
    gene, cell = rng.permutation(counts.shape[1]), rng.permutation(counts.shape[0])
    rare, moved = (table(find_exclusion(c), 40) for c in (counts, counts[cell][:, gene]))
    np.testing.assert_array_equal(rare[np.ix_(gene, gene)], moved)


def test_of_many_genes_only_the_most_common_are_looked_at(monkeypatch):
    monkeypatch.setattr(exclusion, "_GENES", 12)
    counts = nuclei(7).toarray()
    number = (counts > 0).sum(0)
    most = np.sort(number)[::-1]
    rare = table(find_exclusion(csr_matrix(counts)), 40)
    assert rare.any()
    assert (number[rare.any(1)] > most[12]).all()
    # All genes are equally common here: none can be preferred.
    assert len(find_exclusion(csr_matrix(np.eye(13)[np.arange(390) % 13])).partner) == 0


@pytest.mark.parametrize("counts", [nuclei(0, cells=60), csr_matrix((0, 7)), csr_matrix((500, 7))])
def test_few_nuclei_tell_nothing(counts):
    found = find_exclusion(counts)
    assert len(found.partner) == 0
    np.testing.assert_array_equal(found.start, np.zeros(counts.shape[1] + 1))


def test_rare_partners_by_hand():
    # Genes 0 and 1 are a rare pair, so are 0 and 3.
    pairs = Exclusion(np.array([0, 2, 3, 3, 4]), np.array([1, 3, 0, 0], np.int32))
    cell, gene = np.array([1, 1, 1, 4, 4]), np.array([0, 1, 2, 0, 3])
    amount = np.array([1.0, 2.0, 0.5, 0.1, 3.0])
    shown = 1 - np.exp(-amount)
    expected = [shown[1], shown[0], 0, shown[4], shown[3]]
    np.testing.assert_allclose(
        rare_partners(cell, gene, amount, pairs.start, pairs.partner), expected, rtol=1e-6
    )
