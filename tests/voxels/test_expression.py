import math

import numpy as np
import pytest
from numba import njit
from scipy import stats
from toy import Toy

from cellcarve.voxels.background import draw_background
from cellcarve.voxels.components import draw_volumes, odds_score, step_odds, update_dims
from cellcarve.voxels.expression import Mixture, component_scores, draw_rates, rest_of
from cellcarve.voxels.factors import pick, weigh
from cellcarve.voxels.rates import slot_of, unseen
from cellcarve.voxels.threads import Threads
from cellcarve.voxels.zeros import between, knots_of

SIZE = np.array([[0.5, 2.0], [1.5, 0.2], [1.0, 4.0], [3.0, 1.0]], np.float32)
ODDS = np.array([[0.02, 0.5], [0.1, 0.01], [1.0, 0.003], [0.05, 0.2]], np.float32)


def test_sums_over_zeros_are_interpolated_closely():
    knots = knots_of(SIZE, ODDS, 3, Threads(1))
    for m in (0, 1):
        for exposed in np.exp(np.linspace(-3, 9, 41)):
            r, s = SIZE[:, m].astype(float), ODDS[:, m].astype(float)
            load = s * exposed
            plain = slice(0, 3)
            true = [
                -(r * np.log1p(load)).sum(),
                (r * s / (1 + load))[plain].sum(),
                (r * (s / (1 + load)) ** 2)[plain].sum(),
            ]
            found = [between(knots, m, which, math.log(exposed)) for which in (0, 2, 4)]
            assert found == pytest.approx(true, rel=2e-3)


def test_component_weights_are_those_of_the_negative_binomial():
    toy = Toy(genes=5, cells=3)
    toy.rates.tally[toy.rates.key >= 0] = np.arange(1, 13)[: int((toy.rates.key >= 0).sum())]
    knots = knots_of(toy.rates.size, toy.rates.odds, 5, Threads(1))
    log_weight = np.log([0.3, 0.7])
    volume = np.array([1.0, 4.0, 7.0, 9.0])
    mixture = Mixture(
        log_weight,
        toy.sizes.mean,
        toy.sizes.half_precision,
        knots,
        np.zeros(4, np.int32),
        volume,
        np.zeros((4, 0), np.int32),
    )
    for cell in (1, 2, 3):
        product, total = np.empty(2), np.empty(2)
        component_scores(toy.cells, toy.rates, mixture, cell, product, total)
        counts = np.zeros(5, int)
        span = slice(toy.rates.start[cell], toy.rates.start[cell + 1])
        held = toy.rates.key[span] >= 0
        counts[toy.rates.key[span][held]] = toy.rates.tally[span][held]
        load = toy.rates.odds.astype(float) * toy.cells.exposed[cell]
        true = log_weight + [
            stats.nbinom.logpmf(counts, toy.rates.size[:, m], 1 / (1 + load[:, m])).sum()
            + stats.norm.logpdf(
                math.log(volume[cell]), toy.sizes.mean[m], math.sqrt(0.5 / toy.sizes.half_precision[m])
            )
            for m in (0, 1)
        ]
        assert total[0] - total[1] == pytest.approx(true[0] - true[1], abs=2e-3)


@njit
def _odds(counts, cells, exposed, size, prior, n):
    out, value = np.empty(n), -1.0
    for sweep in range(n):
        address = np.array([3, sweep])
        value = step_odds(value, address, counts, cells, exposed, size, prior, 5)
        out[sweep] = value
    return out


@pytest.mark.parametrize("total", [0, 3, 200])
def test_odds_follow_their_posterior(total):
    exposed, cells = np.array([20.0, 60.0, 150.0]), np.array([5.0, 20.0, 4.0])
    counts = np.array([0, total, total // 3], np.int32)
    grid = np.linspace(-25, 8, 20_001)
    score = np.array([odds_score(v, counts, cells, exposed, 0.7, (1.0, 0.1)) for v in grid])
    weight = np.exp(score - score.max())
    cdf = np.cumsum(weight) / weight.sum()
    drawn = _odds(counts, cells, exposed, 0.7, (1.0, 0.1), 40_000)[200:]
    for q in (0.1, 0.5, 0.9):
        assert np.mean(drawn < grid[np.searchsorted(cdf, q)]) == pytest.approx(q, abs=0.03)


def _known_rates(cell, gene):
    toy = Toy(genes=5, cells=3)
    return toy, slot_of(toy.rates.start, toy.rates.key, cell, gene)


def test_rates_without_counts_are_drawn_from_their_gamma():
    toy, slot = _known_rates(1, 4)
    assert slot < 0
    drawn = []
    for sweep in range(4000):
        toy.rates.address[1] = sweep
        drawn.append(unseen(toy.rates, toy.cells.component, toy.cells.exposed, 1, 4))
    assert unseen(toy.rates, toy.cells.component, toy.cells.exposed, 1, 4) == drawn[-1]
    r, s = (float(v[4, toy.cells.component[1]]) for v in (toy.rates.size, toy.rates.odds))
    assert stats.kstest(drawn, "gamma", (r, 0, s / (1 + s * float(toy.cells.exposed[1])))).pvalue > 1e-3


def test_rates_with_counts_and_their_sum_are_drawn_from_the_posterior():
    toy, slot = _known_rates(1, 2)
    toy.rates.tally[slot] = 7
    knots = knots_of(toy.rates.size, toy.rates.odds, 5, Threads(1))
    mixture = Mixture(
        np.zeros(2),
        toy.sizes.mean,
        toy.sizes.half_precision,
        knots,
        np.zeros(4, np.int32),
        np.ones(4),
        np.zeros((4, 0), np.int32),
    )
    own, total = [], []
    for sweep in range(4000):
        toy.rates.address[1] = sweep
        draw_rates(toy.cells, toy.rates, mixture, (1, 2))
        own.append(float(toy.rates.value[slot]))
        total.append(float(toy.cells.total[1]))
    m, exposed = toy.cells.component[1], float(toy.cells.exposed[1])
    r, s = toy.rates.size[:, m].astype(float), toy.rates.odds[:, m].astype(float)
    kept = s / (1 + s * exposed)
    assert stats.kstest(own, "gamma", (r[2] + 7, 0, kept[2])).pvalue > 1e-3
    counts = np.array([1, 1, 7, 1, 0])
    spread = math.sqrt(((r + counts) * kept**2).sum())
    assert np.mean(total) == pytest.approx(((r + counts) * kept).sum(), abs=5 * spread / math.sqrt(4000))
    assert np.std(total) == pytest.approx(spread, rel=0.06)


def test_rest_is_nothing_where_every_gene_has_counts():
    toy = Toy()
    knots = knots_of(toy.rates.size, toy.rates.odds, 5, Threads(1))
    whole = between(knots, 0, 2, 1.0), between(knots, 0, 4, 1.0)
    assert rest_of(toy.rates, knots, 0, 1, 1.0, whole) == 0


@pytest.mark.parametrize("factors", [1, 3, 8, 13])
def test_factors_are_picked_as_often_as_they_weigh(factors):
    random = np.random.default_rng(factors)
    own, gene = random.random((2, factors), np.float32)
    weight = np.zeros((3, 4 * -(-factors // 4)), np.float32)
    weigh(own, gene, weight)
    grid = (np.arange(20_000) + 0.5) / 20_000 * float((own * gene).sum())
    share = np.bincount([pick(weight, v, factors) for v in grid], minlength=factors) / len(grid)
    assert len(share) == factors
    assert np.abs(share - own * gene / (own * gene).sum()).max() < 1e-3


def test_background_follows_its_gamma():
    background, counted = np.empty((1, 1), np.float32), np.array([[12.0]])
    drawn = []
    for sweep in range(4000):
        draw_background(background, counted, np.array([30.0]), np.array([1, sweep]), (0, 1))
        drawn.append(float(background[0, 0]))
    assert stats.kstest(drawn, "gamma", (13, 0, 1 / 31)).pvalue > 1e-3


@njit
def _ranks(rng, worlds, steps):
    """Rank of the true r, s and mean log volume among draws of a chain given data made with them."""
    ranks = np.zeros((worlds, 3))
    for world in range(worlds):
        r = max(rng.gamma(1.0, 1.0), 2e-4)
        s = np.exp(rng.normal(-1.0, math.sqrt(10.0)))
        spread = 1.0 / rng.gamma(4.0, 1.0)
        mean = rng.normal(math.log(50.0), 3.0)
        cells, exposed = 24.0, 1.5
        counts = np.array([rng.poisson(rng.gamma(r, s) * exposed) for _ in range(24)])
        logs = rng.normal(mean, math.sqrt(spread), 24)
        size, odds = np.full((1, 1), 1.0, np.float32), np.full((1, 1), 0.3, np.float32)
        found, precision = np.full(1, 4.0), np.full(1, 0.5)
        kept = 0
        for sweep in range(steps):
            address = np.array([world, sweep])
            tables = np.zeros((1, 1), np.int32)
            for x in counts:
                for j in range(x):
                    tables[0, 0] += rng.random() * (size[0, 0] + j) < size[0, 0]
            learnt = (np.full((1, 1, 1), counts.sum(), np.int32), tables)
            bins = (np.full((1, 1), cells), np.full(1, exposed))
            update_dims(size, odds, learnt, bins, (1.0, 1.0, 1.0, 0.1), address, 1, (0, 1))
            draw_volumes(
                np.full(1, 24.0),
                np.full(1, logs.sum()),
                np.full(1, (logs**2).sum()),
                address,
                found,
                precision,
            )
            if sweep % 20 == 19 and sweep >= steps // 4:
                kept += 1
                ranks[world] += np.array([float(size[0, 0]) < r, float(odds[0, 0]) < s, found[0] < mean])
        ranks[world] /= kept
    return ranks


@pytest.mark.slow
def test_components_are_calibrated_by_simulation():
    ranks = _ranks(np.random.default_rng(1), 400, 1600)
    for column in ranks.T:
        jitter = np.random.default_rng(0).uniform(0, 1 / 60, len(column))
        assert stats.kstest(np.clip(column * 59 / 60 + jitter, 0, 1), "uniform").pvalue > 1e-3
