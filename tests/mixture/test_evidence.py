"""Evidence for one cell or two, against the formulas written out."""

import numpy as np
import pytest
from scipy.special import gammaln
from scipy.stats import multivariate_normal

from cellcarve.mixture.evidence import gain_of_one, log_genes, log_places
from cellcarve.mixture.state import empty_cells
from cellcarve.mixture.tally import tally_up


@pytest.mark.parametrize("dims", [2, 3])
def test_places_are_a_normal_with_a_slightly_shrunk_shape(dims, rules, sums):
    at = np.random.default_rng(4).normal(5, 2, (30, 3))
    if dims == 2:
        at[:, 2] = 0
    usual = 4.0 * (0.5 if dims == 2 else 0.4472)
    cov = np.cov(at[:, :dims].T, ddof=0) * 30 / 34 + 4 / 34 * usual**2 * np.eye(dims)
    expected = multivariate_normal(at.mean(0)[:dims], cov).logpdf(at[:, :dims]).sum()
    assert log_places(sums(at), 30, rules(dims)) == pytest.approx(expected)


def test_genes_are_dirichlet_multinomial():
    rng = np.random.default_rng(5)
    owner, gene = rng.integers(0, 3, 200).astype(np.int32), rng.integers(0, 12, 200).astype(np.int32)
    tally, profile = tally_up(owner, gene, 3), rng.dirichlet(np.ones(12)).astype(np.float32)
    alpha = 7.0

    def slow(*owners):
        count = np.bincount(gene[np.isin(owner, owners)], minlength=12)
        own = gammaln(count + alpha * profile) - gammaln(alpha * profile)
        return own.sum() + gammaln(alpha) - gammaln(count.sum() + alpha)

    assert log_genes(tally, 1, 0, alpha, profile) == pytest.approx(slow(1))
    assert log_genes(tally, 1, 2, alpha, profile) == pytest.approx(slow(1, 2))


@pytest.mark.parametrize(
    ("apart", "same", "one"), [(0.0, True, True), (9.0, True, False), (0.0, False, False)]
)
def test_halves_of_a_cell_are_one_and_neighbours_are_two(apart, same, one, rules, sums):
    """Halves of one disc of one kind gain; two discs side by side, or halves of unlike genes, lose."""
    rng = np.random.default_rng(6)
    radius, turn = 4 * np.sqrt(rng.random(240)), 2 * np.pi * rng.random(240)
    at = np.column_stack([radius * np.cos(turn), radius * np.sin(turn), np.zeros(240)])
    owner = np.where(at[:, 0] > 0, 1, 2).astype(np.int32)
    if apart:
        owner = rng.integers(1, 3, 240).astype(np.int32)
        at[:, 0] += apart * (owner == 2)
    gene = rng.integers(0, 5, 240).astype(np.int32) + (0 if same else 5) * (owner == 2)
    cells = empty_cells(2)
    for k in (1, 2):
        cells.n[k] = (owner == k).sum()
        cells.sums[k] = sums(at[owner == k])
    tally = tally_up(owner, gene.astype(np.int32), 3)
    profile = np.full((1, 10), 0.1, np.float32)
    gain = gain_of_one(1, 2, cells, tally, profile, rules(alpha=6.0))
    assert (gain > 0) is one
    assert gain == pytest.approx(gain_of_one(2, 1, cells, tally, profile, rules(alpha=6.0)), rel=1e-6)
