"""Compactness: how far the outline of a cell in a layer is from that of a disc as large as it.

The Moore perimeter P counts, over the cell's voxels in the layer, the eight neighbours that are not of the cell.
P² = 9.43 · 4 pi A for a large disc of A voxels. Small rasterised discs have a higher quotient, by 1 + 2.2 A^-0.65
(discs of radius 2 to 50 voxels lie within 4 % of it), which is taken out, so that the term asks the same of a cell
whatever its size in voxels.
"""

import math

import numpy as np
from numba import njit

from cellcarve.chain.compiled import LEAF
from cellcarve.voxels.terms.logs import MOST, log_of

DISC = 9.43 * 4 * math.pi


def _log_edges() -> np.ndarray:
    """Logs of the squared Moore perimeter of discs of 0, 1, 2, ... voxels."""
    area = np.arange(1, MOST, dtype=np.float64)
    return np.append(0.0, np.log(DISC * area * (1.0 + 2.2 * area**-0.65)))


DISC_LOGS = _log_edges()


@njit(**LEAF)
def uneven(area, edge):
    """Squared log of the isoperimetric quotient of a cell in a layer; 0 where it has no voxel or is round."""
    if area <= 0:
        return 0.0
    disc = DISC_LOGS[area] if area < MOST else math.log(DISC * area * (1.0 + 2.2 * area**-0.65))
    x = 2.0 * log_of(edge) - disc
    return x * x if x > 0.0 else 0.0


@njit(**LEAF)
def compactness_change(area, edge, step, alike, weight):
    """Change of the log prior when a cell gains (step 1) or loses (step -1) a voxel in a layer.

    Parameters
    ----------
    area, edge
        Of the cell in the layer, before.
    step
        1 or -1.
    alike
        How many of the voxel's eight neighbours in the layer belong to the cell.
    weight
        1 / (2 sigma²).
    """
    after = edge + step * (8 - 2 * alike)
    return weight * (uneven(area, edge) - uneven(area + step, after))


def compactness_value(label, cells, weight):
    """The full log prior, plainly.

    Parameters
    ----------
    label
        (layers, y, x) labels.
    cells
        Number of cells.
    weight
        1 / (2 sigma²).
    """
    total = 0.0
    for layer in np.asarray(label):
        padded = np.pad(layer, 1)
        for cell in range(1, cells + 1):
            own = padded == cell
            shifts = [(a, b) for a in (-1, 0, 1) for b in (-1, 0, 1) if (a, b) != (0, 0)]
            edge = sum(int((own & ~np.roll(own, shift, (0, 1))).sum()) for shift in shifts)
            total -= weight * uneven(int(own.sum()), edge)
    return total
