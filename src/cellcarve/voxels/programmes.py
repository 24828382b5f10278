"""Profiles of cells as mixes of shared programmes.

They are learnt from expected counts by EM (probabilistic latent semantic analysis, Hofmann 1999), with counts lent to
every programme and every mix.

Sums over cells are made of whole numbers, so that they do not depend on how cells are shared out among threads.
"""

from dataclasses import dataclass

import numpy as np
from numba import njit

from cellcarve.voxels.chain import Chain
from cellcarve.voxels.pairs import Pairs
from cellcarve.voxels.threads import Threads

# Counts lent: to a programme, per gene of the panel and with the genes of the whole tissue; to a cell's mix.
LENT_GENES, LENT_MIX = 0.05, 5.0
# Counts are summed in steps of 1 / UNIT.
UNIT = 65536.0


@dataclass
class Programmes:
    """H programmes.

    Attributes
    ----------
    genes
        float64 (g, h): their profiles, columns sum to 1.
    mix
        float64 (c, h): the mixes of the cells, rows sum to 1.
    overall
        float64 (g,): profile of all transcripts.
    """

    genes: np.ndarray
    mix: np.ndarray
    overall: np.ndarray


def first_programmes(chain: Chain) -> Programmes:
    """Those that the chain ended with: its factors where they hold all genes, else one for each component."""
    rates, spots = chain.rates, chain.spots
    overall = np.bincount(spots.gene, minlength=len(rates.background)) / len(spots.gene)
    if len(rates.loading) == len(rates.background):
        mix = np.maximum(rates.factor.astype(np.float64), 1e-12)
        genes = rates.loading.astype(np.float64) + 1e-12
        return Programmes(genes / genes.sum(0), mix / mix.sum(1, keepdims=True), overall)
    count = len(chain.log_weight)
    mix = np.full((len(chain.number), count), 0.1 / count)
    mix[np.arange(len(mix)), chain.cells.component] += 0.9
    return Programmes(np.repeat(overall[:, None], count, 1), mix, overall)


@njit(cache=True, nogil=True)
def _share(pairs, counts, genes, mix, lent, used, span):
    """Share the counts of a range of cells out among programmes; `mix` becomes what they say, `used` int64 is added to."""
    programmes = mix.shape[1]
    part, told = np.empty(programmes), np.empty(programmes)
    for cell in range(span[0], span[1]):
        told[:] = lent
        for pair in range(pairs.start[cell], pairs.start[cell + 1]):
            gene, whole = pairs.gene[pair], 0.0
            for h in range(programmes):
                part[h] = mix[cell, h] * genes[gene, h]
                whole += part[h]
            if whole > 0.0 and counts[pair] > 0.0:
                for h in range(programmes):
                    value = counts[pair] * part[h] / whole
                    told[h] += value
                    used[gene, h] += int(value * UNIT + 0.5)
        mix[cell] = told / told.sum()


@njit(cache=True, nogil=True)
def _expect(pairs, genes, mix, share, span):
    """Share of the pair's gene in its cell's mix, `share` float64 (p,), for a range of cells."""
    for cell in range(span[0], span[1]):
        for pair in range(pairs.start[cell], pairs.start[cell + 1]):
            total = 0.0
            for h in range(mix.shape[1]):
                total += mix[cell, h] * genes[pairs.gene[pair], h]
            share[pair] = total


def learn(
    programmes: Programmes, pairs: Pairs, counts: np.ndarray, share: np.ndarray, threads: Threads
) -> None:
    """One step of EM; the programmes change in place, and `share` becomes what they expect of the pairs.

    Parameters
    ----------
    programmes, pairs
        Present programmes, and pairs of cell and gene.
    counts
        float64 (p,) expected counts.
    share
        float64 (p,) filled.
    threads
        Who does the work.
    """
    cells, shape = len(programmes.mix), programmes.genes.shape
    usual = programmes.mix[1:].mean(0)

    def one(first: int, last: int) -> np.ndarray:
        used = np.zeros(shape, np.int64)
        _share(pairs, counts, programmes.genes, programmes.mix, LENT_MIX * usual, used, (first, last))
        return used

    used = np.sum(threads.ranges(one, cells), axis=0) / UNIT
    used += LENT_GENES * shape[0] * programmes.overall[:, None]
    programmes.genes = used / used.sum(0)
    threads.ranges(
        lambda first, last: _expect(pairs, programmes.genes, programmes.mix, share, (first, last)), cells
    )
