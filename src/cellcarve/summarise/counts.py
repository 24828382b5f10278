"""Cells by genes."""

import numpy as np
from scipy.sparse import coo_matrix, csr_matrix


def count(cell: np.ndarray, gene: np.ndarray, cells: int, genes: int) -> csr_matrix:
    """Count the assigned transcripts.

    Parameters
    ----------
    cell
        (N,) int32: 0 = none, else 1 .. C.
    gene
        (N,) int32 gene 0 .. G - 1.
    cells, genes
        C and G.

    Returns
    -------
    csr_matrix
        (C, G) int32, indices sorted, no stored zeros.
    """
    row = np.flatnonzero(cell)
    one = np.ones(len(row), np.int32)
    counts = coo_matrix((one, (cell[row] - 1, gene[row])), (cells, genes)).tocsr()
    counts.sum_duplicates()
    return counts
