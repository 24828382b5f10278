"""Which polygon each transcript lies in, in time linear in both."""

import math

import numpy as np
from numba import njit

from cellcarve.data.rings import ring_areas

_SQUARE = 8.0


def polygon_of(
    x: np.ndarray, y: np.ndarray, ring_x: np.ndarray, ring_y: np.ndarray, start: np.ndarray
) -> np.ndarray:
    """Number of the polygon that holds each point, -1 = none; of several, the smallest.

    Parameters
    ----------
    x, y
        (N,) float32 µm.
    ring_x, ring_y
        (V,) float64 vertices.
    start
        (P + 1,) int64 where each ring begins.

    Returns
    -------
    numpy.ndarray
        (N,) int32.
    """
    owner = np.full(len(x), -1, np.int32)
    if len(x) == 0 or len(start) < 2:
        return owner
    # Largest first, so that the smallest has the last word.
    polygons = np.argsort(-ring_areas(ring_x, ring_y, start), kind="stable")
    _mark(polygons, ring_x, ring_y, start, x, y, _hash(x, y), owner)
    return owner


def _hash(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Points by square: their order, where each square begins, corner and side (µm), and squares along x and y."""
    low = np.array([x.min(), y.min()], np.float64)
    extent = np.array([x.max(), y.max()], np.float64) - low
    # Points far apart must not cost more squares than there are points.
    side = max(_SQUARE, math.sqrt(extent[0] * extent[1] / len(x)), extent.max() / len(x))
    shape = (extent / side).astype(np.int64) + 1
    square = ((y - low[1]) / side).astype(np.int64) * shape[0] + ((x - low[0]) / side).astype(np.int64)
    first = np.zeros(shape.prod() + 1, np.int64)
    np.cumsum(np.bincount(square, minlength=shape.prod()), out=first[1:])
    return np.argsort(square, kind="stable"), first, np.append(low, side), shape


@njit(cache=True, nogil=True)
def _mark(polygons, ring_x, ring_y, start, x, y, hashed, owner):
    order, first, corner, shape = hashed
    for p in polygons:
        a, b = start[p], start[p + 1]
        if b - a < 3:
            continue
        left, right = ring_x[a:b].min(), ring_x[a:b].max()
        low, high = ring_y[a:b].min(), ring_y[a:b].max()
        c0 = max(int(math.floor((left - corner[0]) / corner[2])), 0)
        c1 = min(int(math.floor((right - corner[0]) / corner[2])), shape[0] - 1)
        r0 = max(int(math.floor((low - corner[1]) / corner[2])), 0)
        r1 = min(int(math.floor((high - corner[1]) / corner[2])), shape[1] - 1)
        for r in range(r0, r1 + 1):
            for c in range(c0, c1 + 1):
                for i in range(first[r * shape[0] + c], first[r * shape[0] + c + 1]):
                    t = order[i]
                    if (
                        left <= x[t] <= right
                        and low <= y[t] <= high
                        and _holds(ring_x[a:b], ring_y[a:b], x[t], y[t])
                    ):
                        owner[t] = p


@njit(cache=True, nogil=True)
def _holds(ring_x, ring_y, x, y):
    """Even-odd rule: a ray to the right crosses the ring an odd number of times."""
    inside = False
    j = len(ring_x) - 1
    for i in range(len(ring_x)):
        if (ring_y[i] > y) != (ring_y[j] > y):
            cross = (ring_x[j] - ring_x[i]) * (y - ring_y[i]) / (ring_y[j] - ring_y[i]) + ring_x[i]
            if x < cross:
                inside = not inside
        j = i
    return inside
