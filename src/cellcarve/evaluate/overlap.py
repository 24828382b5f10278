"""How two segmentations of the same transcripts overlap."""

from dataclasses import dataclass

import numpy as np
from numba import njit


@dataclass
class Overlap:
    """Pairs of a cell of A and a cell of B that share transcripts; K pairs, ascending by a and then b.

    Attributes
    ----------
    a, b
        (K,) int64 cells, from 1.
    count
        (K,) int64 transcripts in both.
    """

    a: np.ndarray
    b: np.ndarray
    count: np.ndarray


def overlap(a: np.ndarray, b: np.ndarray) -> Overlap:
    """Count the transcripts of each pair of cells; (N,) cells from 1, 0 = none."""
    both = (a > 0) & (b > 0)
    width = int(b.max(initial=0)) + 1
    pair, count = np.unique(a[both].astype(np.int64) * width + b[both], return_counts=True)
    return Overlap(pair // width, pair % width, count)


def match(pairs: Overlap, cells: int) -> np.ndarray:
    """One-to-one match of cells, largest overlap first.

    Of equal overlaps the one with the lower cells comes first.

    Parameters
    ----------
    pairs
        Overlapping pairs.
    cells
        Highest cell of A.

    Returns
    -------
    np.ndarray
        (cells + 1,) int64: the cell of B for each cell of A, 0 = none.
    """
    order = np.argsort(-pairs.count, kind="stable")
    return _greedy(pairs.a[order], pairs.b[order], cells, int(pairs.b.max(initial=0)))


@njit(cache=True, nogil=True)
def _greedy(a: np.ndarray, b: np.ndarray, most_a: int, most_b: int) -> np.ndarray:
    match = np.zeros(most_a + 1, np.int64)
    taken = np.zeros(most_b + 1, np.bool_)
    for k in range(len(a)):
        if match[a[k]] == 0 and not taken[b[k]]:
            match[a[k]] = b[k]
            taken[b[k]] = True
    return match


def adjusted_rand(a: np.ndarray, b: np.ndarray) -> float:
    """Adjusted Rand index of two segmentations; a transcript in no cell is a cell of its own.

    Parameters
    ----------
    a, b
        (N,) cells from 1, 0 = none.

    Returns
    -------
    float
        1 = the same cells, 0 = as by chance.
    """
    total = _pairs(np.array([len(a)]))
    if not total:
        return 1.0
    same = _pairs(overlap(a, b).count)
    same_a, same_b = (_pairs(np.bincount(part)[1:]) for part in (a, b))
    chance = same_a * same_b / total
    most = (same_a + same_b) / 2
    return 1.0 if most == chance else float((same - chance) / (most - chance))


def _pairs(count: np.ndarray) -> float:
    count = count.astype(np.float64)
    return float((count * (count - 1) / 2).sum())
