"""Co-expression that appears when cells grow beyond their nuclei, without any truth.

Two genes that nuclei seldom show together, but nuclei blown up by a fixed distance do, are mixed by wrong
assignment. A segmentation in whose cells such pairs are as rare as in the nuclei is as clean as these.
"""

from typing import Any

import numpy as np
from scipy.sparse import coo_matrix, csr_matrix

from cellcarve.errors import InputError
from cellcarve.evaluate.assignment import Assignment, at, places
from cellcarve.evaluate.baselines import nearest_centre, nuclei_only
from cellcarve.evaluate.profiles import count_genes

# Cells are compared at one number of transcripts; smaller ones are left out.
COUNTS = 40
REACH = 10.0
# Conditional shares below this are not told apart.
FLOOR = 0.05
# Watched are genes seen in this share of the cells, and pairs that become this much (log2) more frequent.
SEEN = 0.05
RISE = 1.0


def relative_coexpression(found: Assignment, instrument: Assignment, seed: int = 0) -> dict[str, Any]:
    """How far a segmentation goes from the nuclei (0) towards blown-up nuclei, on genes that those mix.

    Parameters
    ----------
    found
        The segmentation.
    instrument
        The instrument's table with genes, positions, nuclei and cells.
    seed
        Cells are thinned to one number of transcripts at random.

    Returns
    -------
    dict
        ``log2_ratio``: mean over the watched ordered pairs of the logarithm of the conditional share of
        co-expression over that of the nuclei; ``expanded``: the same for nuclei grown by 10 µm; ``pairs``;
        ``cells``: cells with enough transcripts. Ratios are None where no pair can be watched.

    Raises
    ------
    InputError
        The instrument's table lacks genes, positions or nuclei, or holds other transcripts.
    """
    if instrument.gene is None:
        raise InputError("the instrument's table has no genes; name the column that holds them")
    place = places(instrument.ids, found.ids, (len(instrument), len(found)), "the segmentation")
    cells = [nuclei_only(instrument), nearest_centre(instrument, REACH), at(found.cell, place)]
    size = [np.bincount(cell, minlength=int(cells[0].max(initial=0)) + 1) for cell in cells]
    # Nuclei and grown nuclei are compared on the same cells.
    full = (size[0] >= COUNTS) & (size[1] >= COUNTS)
    large = [full, full, size[2] >= COUNTS]
    counts = [
        count_genes(c, instrument.gene, len(n) - 1, len(instrument.genes))
        for c, n in zip(cells, size, strict=True)
    ]
    seen = [_thinned(part[flag[1:]], seed) for part, flag in zip(counts, large, strict=True)]
    rate = [part.getnnz(axis=0) / max(part.shape[0], 1) for part in seen[:2]]
    kept = np.flatnonzero((rate[0] >= SEEN) & (rate[1] >= SEEN))
    nuclear, grown, own = (_conditional(part[:, kept]) for part in seen)
    rise = np.log2(grown / nuclear)
    np.fill_diagonal(rise, 0)
    watched = rise >= RISE
    usable = bool(watched.any()) and seen[2].shape[0] > 0
    return {
        "log2_ratio": float(np.log2(own / nuclear)[watched].mean()) if usable else None,
        "expanded": float(rise[watched].mean()) if usable else None,
        "pairs": int(watched.sum()),
        "cells": seen[2].shape[0],
    }


def _thinned(counts: csr_matrix, seed: int) -> csr_matrix:
    """(n, G) which genes are seen (1.0) among `COUNTS` transcripts drawn from each row of counts."""
    rng = np.random.Generator(np.random.Philox(key=[seed, 3]))
    heap = np.concatenate([[0], np.cumsum(counts.data)])
    begin, end = heap[counts.indptr[:-1]], heap[counts.indptr[1:]]
    drawn = begin[:, None] + rng.random((counts.shape[0], COUNTS)) * (end - begin)[:, None]
    entry = np.searchsorted(heap, drawn.ravel(), side="right") - 1
    row = np.repeat(np.arange(counts.shape[0]), COUNTS)
    seen = coo_matrix((np.ones(len(entry)), (row, counts.indices[entry])), shape=counts.shape).tocsr()
    seen.data[:] = 1
    return seen


def _conditional(seen: csr_matrix) -> np.ndarray:
    """(G, G) float64 share of the cells with gene j that also show gene i, at least `FLOOR`."""
    joint = (seen.T @ seen).toarray()
    return np.maximum(joint / np.maximum(np.diag(joint), 1)[None, :], FLOOR)
