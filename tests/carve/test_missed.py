"""What speaks for a missed cell: the genes of nuclei, and one more mix of programmes."""

from types import SimpleNamespace

import numpy as np
import pytest

from cellcarve.carve.lattice import Lattice, pixels_of
from cellcarve.carve.missed import _blend, _gain, _settle, within_reach
from cellcarve.carve.model import Geometry, Model, Scale
from cellcarve.carve.types import Types, keep_to_nuclei
from cellcarve.data.exclusion import Exclusion


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


def test_transcripts_within_reach_are_found_by_measuring_them_all():
    rng = np.random.default_rng(4)
    lattice = Lattice(1.5, -30.0, -21.0, 40, 30)
    x, y = (rng.uniform(low, high, 800).astype(np.float32) for low, high in ((-30, 30), (-21, 24)))
    place = rng.uniform((-32, -23), (32, 26), (25, 2))
    scene = SimpleNamespace(lattice=lattice, view=SimpleNamespace(x=x, y=y), pixel=pixels_of(lattice, x, y))
    owner, transcript, away = within_reach(scene, place, 6.0)
    every = np.hypot(place[:, :1] - x, place[:, 1:] - y)
    assert sorted(zip(owner.tolist(), transcript.tolist(), strict=True)) == [
        tuple(pair) for pair in np.argwhere(every <= 6.0).tolist()
    ]
    assert (np.diff(owner) >= 0).all()
    np.testing.assert_allclose(away, every[owner, transcript], atol=1e-5)


def test_each_place_has_a_blend_of_its_own():
    """EM over how much the cells around leak, place by place and written with arrays."""
    rng = np.random.default_rng(5)
    places, cells, number = 4, 7, 90
    owner = np.sort(rng.integers(0, places, 150)).astype(np.int32)
    transcript = rng.integers(0, number, 150).astype(np.int32)
    gene, pixel = rng.integers(0, 12, number).astype(np.int32), rng.integers(0, 20, number).astype(np.int32)
    candidate = np.array([rng.permutation(cells)[:3] + 1 for _ in range(20)], np.int32)
    candidate[rng.random(20) < 0.3, 2] = 0
    candidate[:2] = 0
    around = rng.random((number, 3)).astype(np.float32)
    weight = rng.dirichlet(np.ones(3), cells + 1).astype(np.float32)
    profile = rng.dirichlet(np.ones(12), 3).T.astype(np.float32)
    common, clear = profile.mean(1), 0.8
    found = _blend(
        (owner, transcript), (gene, pixel, candidate), around, weight, profile, (common, np.float32(clear))
    )
    share = weight @ profile.T
    for s in range(places):
        t = transcript[owner == s]
        cell, g = candidate[pixel[t]], gene[t]
        near = np.where(cell > 0, around[t], 0)
        chance = np.where(cell > 0, share[cell, g[:, None]], 0)
        level, known = np.ones(cells + 1), None
        for _ in range(7):
            part = near * level[cell]
            total = part.sum(1)
            part = clear * part / np.maximum(total, 1e-12)[:, None]
            known = np.where(total > 0, 1 - clear, 1) * common[g] + (part * chance).sum(1)
            held = np.bincount(cell.ravel(), (part * chance / known[:, None]).ravel(), cells + 1)
            due = np.bincount(cell.ravel(), part.ravel(), cells + 1)
            level = level * (held + 2) / (due + 2)
        np.testing.assert_allclose(found[owner == s], known, rtol=2e-3)
