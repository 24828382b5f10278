"""Pairs of a cell and a gene that some transcript may bring together, sorted by cell and gene."""

from typing import NamedTuple

import numpy as np
from numba import njit

from cellcarve.voxels.threads import Threads


class Pairs(NamedTuple):
    """P pairs, and E entries: a transcript and one of the cells that it may be of.

    Attributes
    ----------
    start
        int64 (c + 1,): where the pairs of a cell begin.
    gene
        int32 (p,).
    begin
        int64 (c + 1,): where the entries of a cell begin in `order`.
    order
        int32 (e,), int64 where there are too many: the entries, by cell, gene and transcript.
    of
        int32 (e,): pair of each entry.
    """

    start: np.ndarray
    gene: np.ndarray
    begin: np.ndarray
    order: np.ndarray
    of: np.ndarray


@njit(cache=True, nogil=True)
def _by_cell(who, begin, order):
    """Fill `order` with the entries by cell, in the order of transcripts."""
    place = begin.copy()
    for entry in range(who.size):
        order[place[who[entry]]] = entry
        place[who[entry]] += 1


@njit(cache=True, nogil=True)
def _by_gene(genes, begin, order, number, span):
    """Sort the entries of each cell of a range by gene; `number` (c,) becomes how many genes each has."""
    for cell in range(span[0], span[1]):
        own = order[begin[cell] : begin[cell + 1]]
        gene = genes[own]
        place = np.argsort(gene, kind="mergesort")
        own[:] = own[place]
        different = 0
        for n in range(own.size):
            different += n == 0 or gene[place[n]] != gene[place[n - 1]]
        number[cell] = different


@njit(cache=True, nogil=True)
def _name(genes, begin, order, start, gene_of, of, span):
    """Give the entries of the cells of a range their pairs."""
    for cell in range(span[0], span[1]):
        pair, last = start[cell] - 1, -1
        for n in range(begin[cell], begin[cell + 1]):
            gene = genes[order[n]]
            if gene != last:
                pair, last = pair + 1, gene
                gene_of[pair] = gene
            of[order[n]] = pair


def pair_up(entries: np.ndarray, who: np.ndarray, gene: np.ndarray, cells: int, threads: Threads) -> Pairs:
    """Pairs of all entries.

    Parameters
    ----------
    entries
        (t + 1,): where the entries of each transcript begin.
    who
        int32 (e,): cells, from 1.
    gene
        int32 (t,).
    cells
        Number of cells, entry 0 among them.
    threads
        Who does the work.
    """
    begin = np.concatenate([[0], np.cumsum(np.bincount(who, minlength=cells))])
    order = np.empty(len(who), np.int32 if len(who) < 2**31 else np.int64)
    _by_cell(who, begin, order)
    genes, number = np.repeat(gene, np.diff(entries)), np.zeros(cells, np.int64)
    threads.ranges(lambda first, last: _by_gene(genes, begin, order, number, (first, last)), cells)
    start = np.concatenate([[0], np.cumsum(number)])
    gene_of, of = np.empty(int(start[-1]), np.int32), np.empty(len(who), np.int32)
    threads.ranges(lambda first, last: _name(genes, begin, order, start, gene_of, of, (first, last)), cells)
    return Pairs(start, gene_of, begin, order, of)


@njit(cache=True, nogil=True)
def add_up(pairs, share, counts, size, span):
    """Expected counts of the pairs, `counts` float64 (p,), and cells, `size` float64 (c,), of a range of cells."""
    for cell in range(span[0], span[1]):
        counts[pairs.start[cell] : pairs.start[cell + 1]] = 0.0
        total = 0.0
        for n in range(pairs.begin[cell], pairs.begin[cell + 1]):
            value = share[pairs.order[n]]
            counts[pairs.of[pairs.order[n]]] += value
            total += value
        size[cell] = total
