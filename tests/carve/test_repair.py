"""Merged nuclei are cut, split ones joined, sound ones left alone."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from cellcarve.carve.nuclei import extent, moments
from cellcarve.carve.repair import _halves, repair
from cellcarve.carve.types import learn_types, log_likelihood

GENES, PER_NUCLEUS, RADIUS = 30, 80, 4.0


class Discs:
    """Nuclei as discs with one of two programmes each: neighbours at 2 x radius come in pairs, pairs far apart."""

    def __init__(self, pairs, same, seed=0):
        rng = np.random.default_rng(seed)
        middle = np.repeat(np.c_[np.arange(pairs) % 8, np.arange(pairs) // 8] * 40.0, 2, 0)
        middle[1::2, 0] += 2 * RADIUS
        self.nucleus = np.repeat(np.arange(2 * pairs), PER_NUCLEUS)
        r = RADIUS * np.sqrt(rng.random(len(self.nucleus)))
        turn = rng.uniform(0, 2 * np.pi, len(self.nucleus))
        self.x = (middle[self.nucleus, 0] + r * np.cos(turn)).astype(np.float32)
        self.y = (middle[self.nucleus, 1] + r * np.sin(turn)).astype(np.float32)
        self.right_half = self.x > middle[self.nucleus, 0]
        first = np.repeat(rng.integers(0, 2, pairs), 2)
        self.programme = first if same else first ^ (np.arange(2 * pairs) % 2)
        profile = np.vstack([np.r_[np.full(15, 9.0), np.ones(15)], np.r_[np.ones(15), np.full(15, 9.0)]])
        profile /= profile.sum(1, keepdims=True)
        kind = self.programme[self.nucleus]
        draw = rng.random(len(kind))
        self.gene = (draw[:, None] > np.cumsum(profile, 1)[kind]).sum(1).clip(max=GENES - 1).astype(np.int32)

    def types(self):
        counts = np.zeros((self.nucleus.max() + 1, GENES))
        np.add.at(counts, (self.nucleus, self.gene), 1)
        overall = counts.sum(0) / counts.sum()
        return learn_types(csr_matrix(counts), overall, 2)

    def repaired(self, label):
        label = label.astype(np.int32)
        return repair(label, self.x, self.y, self.gene, int(label.max()), self.types())


def test_types_are_the_two_programmes():
    profile = Discs(24, same=False).types().profile
    np.testing.assert_allclose(profile.sum(0), 1, atol=1e-5)
    assert sorted((profile[:15].sum(0) > 0.5).tolist()) == [False, True]


def test_two_nuclei_under_one_id_are_cut():
    discs = Discs(24, same=False)
    label = discs.nucleus + 1
    merged = np.arange(0, 16, 2)
    for n in merged:
        label[discs.nucleus == n + 1] = n + 1
    found = discs.repaired(label)
    for n in merged:
        a, b = found.label[discs.nucleus == n], found.label[discs.nucleus == n + 1]
        left, right = np.bincount(a).argmax(), np.bincount(b).argmax()
        assert left != right
        assert (a == left).mean() > 0.95
        assert (b == right).mean() > 0.95
        assert {int(found.parent[left]), int(found.parent[right])} == {int(n) + 1}
        assert found.cut[[left, right]].all()
    assert found.cut.sum() == 2 * len(merged)
    sound = discs.nucleus >= 16
    np.testing.assert_array_equal(found.label[sound], label[sound])


def test_two_halves_of_one_nucleus_are_joined():
    discs = Discs(24, same=False)
    label = discs.nucleus + 1
    halved = np.arange(0, 48, 6)
    extra = 48
    for n in halved:
        extra += 1
        label[(discs.nucleus == n) & discs.right_half] = extra
    found = discs.repaired(label)
    joined = [len(np.unique(found.label[discs.nucleus == n])) == 1 for n in halved]
    assert sum(joined) >= len(halved) - 1
    assert found.joined.sum() == sum(joined)
    whole = ~np.isin(discs.nucleus, halved)
    np.testing.assert_array_equal(found.label[whole], label[whole])


@pytest.mark.parametrize("same", [False, True])
def test_sound_nuclei_are_left_alone(same):
    discs = Discs(48, same)
    found = discs.repaired(discs.nucleus + 1)
    assert (found.label != discs.nucleus + 1).mean() <= 0.01
    # Two touching nuclei of one programme are as likely one cell by expression; their shape must keep them apart.
    assert found.cut.sum() + found.joined.sum() <= 2


def test_perfect_prior_is_left_alone(perfect):
    prior, gene = perfect.prior, perfect.table.gene
    core = np.flatnonzero(prior.core & (prior.cell > 0))
    cells = len(prior.names)
    one = np.ones(len(core), np.float32)
    counts = csr_matrix((one, (prior.cell[core] - 1, gene[core])), shape=(cells, len(perfect.table.genes)))
    overall = (np.bincount(gene, minlength=counts.shape[1]) + 0.5) / (len(gene) + 0.5 * counts.shape[1])
    types = learn_types(counts, overall, 20)
    x, y = perfect.table.x[core], perfect.table.y[core]
    found = repair(prior.cell[core], x, y, gene[core], cells, types)
    assert (found.label != prior.cell[core]).mean() <= 0.01


def test_log_likelihood_prefers_one_source_where_there_is_one():
    discs = Discs(24, same=True)
    types = discs.types()
    alone = log_likelihood(types, discs.nucleus.astype(np.int32), discs.gene, 48)
    pair = log_likelihood(types, (discs.nucleus // 2).astype(np.int32), discs.gene, 24)
    gain_same = alone.reshape(-1, 2).sum(1) - pair
    other = Discs(24, same=False)
    alone = log_likelihood(types, other.nucleus.astype(np.int32), other.gene, 48)
    pair = log_likelihood(types, (other.nucleus // 2).astype(np.int32), other.gene, 24)
    gain_other = alone.reshape(-1, 2).sum(1) - pair
    assert gain_same.max() < 5
    assert gain_other.min() > 10


def test_extent_is_proportional_to_area():
    rng = np.random.default_rng(0)
    r, turn = np.sqrt(rng.random(20_000)), rng.uniform(0, 2 * np.pi, 20_000)
    label = np.repeat([1, 2], 10_000).astype(np.int32)
    size = np.where(label == 1, 2.0, 6.0)
    found = extent(label, size * r * np.cos(turn), size * r * np.sin(turn) * 0.5, 2)
    assert found[2] / found[1] == pytest.approx(9, rel=0.05)
    assert 4 * np.pi * found[1] == pytest.approx(np.pi * 2 * 1, rel=0.05)


def test_halves_of_a_disc_are_flat_and_even_and_two_discs_are_not():
    rng = np.random.default_rng(5)
    r, turn = 4 * np.sqrt(rng.random(40_000)), rng.uniform(0, 2 * np.pi, 40_000)
    x, y = r * np.cos(turn), r * np.sin(turn)
    # Cells 1 and 2 are the halves of a disc, 3 and 4 two discs side by side.
    x, y = np.concatenate([x, x, x + 8]), np.concatenate([y, y, y])
    label = np.repeat([0, 3, 4], 40_000)
    label[:40_000] = np.where(x[:40_000] + y[:40_000] > 0, 1, 2)
    apart, flat, uneven = _halves(np.array([1, 3]), np.array([2, 4]), np.stack(moments(label, x, y, 4)[1:]))
    np.testing.assert_allclose(apart, [1.61, 2.0], atol=0.02)
    np.testing.assert_allclose(flat, [0.64, 0.0], atol=0.02)
    np.testing.assert_allclose(uneven, 0, atol=0.02)
