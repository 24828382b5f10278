"""Label image of the cells' polygons."""

import numpy as np
from numba import njit

from cellcarve.data.result import Outlines

_MOST_PIXELS = 4096


def label_image(outlines: Outlines, box: tuple[float, float, float, float]) -> tuple[np.ndarray, float]:
    """Cell numbers on square pixels of 1 µm, or wider where the image would exceed 4096 pixels a side.

    Parameters
    ----------
    outlines
        Polygons.
    box
        (xmin, ymin, xmax, ymax) µm to cover.

    Returns
    -------
    tuple
        (rows, columns) int32 image whose first pixel begins at (xmin, ymin), and the pixel's side in µm.
    """
    xmin, ymin, xmax, ymax = box
    side = max(1.0, max(xmax - xmin, ymax - ymin) / _MOST_PIXELS)
    shape = (int((ymax - ymin) / side) + 1, int((xmax - xmin) / side) + 1)
    image = np.zeros(shape, np.int32)
    x = (outlines.x.astype(np.float64) - xmin) / side
    y = (outlines.y.astype(np.float64) - ymin) / side
    _fill(image, outlines.cell, x, y, outlines.start)
    return image, side


@njit(cache=True, nogil=True)
def _fill(image, cell, x, y, start):
    """Even-odd scan of every ring, pixel middles at n + 1/2."""
    rows, columns = image.shape
    cross = np.empty(256)
    for p in range(len(cell)):
        a, b = start[p], start[p + 1] - 1
        low, high = y[a : b + 1].min(), y[a : b + 1].max()
        for r in range(max(int(low - 0.5), 0), min(int(high + 0.5) + 1, rows)):
            level, n = r + 0.5, 0
            for i in range(a, b):
                if (y[i] > level) != (y[i + 1] > level) and n < len(cross):
                    cross[n] = x[i] + (level - y[i]) / (y[i + 1] - y[i]) * (x[i + 1] - x[i])
                    n += 1
            place = np.sort(cross[:n])
            for k in range(0, n - 1, 2):
                for c in range(
                    max(int(np.ceil(place[k] - 0.5)), 0), min(int(np.floor(place[k + 1] - 0.5)) + 1, columns)
                ):
                    image[r, c] = cell[p]
