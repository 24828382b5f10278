"""How far to trust cells that were found without a prior, by whether another start finds them too.

A cell whose transcripts make up a group again when the groups start from another grid is more often a true one. How
much more was measured on simulated tissue; how well a cell agrees is measured on the tissue at hand.
"""

import numpy as np
from scipy.sparse import csr_matrix

from cellcarve.carve.recipe import Recipe
from cellcarve.data import flat
from cellcarve.data.segmentation import Segmentation
from cellcarve.data.tissue import Tissue


def agreement(cell: np.ndarray, tissue: Tissue, again: np.ndarray, cells: int) -> np.ndarray:
    """Best overlap of each cell with a group: 2 x common / (cell + group), (cells + 1,) float64; 0 for no cell.

    Parameters
    ----------
    cell
        (N,) int32 cell of every input row, 0 = none.
    again
        (T,) int32 group of each transcript of the tissue, -1 = none.
    """
    t = tissue.transcripts
    groups = int(again.max(initial=-1)) + 2
    keys, counts = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for a, b in zip(t.start[:-1].tolist(), t.start[1:].tolist(), strict=True):
        key, count = np.unique(
            cell[t.row[a:b]].astype(np.int64) * groups + again[a:b] + 1, return_counts=True
        )
        keys.append(key)
        counts.append(count)
    row, column = np.divmod(np.concatenate(keys), groups)
    # Building the table adds up what several tiles hold of a pair.
    shared = csr_matrix((np.concatenate(counts), (row, column)), shape=(cells + 1, groups))
    size, other = (np.asarray(shared.sum(axis)).ravel() for axis in (1, 0))
    pairs = shared.tocoo()
    real = (pairs.row > 0) & (pairs.col > 0)
    row, column = pairs.row[real], pairs.col[real]
    best = np.zeros(cells + 1)
    np.maximum.at(best, row, 2 * pairs.data[real] / (size[row] + other[column]))
    return best


def doubt(found: Segmentation, tissue: Tissue, again: np.ndarray, blur: float, recipe: Recipe) -> None:
    """Lower the probabilities and expected counts of cells that were found without a prior, in place."""
    agreed = agreement(found.best, tissue, again, len(found.names))
    # Where genes do not tell the sides of a border, half of a cell's transcripts may lie on the wrong one.
    trust = np.clip(recipe.found + recipe.agreed * agreed, 0, 1) * (1 - blur / 2)
    for first in range(0, len(found.best), flat.PIECE):
        part = slice(first, first + flat.PIECE)
        found.probability[part] *= trust[found.best[part]].astype(np.float32)
    expected = found.expected
    expected.data *= np.repeat(trust[1:], np.diff(expected.indptr)).astype(expected.data.dtype)
