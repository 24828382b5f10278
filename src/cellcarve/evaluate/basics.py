"""Plain numbers about a segmentation that need nothing but itself."""

from typing import Any

import numpy as np

from cellcarve.evaluate.assignment import Assignment
from cellcarve.evaluate.profiles import SMALLEST, count_genes


def basics(found: Assignment) -> dict[str, Any]:
    """Transcripts, share assigned, cells, and how full the cells are.

    Parameters
    ----------
    found
        The segmentation.

    Returns
    -------
    dict
        Measures by name; medians are over all cells.
    """
    size = np.bincount(found.cell, minlength=1)[1:]
    size = size[size > 0]
    measures: dict[str, Any] = {
        "transcripts": len(found),
        "assigned": float((found.cell > 0).mean()) if len(found) else None,
        "cells": len(size),
        f"cells_of_{SMALLEST}": int((size >= SMALLEST).sum()),
        "transcripts_per_cell": _median(size),
    }
    if found.gene is not None:
        counts = count_genes(found.cell, found.gene, int(found.cell.max(initial=0)), len(found.genes))
        seen = counts.getnnz(axis=1)
        measures["genes_per_cell"] = _median(seen[seen > 0])
        measures["transcripts_per_gene_and_cell"] = float(counts.data.mean()) if counts.nnz else None
    return measures


def _median(values: np.ndarray) -> float | None:
    return float(np.median(values)) if len(values) else None
