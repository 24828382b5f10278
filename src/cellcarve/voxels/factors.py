"""Factors: rarer genes share latent dimensions, lambda_cg = sum over h of phi_ch theta_hg."""

import numpy as np
from numba import njit

from cellcarve.chain.compiled import LEAF
from cellcarve.chain.draws import GAMMA_STEP, gamma
from cellcarve.chain.philox import unit, words
from cellcarve.chain.streams import FACTOR, LOADING
from cellcarve.voxels.state import Rates
from cellcarve.voxels.threads import Threads

# Concentration of the Dirichlet prior on a factor's genes.
CONCENTRATION = 0.1


@njit(**LEAF)
def weigh(factor, loading, weight):
    """Weights of the factors for a gene, and their sums over halves and quarters, that are drawn from in three steps.

    Parameters
    ----------
    factor, loading
        float32 (h,): the cell's and the gene's.
    weight
        float32 (3, 4 q) with 4 q >= h, zero where nothing is filled in: products; at q and q + h / 2 added up; all
        four of a quarter added up.
    """
    quarter = weight.shape[1] // 4
    for h in range(factor.size):
        weight[0, h] = factor[h] * loading[h]
    for h in range(2 * quarter):
        weight[1, h] = weight[0, h] + weight[0, h + 2 * quarter]
    for h in range(quarter):
        weight[2, h] = weight[1, h] + weight[1, h + quarter]


@njit(**LEAF)
def pick(weight, chance, factors):
    """A factor with chances proportional to its weight.

    Parameters
    ----------
    weight
        As filled by `weigh`.
    chance
        Uniform number times the sum of all weights.
    factors
        How many there are.
    """
    quarter, h = weight.shape[1] // 4, 0
    while h < quarter - 1 and chance >= weight[2, h]:
        chance -= weight[2, h]
        h += 1
    for row in (1, 0):
        step = quarter * (2 - row)
        if chance >= weight[row, h] and h + step < factors:
            chance -= weight[row, h]
            h += step
    return h


@njit(**LEAF)
def share_out(rates, latent, used, weight, span):
    """Give each count of a factored gene in the cells of a range to a factor.

    Parameters
    ----------
    rates
        State; the factors are those of the sweep before.
    latent
        int32 (c, h): counts by factor; rows of the range are filled.
    used
        int32 (factored genes, h): counts are added.
    weight
        float32 (3, 4 q): zeros, for `weigh`.
    span
        (first, last).
    """
    factors, plain = rates.factor.shape[1], rates.background.shape[0] - rates.loading.shape[0]
    factor, loading, key, tally = rates.factor, rates.loading, rates.key, rates.tally
    seed, sweep = rates.address[0], rates.address[1]
    for cell in range(max(span[0], 1), span[1]):
        latent[cell, :] = 0
        for slot in range(rates.start[cell], rates.start[cell + 1]):
            gene = key[slot] - plain
            if gene < 0:
                continue
            weigh(factor[cell], loading[gene], weight)
            total = 0.0
            for h in range(weight.shape[1] // 4):
                total += weight[2, h]
            for n in range(tally[slot]):
                drawn = words(seed, FACTOR, sweep, cell, gene * 4096 + n)
                h = pick(weight, unit(drawn[0]) * total, factors)
                latent[cell, h] += 1
                used[gene, h] += 1


@njit(**LEAF)
def draw_loading(loading, used, address, h):
    """Draw a factor's genes: Dirichlet, by gamma numbers; column h of `loading` is filled."""
    total = 0.0
    for g in range(loading.shape[0]):
        shape = CONCENTRATION + used[g, h]
        drawn = gamma(shape, address[0], LOADING, address[1], h, g * GAMMA_STEP)
        loading[g, h] = drawn
        total += drawn
    for g in range(loading.shape[0]):
        loading[g, h] /= total


def update_latent(rates: Rates, latent: np.ndarray, threads: Threads) -> np.ndarray:
    """Share all counts of factored genes out.

    Returns
    -------
    np.ndarray
        int32 (g, h): the counts of each gene and factor.
    """

    def one(first: int, last: int) -> np.ndarray:
        used = np.zeros(rates.loading.shape, np.int32)
        weight = np.zeros((3, 4 * -(-rates.factor.shape[1] // 4)), np.float32)
        share_out(rates, latent, used, weight, (first, last))
        return used

    parts = threads.ranges(one, len(latent))
    return parts[0] if len(parts) == 1 else np.asarray(np.sum(parts, axis=0, dtype=np.int32))


def update_loading(rates: Rates, used: np.ndarray, threads: Threads) -> None:
    """Draw all factors' genes; `rates.loading` changes in place."""
    threads.each(lambda h: draw_loading(rates.loading, used, rates.address, h), range(rates.loading.shape[1]))
