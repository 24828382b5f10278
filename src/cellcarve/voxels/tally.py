"""Counts of cells and genes as sparse tables."""

import numpy as np
from numba import njit
from scipy.sparse import csr_matrix

from cellcarve.chain.compiled import LEAF


def sparse(cell: np.ndarray, gene: np.ndarray, value: np.ndarray, shape: tuple[int, int]) -> csr_matrix:
    """Sums of values by cell (from 1) and gene, rows and columns sorted, no zero stored."""
    out = csr_matrix((value, (cell - 1, gene)), shape=shape)
    out.sum_duplicates()
    out.eliminate_zeros()
    return out


@njit(**LEAF)
def count_entries(who, weight, begin):
    """Entries of every cell: `begin`, int64 (c + 1,) of zeros, is filled with where each cell's begin."""
    for t in range(who.shape[0]):
        for slot in range(who.shape[1]):
            if who[t, slot] > 0 and weight[t, slot] > 0:
                begin[who[t, slot]] += 1
    for n in range(1, begin.size):
        begin[n] += begin[n - 1]


@njit(**LEAF)
def list_entries(who, weight, spot_gene, begin, gene, value):
    """Gene and weight of every entry, by cell: `gene` and `value` are filled, and `begin` changes."""
    for t in range(who.shape[0]):
        for slot in range(who.shape[1]):
            if who[t, slot] > 0 and weight[t, slot] > 0:
                n = begin[who[t, slot] - 1]
                begin[who[t, slot] - 1] += 1
                gene[n], value[n] = spot_gene[t], weight[t, slot]


def tabulate(
    who: np.ndarray, weight: np.ndarray, gene: np.ndarray, shape: tuple[int, int], kind: type[np.number]
) -> csr_matrix:
    """Sums of weights by cell and gene, written into the table at once: there is no room for a list of them beside it.

    Parameters
    ----------
    who, weight
        (t, slots) cells from 1, 0 = none, and what each adds to its cell; only what is above 0 counts.
    gene
        (t,) int32.
    shape
        Cells and genes.
    kind
        Type of the sums.
    """
    begin = np.zeros(shape[0] + 1, np.int64)
    count_entries(who, weight, begin)
    column, value = np.empty(begin[-1], np.int32), np.empty(begin[-1], kind)
    list_entries(who, weight, gene, begin.copy(), column, value)
    out = csr_matrix((value, column, begin), shape=shape, copy=False)
    out.sum_duplicates()
    return out
