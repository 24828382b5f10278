"""Evidence for one cell or two, against the formulas written out."""

import numpy as np
import pytest
from scipy.special import gammaln
from scipy.stats import multivariate_normal

from cellcarve.mixture.change import move
from cellcarve.mixture.evidence import gain_of_one, log_genes, log_places
from cellcarve.mixture.merge import joins, touching
from cellcarve.mixture.method import mark
from cellcarve.mixture.model import build, rules_of
from cellcarve.mixture.prepare import prepare
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
    gain = gain_of_one(1, 2, cells, tally, profile, rules(alpha=6.0), 1.5)
    assert (gain > 0) is one
    assert gain == pytest.approx(gain_of_one(2, 1, cells, tally, profile, rules(alpha=6.0), 1.5), rel=1e-6)


def test_what_lies_apart_may_be_larger(kit):
    """Halves of a large round cell in the open are one; the bound is on what has neighbours all round."""
    rng = np.random.default_rng(8)
    turn, out = rng.uniform(0, 2 * np.pi, 600), np.sqrt(rng.random(600))
    x, y = 9 * out * np.cos(turn), 9 * out * np.sin(turn)
    other = kit.table(np.append(x, x + 60), np.append(y, y), rng.integers(0, 5, 1200), 5)
    chosen = kit.settings(cell_scale=5.5)
    ready = prepare(other, kit.no_prior(other), chosen, 1)
    marked = mark(ready, other.genes, chosen, kit.compute(), [])
    state = build(ready, marked, rules_of(ready, kit.no_prior(other), chosen), chosen)
    at = ready.molecules.at
    label = (1 + (at.x > 0) * 2 + (at.y > 0)).astype(np.int32)
    move(state, np.arange(1200, dtype=np.int32), label)
    pairs, among = touching(state)
    assert pairs.tolist() == [[1, 2], [3, 4]]
    assert among.all()
    _, to, ended = joins(state, 0.0)
    assert ended == 2
    assert len(np.unique(to)) == 2
