"""Counts of cells and genes as sparse tables."""

import numpy as np
from scipy.sparse import csr_matrix

from cellcarve.voxels.chain import Chain


def sparse(cell: np.ndarray, gene: np.ndarray, value: np.ndarray, shape: tuple[int, int]) -> csr_matrix:
    """Sums of values by cell (from 1) and gene, rows and columns sorted, no zero stored."""
    out = csr_matrix((value, (cell - 1, gene)), shape=shape)
    out.sum_duplicates()
    out.eliminate_zeros()
    return out


def counts_of(chain: Chain) -> csr_matrix:
    """(C, G) int32 transcripts that the cells made in the last split."""
    made = np.flatnonzero(chain.spots.made)
    cell = chain.labels.label[chain.spots.at[made]]
    shape = (len(chain.number) - 1, len(chain.rates.background))
    return sparse(cell, chain.spots.gene[made], np.ones(len(made), np.int32), shape)
