"""Factors: rarer genes share latent dimensions, lambda_cg = sum over h of phi_ch theta_hg."""

import numpy as np
from numba import njit

from cellcarve.chain.compiled import LEAF, MAKER
from cellcarve.chain.draws import GAMMA_STEP, gamma
from cellcarve.chain.philox import unit, words
from cellcarve.chain.streams import FACTOR, LOADING
from cellcarve.voxels.state import Rates
from cellcarve.voxels.threads import Threads

# Concentration of the Dirichlet prior on a factor's genes.
CONCENTRATION = 0.1


@njit(**MAKER)
def share_out(rates, latent, used, span):
    """Give each count of a factored gene in the cells of a range to a factor.

    Parameters
    ----------
    rates
        State; the factors are those of the sweep before.
    latent
        int32 (c, h): counts by factor; rows of the range are filled.
    used
        int32 (factored genes, h): counts are added.
    span
        (first, last).
    """
    factors, plain = rates.factor.shape[1], rates.background.shape[0] - rates.loading.shape[0]
    weight = np.empty(factors)
    factor, loading, key, tally = rates.factor, rates.loading, rates.key, rates.tally
    seed, sweep = rates.address[0], rates.address[1]
    for cell in range(max(span[0], 1), span[1]):
        latent[cell, :] = 0
        for slot in range(rates.start[cell], rates.start[cell + 1]):
            gene = key[slot] - plain
            if gene < 0:
                continue
            total = 0.0
            for h in range(factors):
                total += factor[cell, h] * loading[gene, h]
                weight[h] = total
            for n in range(tally[slot]):
                drawn = words(seed, FACTOR, sweep, cell, gene * 4096 + n)
                h = min(np.searchsorted(weight, unit(drawn[0]) * total), factors - 1)
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
    """Share all counts of factored genes out; returns the counts of each gene and factor, int32 (g, h)."""

    def one(first: int, last: int) -> np.ndarray:
        used = np.zeros(rates.loading.shape, np.int32)
        share_out(rates, latent, used, (first, last))
        return used

    return np.asarray(np.sum(threads.ranges(one, len(latent)), axis=0, dtype=np.int32))


def update_loading(rates: Rates, used: np.ndarray, threads: Threads) -> None:
    """Draw all factors' genes; `rates.loading` changes in place."""
    threads.each(lambda h: draw_loading(rates.loading, used, rates.address, h), range(rates.loading.shape[1]))
