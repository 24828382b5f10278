"""Expression types: found where they are, and the same whatever genes and cells are called."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from cellcarve.carve.types import _directions, _kmeans, learn_types

GENES, CELLS, KINDS = 60, 400, 5


@pytest.fixture(scope="module")
def planted():
    """Counts of cells of five kinds, the kind of each cell, and the kinds' profiles."""
    rng = np.random.default_rng(0)
    profile = rng.dirichlet(np.full(GENES, 0.3), KINDS)
    kind = rng.integers(0, KINDS, CELLS)
    counts = np.stack([rng.multinomial(rng.integers(20, 80), profile[k]) for k in kind])
    return csr_matrix(counts.astype(np.float32)), kind, profile


def overall(counts):
    total = np.asarray(counts.sum(0)).ravel() + 0.5
    return total / total.sum()


def test_planted_profiles_are_found(planted):
    counts, _, profile = planted
    types = learn_types(counts, overall(counts), KINDS)
    np.testing.assert_allclose(types.profile.sum(0), 1, atol=1e-5)
    assert types.share.sum() == pytest.approx(1)
    apart = np.abs(types.profile[:, :, None] - profile.T[:, None, :]).sum(0)
    assert sorted(apart.argmin(0)) == list(range(KINDS))
    assert apart.min(0).max() < 0.25


def test_renumbered_genes_and_cells(planted):
    counts, *_ = planted
    rng = np.random.default_rng(1)
    gene, cell = rng.permutation(GENES), rng.permutation(CELLS)
    one = learn_types(counts, overall(counts), 20)
    other = learn_types(counts[cell][:, gene], overall(counts)[gene], 20)
    np.testing.assert_allclose(other.share, one.share, rtol=1e-3)
    np.testing.assert_allclose(other.profile, one.profile[gene], atol=1e-5)


def test_directions_hold_what_the_exact_ones_hold(planted):
    """A dense singular value decomposition is the slow twin."""
    counts, *_ = planted
    share = overall(counts)
    size = np.asarray(counts.sum(1)) + 20
    dense = np.sqrt((counts.toarray() + 20 * share) / size)
    value = np.linalg.svd(dense - dense.mean(0), compute_uv=False)
    place = _directions(counts, share, 20)
    # Cells stay as far apart as the leading directions allow, up to what a few rounds of iteration leave.
    assert (place**2).sum() == pytest.approx((value[:20] ** 2).sum(), rel=0.03)
    np.testing.assert_allclose((place**2).sum(0)[:4], value[:4] ** 2, rtol=1e-3)


def lloyd(place, centre, rounds=30):
    """Plain k-means from given centres."""
    for _ in range(rounds):
        label = ((place[:, None] - centre) ** 2).sum(2).argmin(1)
        centre = np.stack(
            [place[label == k].mean(0) if (label == k).any() else centre[k] for k in range(len(centre))]
        )
    return label


def inertia(place, label):
    return sum(((place[label == k] - place[label == k].mean(0)) ** 2).sum() for k in np.unique(label))


@pytest.mark.parametrize("number", [5, 12])
def test_groups_are_as_tight_as_those_of_random_starts(planted, number):
    counts, *_ = planted
    place = _directions(counts, overall(counts), 20)
    rng = np.random.default_rng(2)
    starts = [place[rng.choice(CELLS, number, replace=False)] for _ in range(10)]
    random = [inertia(place, lloyd(place, centre)) for centre in starts]
    assert inertia(place, _kmeans(place, number)) <= np.median(random)


@pytest.mark.parametrize(
    "counts",
    [np.ones((50, 3)), np.ones((50, 1)), np.ones((1, 4)), np.zeros((0, 4)), np.zeros((5, 4)), np.eye(40)],
    ids=["all alike", "one gene", "one cell", "no cell", "empty cells", "nothing in common"],
)
def test_hardly_anything_to_learn_from(counts):
    share = np.full(counts.shape[1], 1 / counts.shape[1])
    types = learn_types(csr_matrix(counts.astype(np.float32)), share, 20)
    assert np.isfinite(types.profile).all()
    assert types.share.sum() == pytest.approx(1)
