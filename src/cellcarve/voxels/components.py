"""Updates of the mixture components: weights, volumes, dispersion r and odds s of every dimension."""

import math

import numpy as np
from numba import njit

from cellcarve.chain.compiled import LEAF
from cellcarve.chain.draws import GAMMA_STEP, gamma, normal_of
from cellcarve.chain.philox import unit, words
from cellcarve.chain.streams import DISPERSION, ODDS, VOLUME, WEIGHT
from cellcarve.voxels.state import Sizes

SMALLEST_SIZE = 2e-4
VOLUME_MEAN, VOLUME_PRECISION = math.log(50.0), 1.0 / 9.0
SPREAD_SHAPE, SPREAD_RATE = 4.0, 1.0
# What the proposal of odds takes for hits or misses where there are none, so that it is proper.
LOOSE = 0.5


@njit(**LEAF)
def log_sum(odds, cells, exposed):
    """Sum over bins of cells * ln(1 + odds * exposure)."""
    total = 0.0
    for b in range(exposed.size):
        if cells[b] > 0.0:
            total += cells[b] * math.log1p(odds * exposed[b])
    return total


@njit(**LEAF)
def odds_score(log_odds, counts, cells, exposed, size, prior):
    """Log posterior of ln s given counts (phi integrated out): negative binomial, normal prior (minus mean, precision)."""
    odds, total = math.exp(log_odds), 0.0
    for b in range(exposed.size):
        weight = counts[b] + size * cells[b]
        if weight > 0.0:
            total += counts[b] * log_odds - weight * math.log1p(odds * exposed[b])
    return total - 0.5 * prior[1] * (log_odds + prior[0]) ** 2


@njit(**LEAF)
def step_odds(log_odds, address, counts, cells, exposed, size, prior, item):
    """One Metropolis step for ln s, proposed as if all cells had one exposure and the prior were nearly flat.

    Then the share p = s E / (1 + s E) has a beta posterior, from whose ratio of two gamma numbers the proposal is
    drawn; what exposures and prior really are is put right by accepting or not.
    """
    hits, misses, load = 0.0, 0.0, 0.0
    for b in range(exposed.size):
        hits += counts[b]
        misses += size * cells[b]
        load += (counts[b] + size * cells[b]) * exposed[b]
    usual = load / (hits + misses) if load > 0.0 else 50.0
    hits, misses = hits if hits > 0.0 else LOOSE, misses if misses > 0.0 else LOOSE
    high = gamma(hits, address[0], ODDS, address[1], item, GAMMA_STEP)
    low = gamma(misses, address[0], ODDS, address[1], item, 2 * GAMMA_STEP)
    if high <= 1e-280 or low <= 1e-280:
        return log_odds
    proposed = math.log(high / low / usual)
    change = odds_score(proposed, counts, cells, exposed, size, prior)
    change -= odds_score(log_odds, counts, cells, exposed, size, prior)
    change += hits * (log_odds - proposed)
    both = hits + misses
    change += both * (math.log1p(math.exp(proposed) * usual) - math.log1p(math.exp(log_odds) * usual))
    accepted = math.log(unit(words(address[0], ODDS, address[1], item, 0)[0])) < change
    return proposed if accepted else log_odds


@njit(**LEAF)
def update_dims(size, odds, learnt, bins, hyper, address, sampled, span):
    """Update r (if it is sampled) and s of the dimensions of a range, in all components.

    Parameters
    ----------
    size, odds
        float32 (k, m): r and s; they change.
    learnt
        (counts, tables) as of `learn_from`.
    bins
        (cells float64 (m, bin), exposure float64 (bin,)).
    hyper
        (shape, scale) of the prior on r, (minus mean, precision) of that on ln s: four numbers.
    address
        int64 (2,): seed, sweep.
    sampled
        1: draw r.
    span
        (first, last).
    """
    counts, tables = learnt
    cells, exposed = bins
    components = size.shape[1]
    for k in range(span[0], span[1]):
        for m in range(components):
            item = k * components + m
            if sampled:
                rate = 1.0 / hyper[1] + log_sum(odds[k, m], cells[m], exposed)
                drawn = gamma(hyper[0] + tables[k, m], address[0], DISPERSION, address[1], item, 0)
                size[k, m] = max(drawn / rate, SMALLEST_SIZE)
            prior = (hyper[2], hyper[3])
            odds[k, m] = math.exp(
                step_odds(
                    math.log(odds[k, m]), address, counts[k, m], cells[m], exposed, size[k, m], prior, item
                )
            )


@njit(**LEAF)
def draw_volumes(number, total, squares, address, mean, half_precision):
    """Draw mean and spread of ln V of every component, in place.

    Parameters
    ----------
    number, total, squares
        float64 (m,): cells, sum of ln V, sum of its squares.
    address
        int64 (2,): seed, sweep.
    mean, half_precision
        float64 (m,): change.
    """
    for m in range(mean.size):
        precision = VOLUME_PRECISION + 2.0 * half_precision[m] * number[m]
        centre = VOLUME_PRECISION * VOLUME_MEAN + 2.0 * half_precision[m] * total[m]
        a, b, _, _ = words(address[0], VOLUME, address[1], m, 0)
        mean[m] = centre / precision + normal_of(a, b) / math.sqrt(precision)
        spread = squares[m] - 2.0 * mean[m] * total[m] + number[m] * mean[m] ** 2
        rate = SPREAD_RATE + 0.5 * max(spread, 0.0)
        drawn = gamma(SPREAD_SHAPE + 0.5 * number[m], address[0], VOLUME, address[1], m, 1)
        half_precision[m] = 0.5 * drawn / rate


@njit(**LEAF)
def draw_weights(number, address, log_weight):
    """Draw the mixture weights: Dirichlet(1 + cells); `log_weight` (m,) changes."""
    total = 0.0
    for m in range(number.size):
        drawn = gamma(1.0 + number[m], address[0], WEIGHT, address[1], m, GAMMA_STEP)
        log_weight[m] = drawn
        total += drawn
    for m in range(number.size):
        log_weight[m] = math.log(max(log_weight[m] / total, 1e-300))


def update_volumes(sizes: Sizes, component: np.ndarray, volume: np.ndarray, address: np.ndarray) -> None:
    """Draw mean and spread of ln V of every component from the cells that belong to it now.

    Parameters
    ----------
    sizes
        Changes in place.
    component, volume
        (c,) of the cells, without entry 0; volume in µm².
    address
        Seed and sweep.
    """
    log_volume, components = np.log(volume), len(sizes.mean)
    number = np.bincount(component, minlength=components).astype(np.float64)
    total = np.bincount(component, log_volume, components)
    squares = np.bincount(component, log_volume**2, components)
    draw_volumes(number, total, squares, address, sizes.mean, sizes.half_precision)
