"""What speaks for a missed cell: the genes of nuclei, and one more mix of programmes."""

import numpy as np
import pytest

from cellcarve.carve.exclusion import Exclusion
from cellcarve.carve.missed import _gain, _settle
from cellcarve.carve.model import Geometry, Model, Scale
from cellcarve.carve.types import Types, keep_to_nuclei


def test_genes_that_keep_to_nuclei_are_known():
    every = np.full(50, 4_000)
    share = np.repeat([0.2, 0.8], 25)
    ratio = keep_to_nuclei(np.random.default_rng(1).binomial(every, share), every)
    np.testing.assert_allclose(ratio, np.log(share / (1 - share)), atol=0.2)


@pytest.mark.parametrize("seed", range(4))
def test_chance_makes_no_gene_keep_to_nuclei(seed):
    every = np.full(300, 60)
    ratio = keep_to_nuclei(np.random.default_rng(seed).binomial(every, 0.4), every)
    assert np.abs(ratio).mean() < 0.08


def test_without_nuclei_no_gene_keeps_to_them():
    assert not keep_to_nuclei(np.zeros(5), np.ones(5)).any()


def programmes():
    """Two programmes of ten genes each, nearly apart."""
    profile = np.full((20, 2), 0.005, np.float32)
    profile[:10, 0] = profile[10:, 1] = 0.095
    return Types(profile, np.full(2, 0.5), profile.mean(1).astype(np.float64))


def test_another_programme_speaks_for_a_cell_and_the_known_one_does_not():
    types = programmes()
    rng = np.random.default_rng(2)
    gene = np.concatenate([rng.integers(0, 10, 30), rng.integers(10, 20, 30)]).astype(np.int32)
    owner = np.repeat(np.arange(2, dtype=np.int32), 30)
    none = np.zeros(20, np.float32)
    apart = Exclusion(np.zeros(21, np.int64), np.empty(0, np.int32))
    model = Model(types, Geometry(), Scale(1.0, 1.0, 3.0), 0.0, none, none, apart)
    own = np.full(60, 0.6, np.float32)
    gain = _gain(gene, owner, own, types.profile[gene, 0], model, 2)
    assert gain[0] < 2
    assert gain[1] > 15


def test_blend_of_the_cells_around_follows_the_genes():
    types = programmes()
    gene = np.random.default_rng(3).integers(10, 20, 80)
    cell = np.tile(np.array([1, 2], np.int32), (80, 1))
    chance, near = types.profile[gene], np.full((80, 2), 0.5, np.float32)
    common = np.full(80, 0.05, np.float32)
    cells = tuple(np.ones((3, 3), np.float32))
    known = np.empty(80, np.float32)
    _settle((cell, near, chance, common), np.float32(0.8), cells, known)
    even = 0.2 * common + 0.8 * chance.mean(1)
    assert np.log(known / even).mean() > 0.4
    assert (known <= 0.2 * common + 0.8 * chance.max(1) + 1e-6).all()
