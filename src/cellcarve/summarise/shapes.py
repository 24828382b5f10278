"""Where each cell's transcripts lie and how far apart, which decides how far each of them speaks for its cell."""

from dataclasses import dataclass

import numpy as np
from numba import njit

from cellcarve.data import flat

# Transcripts further (µm, along x or y) from the heart of their cell do not shape its outline: this bounds
# the surroundings that a tile has to look at.
FAR = 100.0
# A transcript speaks for its cell up to this many spacings.
REACH = 2.2
# Largest spacing in µm; wider gaps are not bridged.
WIDEST = 5.0
# Pixels are this much finer than the spacing of the usual transcript, within bounds in µm.
FINER = np.sqrt(2.0)
PIXEL = (0.4, 2.0)


@dataclass
class Shapes:
    """Extent and spacing of C cells; entry 0 of each array belongs to no cell.

    Attributes
    ----------
    heart
        (C + 1, 2) float32 position in µm of the transcript nearest to the mean of the cell's transcripts.
    box
        (C + 1, 4) float32 xmin, ymin, xmax, ymax in µm of the transcripts that shape the outline.
    reach
        (C + 1,) float64 µm, how far a transcript speaks for the cell.
    number
        (C + 1,) int64 transcripts.
    pixel
        Side of a pixel in µm.
    """

    heart: np.ndarray
    box: np.ndarray
    reach: np.ndarray
    number: np.ndarray
    pixel: float


def measure(x: np.ndarray, y: np.ndarray, cell: np.ndarray, cells: int, narrow: float = 1.0) -> Shapes:
    """Measure the cells.

    Parameters
    ----------
    x, y
        (T,) float32 µm, at least one.
    cell
        (T,) int32, 1 .. `cells`.
    cells
        Number of cells.
    narrow
        Factor on the reach.
    """
    number = np.bincount(cell, minlength=cells + 1)
    held = np.maximum(number, 1)
    mean = np.zeros((cells + 1, 2))
    xx, xy, yy = np.zeros((3, cells + 1))
    for part in _pieces(len(cell)):
        mean += np.column_stack([np.bincount(cell[part], v[part], cells + 1) for v in (x, y)])
    mean /= held[:, None]
    heart, box = _extent(x, y, cell, mean)
    for part in _pieces(len(cell)):
        own = cell[part]
        dx, dy = x[part] - mean[own, 0], y[part] - mean[own, 1]
        for total, v in ((xx, dx * dx), (xy, dx * dy), (yy, dy * dy)):
            total += np.bincount(own, v, cells + 1) / held
    # A disc of uniform density has this area; few transcripts tell nothing of it.
    area = 4 * np.pi * np.sqrt(np.maximum(xx * yy - xy * xy, 0))
    spacing = np.sqrt(area / held)
    told = number >= 5
    usual = _median(spacing[told], number[told]) if told.any() else WIDEST / 2
    pixel = float(np.clip(usual / FINER, *PIXEL))
    spacing = np.clip(np.where(told, spacing, usual), 1.2 * pixel, max(WIDEST, 1.2 * pixel))
    return Shapes(heart, box, REACH * narrow * spacing, number, pixel)


def _pieces(length: int) -> list[slice]:
    return [slice(first, first + flat.PIECE) for first in range(0, length, flat.PIECE)]


def _median(value: np.ndarray, weight: np.ndarray) -> float:
    order = np.argsort(value, kind="stable")
    total = np.cumsum(weight[order])
    return float(value[order[np.searchsorted(total, total[-1] / 2)]])


@njit(cache=True, nogil=True)
def _extent(x, y, cell, mean):
    """Heart of each cell, and the box of its transcripts that are not far from it."""
    cells = len(mean)
    heart = np.zeros((cells, 2), np.float32)
    gap = np.full(cells, np.inf)
    for t in range(len(x)):
        c = cell[t]
        d = (x[t] - mean[c, 0]) ** 2 + (y[t] - mean[c, 1]) ** 2
        if d < gap[c]:
            gap[c] = d
            heart[c, 0], heart[c, 1] = x[t], y[t]
    box = np.empty((cells, 4), np.float32)
    box[:, :2] = heart
    box[:, 2:] = heart
    for t in range(len(x)):
        c = cell[t]
        if abs(x[t] - heart[c, 0]) <= FAR and abs(y[t] - heart[c, 1]) <= FAR:
            box[c, 0], box[c, 1] = min(box[c, 0], x[t]), min(box[c, 1], y[t])
            box[c, 2], box[c, 3] = max(box[c, 2], x[t]), max(box[c, 3], y[t])
    return heart, box
