"""Label image of the cells' polygons."""

import math

import numpy as np
from numba import njit

from cellcarve.data.result import Outlines

MOST_PIXELS = 4096
FINEST = 1.0


def label_image(outlines: Outlines) -> tuple[np.ndarray, float, tuple[float, float]]:
    """Cell numbers on square pixels of 1 µm, or wider where the image would exceed 4096 pixels a side.

    Parameters
    ----------
    outlines
        At least one polygon.

    Returns
    -------
    tuple
        (rows, columns) int32 image, 0 = no cell; the side of a pixel in µm; (x, y) in µm of the corner of
        its first pixel.
    """
    x0, y0 = float(outlines.x.min()), float(outlines.y.min())
    width, height = float(outlines.x.max()) - x0, float(outlines.y.max()) - y0
    side = max(FINEST, max(width, height) / MOST_PIXELS)
    shape = [min(max(math.ceil(extent / side), 1), MOST_PIXELS) for extent in (height, width)]
    image = np.zeros(shape, np.int32)
    x, y = ((v.astype(np.float64) - first) / side for v, first in ((outlines.x, x0), (outlines.y, y0)))
    _fill(image, outlines.cell, x, y, outlines.start)
    return image, side, (x0, y0)


@njit(cache=True, nogil=True)
def _fill(image, cell, x, y, start):
    """Fill the rings (pixel units): a pixel belongs to the ring that holds its middle, by the even-odd rule."""
    cross = np.empty(np.diff(start).max())
    for p in range(len(cell)):
        a, b = start[p], start[p + 1]
        first = max(int(y[a:b].min()), 0)
        last = min(int(y[a:b].max()), image.shape[0] - 1)
        for row in range(first, last + 1):
            n = _crossings(x[a:b], y[a:b], row + 0.5, cross)
            for k in range(0, n - 1, 2):
                left = max(int(np.ceil(cross[k] - 0.5)), 0)
                image[row, left : max(int(np.ceil(cross[k + 1] - 0.5)), left)] = cell[p]


@njit(cache=True, nogil=True)
def _crossings(x, y, level, cross):
    """Put where a ring crosses a level into `cross`, ascending; how many there are."""
    n = 0
    for i in range(len(x) - 1):
        if (y[i] > level) == (y[i + 1] > level):
            continue
        place = x[i] + (level - y[i]) / (y[i + 1] - y[i]) * (x[i + 1] - x[i])
        k = n
        while k > 0 and cross[k - 1] > place:
            cross[k] = cross[k - 1]
            k -= 1
        cross[k] = place
        n += 1
    return n
