"""Two segmentations of the same transcripts beside each other."""

from typing import Any

import numpy as np
from scipy.sparse import csr_matrix

from cellcarve.evaluate.assignment import Assignment, at, places
from cellcarve.evaluate.overlap import adjusted_rand, match, overlap
from cellcarve.evaluate.profiles import SMALLEST, count_genes

# A cell whose largest part lies in one cell of the other segmentation by a share in here is seen as divided.
DIVIDED = (0.25, 0.75)


def compare(found: Assignment, other: Assignment) -> dict[str, Any]:
    """How a segmentation differs from another one.

    Parameters
    ----------
    found, other
        The segmentations; transcripts that only one of them holds are left out.

    Returns
    -------
    dict
        ``transcripts`` in both tables; ``assigned_both``, ``assigned_only_here``, ``assigned_only_there``
        (shares); ``ari`` over transcripts assigned in both; ``agreement``: share of these in cells matched
        one to one; ``divided_cells``: cells that the other segmentation divides; ``divided_likeness``: mean
        correlation between the expression of the part in one cell of the other and of the rest, high where
        the division was wrong.
    """
    place = places(found.ids, other.ids, (len(found), len(other)), "the other segmentation")
    shared = place >= 0
    a, b = found.cell[shared], at(other.cell, place)[shared]
    both = (a > 0) & (b > 0)
    pairs = overlap(a, b)
    matched = match(pairs, int(a.max(initial=0)))
    measures: dict[str, Any] = {
        "transcripts": len(a),
        "assigned_both": _mean(both),
        "assigned_only_here": _mean((a > 0) & (b == 0)),
        "assigned_only_there": _mean((a == 0) & (b > 0)),
        "ari": adjusted_rand(a[both], b[both]),
        "agreement": _mean(matched[a[both]] == b[both]),
    }
    if found.gene is not None:
        measures |= _divided(a, b, found.gene[shared], len(found.genes))
    return measures


def _mean(flags: np.ndarray) -> float | None:
    return float(flags.mean()) if len(flags) else None


def _divided(a: np.ndarray, b: np.ndarray, gene: np.ndarray, genes: int) -> dict[str, Any]:
    """Whether the parts into which the other segmentation divides cells are alike."""
    pairs = overlap(a, b)
    cells = int(a.max(initial=0))
    order = np.argsort(pairs.count, kind="stable")
    largest, count = np.zeros(cells + 1, np.int64), np.zeros(cells + 1, np.int64)
    # Written in ascending order of overlap, so that the largest stays.
    largest[pairs.a[order]], count[pairs.a[order]] = pairs.b[order], pairs.count[order]
    size = np.bincount(a, minlength=cells + 1)
    share = count / np.maximum(size, 1)
    parts = (count >= SMALLEST) & (size - count >= SMALLEST)
    divided = parts & (share > DIVIDED[0]) & (share < DIVIDED[1])
    divided[0] = False
    inside = largest[a] == b
    within, without = (
        count_genes(np.where(part, a, 0), gene, cells, genes)[divided[1:]] for part in (inside, ~inside)
    )
    alike = _correlation(within, without)
    return {
        "divided_cells": int(divided.sum()),
        "divided_likeness": float(alike.mean()) if len(alike) else None,
    }


def _correlation(a: csr_matrix, b: csr_matrix) -> np.ndarray:
    """Pearson correlation of the shares of genes, row by row of two (n, G) matrices of counts."""
    genes = a.shape[1]
    a, b = (m.multiply(1 / m.sum(axis=1)).tocsr() for m in (a, b))
    product = np.asarray(a.multiply(b).sum(axis=1)).ravel() - 1 / genes
    spread = [np.asarray(m.multiply(m).sum(axis=1)).ravel() - 1 / genes for m in (a, b)]
    return product / np.sqrt(np.maximum(spread[0] * spread[1], 1e-300))
