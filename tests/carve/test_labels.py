"""The compiled steps of the model against slow twins that follow the equations word by word."""

import numpy as np
import pytest

from cellcarve.carve import labels as kernel
from cellcarve.carve.distance import scale_gaps
from cellcarve.carve.types import split_counts
from cellcarve.data.sorting import rows_of

NX, NY, K, CELLS, GENES, TYPES, V = 7, 5, 3, 6, 8, 4, 120
NEAR = {"rtol": 1e-5, "atol": 1e-5}


class Little:
    """A tiny random scene: pixels, candidates, soft labels, transcripts, programmes."""

    def __init__(self, seed):
        rng = self.rng = np.random.default_rng(seed)
        pixels = NX * NY
        self.candidate = np.zeros((pixels, K), np.int32)
        for v in range(pixels):
            known = rng.integers(0, K + 1)
            self.candidate[v, :known] = rng.choice(np.arange(1, CELLS + 1), known, replace=False)
        self.score = rng.normal(0, 2, (pixels, K + 1)).astype(np.float32)
        self.score[:, :K][self.candidate == 0] = -1e9
        self.label = np.zeros((pixels, K + 1), np.float32)
        kernel.normalise(self.score, self.label)
        self.leaked = rng.random((pixels, K), np.float32) * (self.candidate > 0)
        self.pixel = rng.integers(0, pixels, V).astype(np.int32)
        self.gene = rng.integers(0, GENES, V).astype(np.int32)
        self.weight = rng.dirichlet(np.ones(TYPES), CELLS + 1).astype(np.float32)
        self.profile = rng.dirichlet(np.ones(GENES), TYPES).T.astype(np.float32)
        self.density = rng.uniform(0.5, 2, CELLS + 1).astype(np.float32)
        self.density[0] = 0
        self.background = rng.uniform(0.01, 0.1, GENES).astype(np.float32)
        self.within = np.exp(rng.normal(0, 0.5, (V, K))).astype(np.float32)
        self.rate = np.zeros((V, K), np.float32)
        kernel.expected_rates(
            self.gene, self.pixel, self.candidate, self.weight, self.profile, self.density, self.rate
        )
        self.mine = np.zeros((V, K + 1), np.float32)
        self.share = np.float32(0.3)
        kernel.choose_cells(
            (self.pixel, self.gene),
            self.rate,
            self.within,
            (self.label, self.leaked),
            self.background,
            self.share,
            self.mine,
        )


@pytest.fixture(params=range(5))
def little(request):
    return Little(request.param)


def softmax(row):
    row = np.asarray(row, np.float64)
    e = np.exp(row - row.max())
    return e / e.sum()


def test_expected_rates(little):
    share = little.weight.astype(float) @ little.profile.T.astype(float)
    for t in range(V):
        for k in range(K):
            c = little.candidate[little.pixel[t], k]
            wanted = little.density[c] * share[c, little.gene[t]] if c else 0
            assert little.rate[t, k] == pytest.approx(wanted, rel=1e-5)


def test_normalise_is_a_softmax(little):
    wanted = [softmax(row) for row in little.score]
    np.testing.assert_allclose(little.label, wanted, **NEAR)
    assert (little.label[:, :K][little.candidate == 0] == 0).all()


def test_normalise_survives_extreme_scores():
    score = np.array([[-1e9, -1e9, -1e9], [0, 300, -300]], np.float32)
    label = np.empty_like(score)
    kernel.normalise(score, label)
    np.testing.assert_allclose(label, [[1 / 3] * 3, [0, 1, 0]], atol=1e-6)


def test_prior_scores(little):
    rng = little.rng
    gap = rng.uniform(-1, 12, little.candidate.shape).astype(np.float32)
    unit = rng.uniform(2, 5, CELLS + 1).astype(np.float32)
    shift = rng.normal(0, 0.3, CELLS + 1).astype(np.float32)
    bonus = (rng.random(gap.shape) < 0.2).astype(np.float32) * 3
    score = np.empty_like(little.score)
    beta, nothing = np.float32(0.6), np.float32(2.5)
    kernel.prior_scores(little.candidate, gap, unit, shift, beta, nothing, bonus, score)
    np.testing.assert_allclose(score[:, K], -0.6 * 2.5**2, rtol=1e-5)
    for v in range(NX * NY):
        for k in range(K):
            c = little.candidate[v, k]
            rho = 1 + gap[v, k] / unit[c] + shift[c]
            wanted = -0.6 * rho**2 + bonus[v, k] if c else -1e9
            assert score[v, k] == pytest.approx(wanted, rel=1e-5, abs=1e-5)


def leak(label, candidate, cells, nx, decay):
    order, start = rows_of(candidate.ravel(), cells + 2)
    place, slot = order // candidate.shape[1], (order % candidate.shape[1]).astype(np.int8)
    inside, box = kernel.frame(place, start, nx)
    leaked = np.zeros(candidate.shape, np.float32)
    kernel.leak(label, (place, slot, inside), start, box, decay, leaked)
    return leaked


def test_costs_are_taken_from_each_cells_score(little):
    cost = little.rng.random(CELLS + 1).astype(np.float32)
    cost[0] = 0
    score = np.empty_like(little.score)
    kernel.subtract_cost(little.score, cost, little.candidate, score)
    expected = little.score.copy()
    expected[:, :K] -= cost[little.candidate]
    np.testing.assert_allclose(score, expected, **NEAR)


def test_labels_are_corrected_for_the_place_within_a_pixel(little):
    """exp(strength (rho^2 of the pixel - rho^2 of the transcript)), within e^-9 .. e^9 and 1 without a candidate."""
    rng = little.rng
    gap = rng.uniform(-2, 30, (NX * NY, K)).astype(np.float32)
    gap_here = (gap[little.pixel] + rng.normal(0, 0.5, (V, K))).astype(np.float32)
    gap_here[0] = 999.0
    unit = rng.uniform(1, 4, CELLS + 1).astype(np.float32)
    shift = rng.normal(0, 0.1, CELLS + 1).astype(np.float32)
    here = scale_gaps(little.candidate, little.pixel, gap_here, unit, shift)
    cell = little.candidate[little.pixel]
    there = cell > 0

    def scaled(distance):
        return 1 + distance / unit[cell] + shift[cell]

    expected = np.where(there & (gap_here < 900), scaled(gap_here), 1000)
    np.testing.assert_allclose(here, expected, **NEAR)
    within = kernel.correct(little.candidate, little.pixel, gap, here, unit, shift, np.float32(0.7))
    change = 0.7 * (scaled(gap[little.pixel]).astype(float) ** 2 - expected**2)
    expected = np.where(there, np.exp(np.clip(change, -9, 9)), 1)
    np.testing.assert_allclose(within, expected, rtol=2e-3)
    assert (change[there] < -9).any()
    assert (np.abs(change[there]) < 3).any()


def test_leak_is_a_convolution_with_the_laplace_kernel(little):
    decay = np.float32(0.6)
    leaked = leak(little.label, little.candidate, CELLS, NX, decay)
    d = float(decay)
    across = np.abs(np.subtract.outer(np.arange(NX), np.arange(NX)))
    along = np.abs(np.subtract.outer(np.arange(NY), np.arange(NY)))
    norm = (1 - d) / (1 + d)
    for c in range(1, CELLS + 1):
        here = little.candidate == c
        image = np.where(here, little.label[:, :K], 0).sum(1).reshape(NY, NX).astype(float)
        smooth = (norm * d**along) @ image @ (norm * d**across)
        pixel, slot = np.nonzero(here)
        np.testing.assert_allclose(leaked[pixel, slot], smooth.ravel()[pixel], **NEAR)
    assert (leaked[little.candidate == 0] == 0).all()


def test_leak_loses_nothing_in_wide_surroundings():
    side, decay = 41, np.float32(0.5)
    candidate = np.ones((side * side, 1), np.int32)
    label = np.zeros((side * side, 2), np.float32)
    label[side * (side // 2) + side // 2, 0] = 1
    leaked = leak(label, candidate, 1, side, decay)
    assert leaked.sum() == pytest.approx(1, abs=1e-4)
    image = leaked.reshape(side, side)
    np.testing.assert_allclose(image, image.T, atol=1e-7)
    np.testing.assert_allclose(image, image[::-1, ::-1], atol=1e-7)


def test_choose_cells(little):
    for t in range(V):
        v, g = little.pixel[t], little.gene[t]
        label = little.label[v].astype(float)
        inside = label[:K] * little.within[t]
        q = inside / (inside.sum() + label[K])
        joint = little.rate[t] * ((1 - little.share) * q + little.share * little.leaked[v])
        joint = np.append(joint, little.background[g])
        np.testing.assert_allclose(little.mine[t], joint / joint.sum(), **NEAR)


def test_posteriors_add_up_to_one_and_respect_candidates(little):
    np.testing.assert_allclose(little.mine.sum(1), 1, atol=1e-5)
    assert (little.mine >= 0).all()
    assert (little.mine[:, :K][little.candidate[little.pixel] == 0] == 0).all()
    assert (little.mine[:, K] > 0).all()


def test_gather_evidence(little):
    score = little.score.copy()
    temper = np.float32(0.8)
    where = (little.pixel, little.gene)
    kernel.gather_evidence(
        where, little.rate, little.leaked, little.background, (little.share, temper), score
    )
    wanted = little.score.astype(float)
    for t in range(V):
        v = little.pixel[t]
        rate = little.rate[t].astype(float)
        rest = little.background[little.gene[t]] + float(little.share) * (little.leaked[v] * rate).sum()
        for k in range(K):
            if rate[k] > 0:
                clear = (1 - float(little.share)) * rate[k]
                wanted[v, k] += float(temper) * (np.log(clear + rest) - np.log(rest))
    np.testing.assert_allclose(score, wanted, **NEAR)


@pytest.mark.parametrize("colour", [0, 1])
def test_relabel(little, colour):
    coupling = 0.8
    label = little.label.copy()
    kernel.relabel(colour, NX, little.candidate, little.score, np.float32(coupling), label)
    for v in range(NX * NY):
        y, x = divmod(v, NX)
        if (x + y) % 2 != colour or little.candidate[v, 0] == 0:
            np.testing.assert_array_equal(label[v], little.label[v])
            continue
        total = little.score[v].astype(float)
        for dy, dx in ((-1, 0), (1, 0), (0, -1), (0, 1)):
            if not (0 <= y + dy < NY and 0 <= x + dx < NX):
                continue
            w = (y + dy) * NX + x + dx
            total[K] += coupling * little.label[w, K]
            for k in range(K):
                same = (little.candidate[w] == little.candidate[v, k]) & (little.candidate[v, k] > 0)
                total[k] += coupling * little.label[w, :K][same].sum()
        np.testing.assert_allclose(label[v], softmax(total), **NEAR)


def split(little):
    """Soft transcripts of (cell, programme), (gene, programme) and background genes."""
    gained, totals, back = np.zeros((CELLS + 1, TYPES)), np.zeros((GENES, TYPES)), np.zeros(GENES)
    for t in range(V):
        g = little.gene[t]
        back[g] += little.mine[t, K]
        for k in range(K):
            c, r = little.candidate[little.pixel[t], k], little.mine[t, k]
            if c and r >= 0.01:
                part = little.weight[c].astype(float) * little.profile[g]
                gained[c] += r * part / part.sum()
                totals[g] += r * part / part.sum()
    return gained, totals, back


def test_recount_and_total_types(little):
    gained, totals, back = split(little)
    mine, programmes = np.zeros((CELLS + 1, TYPES)), np.zeros((GENES, TYPES))
    nothing = np.zeros(GENES)
    args = (little.pixel, little.gene, little.candidate, little.mine, little.weight, little.profile)
    kernel.recount(*args, mine, nothing)
    kernel.total_types(*args, programmes)
    np.testing.assert_allclose(mine, gained, **NEAR)
    np.testing.assert_allclose(nothing, back, **NEAR)
    np.testing.assert_allclose(programmes, totals, **NEAR)
    # Only shares below a hundredth are let go.
    assert V - 0.01 * K * V <= mine.sum() + nothing.sum() <= V + 1e-3
    assert mine.sum() == pytest.approx(programmes.sum())


def test_territory_counts_the_label(little):
    area = np.zeros(CELLS + 1)
    kernel.territory(little.candidate, little.label, area)
    for c in range(1, CELLS + 1):
        assert area[c] == pytest.approx(little.label[:, :K][little.candidate == c].sum(), abs=1e-4)
    assert area[0] == 0


def test_split_counts(little):
    rng = little.rng
    cell = rng.integers(0, CELLS, V).astype(np.int32)
    amount = rng.integers(1, 5, V).astype(np.float32)
    gained, totals = np.zeros((CELLS, TYPES)), np.zeros((GENES, TYPES))
    split_counts(cell, little.gene, amount, little.weight, little.profile, gained, totals)
    part = little.weight[cell].astype(float) * little.profile[little.gene]
    part *= (amount / part.sum(1))[:, None]
    by_cell, by_gene = np.zeros_like(gained), np.zeros_like(totals)
    np.add.at(by_cell, cell, part)
    np.add.at(by_gene, little.gene, part)
    np.testing.assert_allclose(gained, by_cell, **NEAR)
    np.testing.assert_allclose(totals, by_gene, **NEAR)
    assert gained.sum() == pytest.approx(amount.sum(), rel=1e-5)
