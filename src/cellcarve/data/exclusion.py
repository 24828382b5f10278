"""Which genes hardly ever share a cell, counted in nuclei: the purest sight of cells that there is."""

from dataclasses import dataclass

import numpy as np
from numba import njit
from scipy.sparse import csr_matrix

# Genes in fewer nuclei than this share say little about which genes go together; of more genes than the second, only the
# most common are looked at, since the table of pairs grows with their square.
_COMMON, _GENES = 0.02, 5_000
# Share of the pairs of common genes, those that go together least, that count as rare.
_RAREST = 0.125
# As many nuclei with both genes are added to what is seen and to what is expected, against chance.
_PSEUDO = 3.0
# Fewer nuclei than the first tell nothing; more than the second nothing new.
_FEWEST, _MOST = 100, 20_000
# Steps per unit in which ratios of seen and expected are counted, and the largest that is told apart.
_STEPS, _LARGEST = 2048, 4


@dataclass(frozen=True)
class Exclusion:
    """Rare pairs of genes; G genes, n pairs.

    Attributes
    ----------
    start
        (G + 1,) int64 where each gene's partners begin.
    partner
        (2 n,) int32 genes that it is rarely seen with.
    """

    start: np.ndarray
    partner: np.ndarray


def find_exclusion(counts: csr_matrix) -> Exclusion:
    """Pairs of common genes whose joint share of nuclei lies lowest below what their own shares make one expect.

    Of genes a and b, in n_a and n_b of N nuclei and in n_ab together, that is (n_ab + 3) / (n_a n_b / N + 3); the lowest
    eighth of all pairs are rare.

    Parameters
    ----------
    counts
        (C, G) transcripts in nuclei, of which only what is shown and not how often counts.

    Returns
    -------
    Exclusion
        Without any pair where there are fewer than 100 nuclei.
    """
    genes = counts.shape[1]
    seen = counts[np.asarray(counts.sum(1)).ravel() > 0]
    seen = seen[:: max(1, -(-seen.shape[0] // _MOST))].tocsr()
    seen.sort_indices()
    number = seen.getnnz(axis=0)
    # Genes as common as the first that is one too many are left out with it, so that their order does not matter.
    left_out = np.sort(number)[::-1][_GENES:].max(initial=-1)
    common = np.flatnonzero((number >= _COMMON * seen.shape[0]) & (number > left_out))
    if seen.shape[0] < _FEWEST or len(common) < 2:
        return Exclusion(np.zeros(genes + 1, np.int64), np.empty(0, np.int32))
    slot = np.full(genes, -1, np.int32)
    slot[common] = np.arange(len(common))
    step = np.zeros((len(common), len(common)), np.uint16)
    _count_together(seen.indptr, slot[seen.indices], step)
    tally = np.zeros(_STEPS * _LARGEST + 1, np.int64)
    _to_steps(step, number[common].astype(np.float64), seen.shape[0], tally)
    last = int(np.searchsorted(np.cumsum(tally), _RAREST * tally.sum()))
    rare = step <= last
    length = np.zeros(genes, np.int64)
    length[common] = np.count_nonzero(rare, axis=1)
    partner = common[np.nonzero(rare)[1]].astype(np.int32)
    return Exclusion(np.concatenate([[0], np.cumsum(length)]), partner)


@njit(cache=True, nogil=True)
def _count_together(start, slot, together):
    """Nuclei that show both genes of each pair, added to both triangles of `together` (n, n)."""
    for c in range(len(start) - 1):
        for i in range(start[c], start[c + 1]):
            if slot[i] < 0:
                continue
            for j in range(start[c], i):
                if slot[j] >= 0:
                    together[slot[i], slot[j]] += 1
                    together[slot[j], slot[i]] += 1


@njit(cache=True, nogil=True)
def _to_steps(together, number, nuclei, tally):
    """Turn numbers of nuclei into steps of seen over expected, in place, and count each step; no gene pairs with itself."""
    most = len(tally) - 1
    for i in range(len(number)):
        for j in range(i):
            expected = number[i] * number[j] / nuclei
            ratio = (together[i, j] + _PSEUDO) / (expected + _PSEUDO)
            step = min(int(ratio * _STEPS), most)
            together[i, j] = step
            together[j, i] = step
            tally[step] += 1
        together[i, i] = 65535


@njit(cache=True, nogil=True)
def rare_partners(cell, gene, amount, start, partner):
    """Expected number of rare partners that each gene of a cell meets there, (n,) float32.

    `cell`, `gene` and `amount` list the expected transcripts of each cell's genes, cells in ascending order.
    """
    rare = np.zeros(len(cell), np.float32)
    shown = np.zeros(len(start) - 1, np.float32)
    first = 0
    while first < len(cell):
        last = first
        while last < len(cell) and cell[last] == cell[first]:
            shown[gene[last]] = 1 - np.exp(-amount[last])
            last += 1
        for i in range(first, last):
            total = np.float32(0)
            for j in range(start[gene[i]], start[gene[i] + 1]):
                total += shown[partner[j]]
            rare[i] = total
        for i in range(first, last):
            shown[gene[i]] = 0
        first = last
    return rare
