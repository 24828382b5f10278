"""Rings of polygons: their areas, and the pixels they cover, in time linear in pixels and vertices."""

import math

import numpy as np
from numba import njit


def paint(
    rings: tuple[np.ndarray, np.ndarray, np.ndarray],
    label: np.ndarray,
    corner: np.ndarray,
    pixel: float,
    shape: tuple[int, int],
) -> np.ndarray:
    """Label of the ring that holds the centre of each pixel; of several, that of the smallest.

    Parameters
    ----------
    rings
        Vertices x and y, (V,) float64 µm, and (R + 1,) int64 where each ring begins.
    label
        (R,) numbers above 0.
    corner
        x and y in µm of the corner of pixel (0, 0).
    pixel
        Side of a pixel in µm.
    shape
        Rows and columns.

    Returns
    -------
    numpy.ndarray
        (rows, columns) int32, 0 = in no ring.
    """
    x, y, start = rings
    image = np.zeros(shape, np.int32)
    # Largest first, so that the smallest has the last word.
    order = np.argsort(-ring_areas(x, y, start), kind="stable")
    # In pixels, measured from the centre of the first.
    u, v = (x - corner[0]) / pixel - 0.5, (y - corner[1]) / pixel - 0.5
    _paint(u, v, start, order, label.astype(np.int32), image)
    return image


def ring_areas(x: np.ndarray, y: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Areas of rings.

    Parameters
    ----------
    x, y
        (V,) vertices, float64 µm.
    start
        (R + 1,) int64 where each ring begins.

    Returns
    -------
    numpy.ndarray
        (R,) float64, µm².
    """
    return _areas(x, y, start)


@njit(cache=True, nogil=True)
def _areas(x, y, start):
    area = np.zeros(len(start) - 1)
    for p in range(len(area)):
        total = 0.0
        a = start[p]
        # Measured from the first vertex: far from the origin the products would drown the area.
        for i in range(a + 1, start[p + 1] - 1):
            total += (x[i] - x[a]) * (y[i + 1] - y[a]) - (x[i + 1] - x[a]) * (y[i] - y[a])
        area[p] = abs(total) / 2
    return area


@njit(cache=True, nogil=True)
def _paint(x, y, start, order, label, image):
    rows, columns = image.shape
    most = 0
    for p in range(len(start) - 1):
        most = max(most, start[p + 1] - start[p])
    cross = np.empty(most)
    for p in order:
        a, b = start[p], start[p + 1]
        if b - a < 3:
            continue
        top = max(int(math.ceil(y[a:b].min())), 0)
        bottom = min(int(math.floor(y[a:b].max())), rows - 1)
        for r in range(top, bottom + 1):
            n = _crossings(x[a:b], y[a:b], float(r), cross)
            for k in range(0, n - 1, 2):
                first = max(int(math.ceil(cross[k])), 0)
                last = min(int(math.floor(cross[k + 1])), columns - 1)
                for c in range(first, last + 1):
                    image[r, c] = label[p]


@njit(cache=True, nogil=True)
def _crossings(x, y, at, cross):
    """Where the ring crosses a line, in order; their number."""
    n = 0
    j = len(x) - 1
    for i in range(len(x)):
        if (y[i] > at) != (y[j] > at):
            place = (x[j] - x[i]) * (at - y[i]) / (y[j] - y[i]) + x[i]
            k = n
            while k > 0 and cross[k - 1] > place:
                cross[k] = cross[k - 1]
                k -= 1
            cross[k] = place
            n += 1
        j = i
    return n
