"""Pairs of a cell and a gene that some transcript may bring together, sorted by cell and gene."""

from typing import NamedTuple

import numpy as np
from numba import njit

from cellcarve.voxels.lattice import bands
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
        int32 (e,), int64 where there are too many: transcript * slots + slot of the entries, by cell, gene and transcript.
    of
        int32 (t, slots): pair of each entry; 0 where there is none.
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
    flat = who.ravel()
    for entry in range(flat.size):
        cell = flat[entry]
        if cell > 0:
            order[place[cell]] = entry
            place[cell] += 1


@njit(cache=True, nogil=True)
def _by_gene(genes, slots, begin, order, number, span):
    """Sort the entries of each cell of a range by gene; `number` (c,) becomes how many genes each has."""
    for cell in range(span[0], span[1]):
        own = order[begin[cell] : begin[cell + 1]]
        gene = genes[own // slots]
        place = np.argsort(gene, kind="mergesort")
        own[:] = own[place]
        different = 0
        for n in range(own.size):
            different += n == 0 or gene[place[n]] != gene[place[n - 1]]
        number[cell] = different


@njit(cache=True, nogil=True)
def _name(genes, slots, begin, order, start, gene_of, of, span):
    """Give the entries of the cells of a range their pairs."""
    flat = of.ravel()
    for cell in range(span[0], span[1]):
        pair, last = start[cell] - 1, -1
        for n in range(begin[cell], begin[cell + 1]):
            gene = genes[order[n] // slots]
            if gene != last:
                pair, last = pair + 1, gene
                gene_of[pair] = gene
            flat[order[n]] = pair


def pair_up(who: np.ndarray, gene: np.ndarray, cells: int, threads: Threads) -> Pairs:
    """Pairs of all entries.

    Parameters
    ----------
    who
        int32 (t, slots): cells that each transcript may be of, 0 = none.
    gene
        int32 (t,).
    cells
        Number of cells, entry 0 among them.
    threads
        Who does the work.
    """
    held = np.zeros(cells, np.int64)
    for rows in bands(*who.shape):
        held += np.bincount(who[rows].ravel(), minlength=cells)
    held[0] = 0
    begin = np.concatenate([[0], np.cumsum(held)])
    order = np.empty(int(begin[-1]), np.int32 if who.size < 2**31 else np.int64)
    _by_cell(who, begin, order)
    number, slots = np.zeros(cells, np.int64), who.shape[1]
    threads.ranges(lambda first, last: _by_gene(gene, slots, begin, order, number, (first, last)), cells)
    start = np.concatenate([[0], np.cumsum(number)])
    gene_of, of = np.empty(int(start[-1]), np.int32), np.zeros(who.shape, np.int32)
    threads.ranges(
        lambda first, last: _name(gene, slots, begin, order, start, gene_of, of, (first, last)), cells
    )
    return Pairs(start, gene_of, begin, order, of)


@njit(cache=True, nogil=True)
def add_up(pairs, share, counts, size, span):
    """Expected counts of the pairs, `counts` float64 (p,), and cells, `size` float64 (c,), of a range of cells."""
    shares, of = share.ravel(), pairs.of.ravel()
    for cell in range(span[0], span[1]):
        counts[pairs.start[cell] : pairs.start[cell + 1]] = 0.0
        total = 0.0
        for n in range(pairs.begin[cell], pairs.begin[cell + 1]):
            value = shares[pairs.order[n]]
            counts[of[pairs.order[n]]] += value
            total += value
        size[cell] = total
