"""Where cells without a nucleus begin: far from all nuclei, together, and with other genes than the nucleus beside them."""

import numpy as np
from scipy.sparse import csr_matrix
from scipy.special import gammaln

from cellcarve.mixture.graph import Graph
from cellcarve.mixture.kinds import overall
from cellcarve.mixture.molecules import Molecules, select
from cellcarve.mixture.near import nearest_of
from cellcarve.mixture.pieces import connect

# Scales from every nucleus beyond which there may be cells without one, and beyond which there surely are.
_FREE, _ALONE = 1.6, 3.0
# Usual cells' transcripts that must lie together there, and that no single cell has.
_TOGETHER, _SEVERAL = 0.2, 2.0
# Log evidence that a piece and the nearest nucleus are two cells.
_OTHER = 4.0


def missed(
    molecules: Molecules, graph: Graph, candidates: np.ndarray, component: np.ndarray, scale: float
) -> np.ndarray:
    """Those of the candidates that lie where cells have no nucleus.

    Parameters
    ----------
    molecules, graph
        N transcripts and their neighbours.
    candidates
        (M,) ascending indices of transcripts that are likely in some cell.
    component
        (N,) int32 component whose anchor a transcript is, 0 = of none; some are above 0.
    scale
        Radius of cells, µm.
    """
    at, inside = molecules.at, np.flatnonzero(component)
    found, away = nearest_of(select(at, inside), select(at, candidates), 1)
    beside = component[inside[found[:, 0]]]
    far = away[:, 0] > _FREE * scale
    free, beside, alone = candidates[far], beside[far], away[far, 0] > _ALONE * scale
    apart = np.zeros(len(component), np.int32)
    apart[free] = 1
    piece = np.unique(connect(apart, graph)[free], return_inverse=True)[1]
    size = np.bincount(piece, minlength=1)
    usual = len(candidates) / max(len(np.unique(component[inside])), 1)
    kept = size >= _TOGETHER * usual
    kept &= (size >= _SEVERAL * usual) | _unlike(molecules, (free, piece, beside), component, len(size))
    return free[kept[piece] | alone]


def _unlike(
    molecules: Molecules, found: tuple[np.ndarray, np.ndarray, np.ndarray], component: np.ndarray, pieces: int
) -> np.ndarray:
    """(pieces,) bool: genes tell a piece from the nucleus beside most of it (Dirichlet-multinomial evidence).

    `found` is (transcripts, their piece, the component of the nucleus nearest to each).
    """
    free, piece, beside = found
    count, genes = int(component.max()) + 1, molecules.genes
    votes = csr_matrix((np.ones(len(free)), (piece, beside)), shape=(pieces, count))
    nearest = np.asarray(votes.argmax(axis=1)).ravel()
    inside = np.flatnonzero(component)
    mine = _counts(piece, molecules.gene[free], (pieces, genes))
    other = _counts(component[inside], molecules.gene[inside], (count, genes))[nearest]
    base = overall(molecules.gene, genes)
    both = _evidence(mine + other, base)
    return _evidence(mine, base) + _evidence(other, base) - both > _OTHER


def _counts(row: np.ndarray, gene: np.ndarray, shape: tuple[int, int]) -> csr_matrix:
    known = gene >= 0
    return csr_matrix((np.ones(int(known.sum())), (row[known], gene[known])), shape=shape)


def _evidence(held: csr_matrix, base: np.ndarray) -> np.ndarray:
    """(rows,) log evidence of counts of genes around the tissue's profile."""
    alpha = 2 * np.sqrt(len(base))
    cells, n = held.tocoo(), np.asarray(held.sum(1)).ravel()
    weight = alpha * base[cells.col]
    each = np.bincount(cells.row, gammaln(cells.data + weight) - gammaln(weight), held.shape[0])
    return each + gammaln(alpha) - gammaln(n + alpha)
