"""Kinds of cells: as many as there are, found again."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from cellcarve.mixture.kinds import group, how_many


def sample(types, cells=160, genes=80, per_cell=80, seed=4):
    rng = np.random.default_rng(seed)
    profile = rng.dirichlet(np.full(genes, 0.3), types)
    own = rng.integers(0, types, cells)
    counts = np.array([rng.multinomial(per_cell, profile[t]) for t in own]).astype(np.float32)
    return csr_matrix(counts), (counts.sum(0) + 0.1) / (counts.sum() + 0.1 * genes), own, profile


@pytest.mark.parametrize(("types", "least", "most"), [(1, 1, 1), (4, 4, 8)])
def test_halves_of_cells_tell_how_many_kinds_there_are(types, least, most):
    """Two kinds for one type do no harm, two types in one kind would."""
    held, base, _, _ = sample(types)
    assert least <= how_many(held, base, 16, np.random.default_rng(0)) <= most


def test_kinds_are_found_again():
    held, base, own, profile = sample(4)
    found, share = group(held, base, 4, np.random.default_rng(0), True)
    match = np.abs(found[:, None] - profile[None]).sum(2).argmin(0)
    assert sorted(match) == [0, 1, 2, 3]
    assert share[match] == pytest.approx(np.bincount(own) / len(own), abs=0.02)
    assert np.abs(found[match] - profile).sum(1).max() < 0.25
