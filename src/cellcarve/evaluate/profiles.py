"""Expression profiles of cells: how alike they are, and which genes are seen together that should not be."""

import numpy as np
from scipy.sparse import coo_matrix, csr_matrix

# Cells with fewer transcripts say little about expression.
SMALLEST = 10
# Genes in fewer cells than this share say little about which genes go together.
COMMON = 0.05
# Share of the gene pairs, those that go together least, which are watched.
RAREST = 0.02


def count_genes(cell: np.ndarray, gene: np.ndarray, cells: int, genes: int) -> csr_matrix:
    """(cells, genes) float64 transcripts per cell 1 .. cells; transcripts in no cell are left out."""
    kept = cell > 0
    ones = np.ones(int(kept.sum()))
    return coo_matrix((ones, (cell[kept] - 1, gene[kept])), shape=(cells, genes)).tocsr()


def likeness(a: csr_matrix, b: csr_matrix) -> np.ndarray:
    """(n,) float64 Pearson correlation of the logarithms of counts + 1, row by row of two (n, G) matrices."""
    a, b = a.log1p(), b.log1p()
    genes = a.shape[1]
    sum_a, sum_b = _row_sums(a), _row_sums(b)
    product = _row_sums(a.multiply(b)) - sum_a * sum_b / genes
    spread_a = _row_sums(a.multiply(a)) - sum_a**2 / genes
    spread_b = _row_sums(b.multiply(b)) - sum_b**2 / genes
    return product / np.sqrt(spread_a * spread_b + 1e-12)


def spurious(true: csr_matrix, found: csr_matrix) -> tuple[float, int]:
    """How much oftener cells show two genes that hardly ever go together in truth.

    Watched are the pairs of common genes whose joint share of true cells lies lowest below what their own
    shares make one expect.

    Parameters
    ----------
    true, found
        (T, G) and (P, G) counts of true and of found cells, those with enough transcripts.

    Returns
    -------
    tuple
        Mean joint share of the watched pairs in found cells over that in true cells; number of pairs.
    """
    cells = max(true.shape[0], 1)
    single = true.getnnz(axis=0)
    common = np.flatnonzero(single > COMMON * cells)
    if len(common) < 2:
        return float("nan"), 0
    upper = np.triu_indices(len(common), 1)
    joint = _together(true[:, common])[upper]
    single = single[common].astype(np.float64)
    # Ratios of whole numbers: pairs that are equally rare come out equal, and all or none are watched.
    lift = joint / (single[upper[0]] * single[upper[1]])
    watched = lift <= np.quantile(lift, RAREST)
    before = joint[watched].mean(dtype=np.float64) / cells
    pair = upper[0][watched], upper[1][watched]
    del joint, lift, upper
    after = _together(found[:, common])[pair].mean(dtype=np.float64) / max(found.shape[0], 1)
    return float(after / max(before, 1e-9)), int(watched.sum())


def _together(counts: csr_matrix) -> np.ndarray:
    """(G, G) float32 number of cells that show both genes of each pair."""
    seen = csr_matrix((np.ones(counts.nnz, np.float32), counts.indices, counts.indptr), shape=counts.shape)
    return (seen.T @ seen).toarray()


def _row_sums(matrix: csr_matrix) -> np.ndarray:
    return np.asarray(matrix.sum(axis=1)).ravel()
