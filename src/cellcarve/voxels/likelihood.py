"""Log likelihood of the present state: how well labels, positions and rates explain the transcripts."""

import math

import numpy as np
from numba import njit

from cellcarve.chain.compiled import LEAF
from cellcarve.voxels.chain import Chain
from cellcarve.voxels.rates import rate_of
from cellcarve.voxels.threads import Threads

# Transcripts summed at a time, whatever the number of threads: the order of a sum shows in its last digits.
BLOCK = 1 << 15
NEVER = 1e-30


@njit(**LEAF)
def log_rates(labels, cells, spots, rates, span):
    """Sum over the transcripts of a range (first, last) of ln(background + rate in the cell they lie in)."""
    total = 0.0
    for t in range(span[0], span[1]):
        gene = spots.gene[t]
        rest = float(rates.background[gene, spots.place[t]])
        total += math.log(max(rest + rate_of(rates, cells, labels.label[spots.at[t]], gene), NEVER))
    return total


def log_likelihood(chain: Chain, threads: Threads) -> float:
    """Of the Poisson process, up to the background's expected transcripts, which labels do not change.

    Parameters
    ----------
    chain
        The chain after a sweep.
    threads
        Who does the work.

    Returns
    -------
    float
        Sum over transcripts of ln(background + rate in the cell), less the transcripts that the cells expect.
    """
    state, cells, end = (
        (chain.labels, chain.cells, chain.spots, chain.rates),
        chain.cells,
        len(chain.spots.gene),
    )
    seen = threads.each(
        lambda first: log_rates(*state, (first, min(first + BLOCK, end))), range(0, end, BLOCK)
    )
    volume = cells.volume[1:] * chain.frame.voxel
    expected = np.dot(cells.scale[1:].astype(np.float64) * cells.total[1:], volume)
    return math.fsum(seen) - float(expected)
