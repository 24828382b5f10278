"""A cell for every pixel, by the votes of the transcripts around it."""

import numpy as np
from numba import njit

# Votes that a pixel needs to belong to a cell; a transcript gives at most 1.
ENOUGH = 0.45
# A pixel keeps its cell unless another one leads by more than this among its eight neighbours.
STAY = 1


@njit(cache=True, nogil=True)
def vote(place, order, start, reach, corner, label):
    """Write the cell with most votes into every pixel, 0 where there are few; of equals, the smaller number.

    Cells vote one after the other, each on pixels of its own, so that few of all pixels are ever looked at.

    Parameters
    ----------
    place
        (V,) float64 positions along x and y, in pixels of the tissue.
    order, start
        Transcripts by cell, 1 .. K, and where each cell's begin.
    reach
        (K + 1,) float64 pixels, within which a cell's transcripts have a vote.
    corner
        x and y of the first pixel of `label`.
    label
        (rows, columns) int32 zeros; its rim stays empty.
    """
    u, v = place
    most = np.full(label.shape, np.float32(ENOUGH))
    sums = np.zeros(label.size, np.float32)
    for c in range(1, len(reach)):
        first, last = start[c], start[c + 1]
        i0, j0, i1, j1 = _box(u, v, order[first:last], reach[c], corner, label.shape)
        if i1 <= i0 or j1 <= j0:
            continue
        wide = j1 - j0
        sums[: (i1 - i0) * wide] = 0
        for n in range(first, last):
            t = order[n]
            _speak(u[t], v[t], reach[c], sums, (corner[0] + j0, corner[1] + i0, wide, i1 - i0))
        for i in range(i0, i1):
            for j in range(j0, j1):
                votes = sums[(i - i0) * wide + j - j0]
                if votes > most[i, j] or (votes == most[i, j] and label[i, j] == 0):
                    most[i, j], label[i, j] = votes, c


@njit(cache=True, nogil=True)
def _box(u, v, own, reach, corner, shape):
    """First and last (exclusive) row and column of the pixels for which a cell's transcripts vote, the rim left out."""
    i0, j0, i1, j1 = shape[0] - 1, shape[1] - 1, 1, 1
    for t in own:
        left, low, right, high = _span(u[t], v[t], reach)
        i0, j0 = min(i0, low - corner[1]), min(j0, left - corner[0])
        i1, j1 = max(i1, high - corner[1]), max(j1, right - corner[0])
    return max(i0, 1), max(j0, 1), min(i1, shape[0] - 1), min(j1, shape[1] - 1)


@njit(cache=True, nogil=True)
def _span(u, v, reach):
    """Pixels that a transcript may reach: first column and row, last (exclusive) column and row."""
    left, low = int(np.ceil(u - reach - 0.5)), int(np.ceil(v - reach - 0.5))
    return left, low, int(np.floor(u + reach + 0.5)), int(np.floor(v + reach + 0.5))


@njit(cache=True, nogil=True)
def _speak(u, v, reach, sums, box):
    """Add a transcript's votes, at most 1 and less with distance, to its cell's box: corner, columns and rows."""
    x0, y0, columns, rows = box
    left, low, right, high = _span(u, v, reach)
    sharp = 1 / (reach * reach)
    for i in range(max(low - y0, 0), min(high - y0, rows)):
        dy = y0 + i + 0.5 - v
        for j in range(max(left - x0, 0), min(right - x0, columns)):
            dx = x0 + j + 0.5 - u
            weight = max(1 - (dx * dx + dy * dy) * sharp, 0.0)
            sums[i * columns + j] += weight * weight


@njit(cache=True, nogil=True)
def settle(label):
    """A smoother copy of the labels: each pixel joins the commonest label around it."""
    rows, columns = label.shape
    out = label.copy()
    around = np.empty(8, np.int32)
    for i in range(1, rows - 1):
        for j in range(1, columns - 1):
            own, same = label[i, j], 0
            for k in range(8):
                m = k if k < 4 else k + 1
                around[k] = label[i + m // 3 - 1, j + m % 3 - 1]
                same += around[k] == own
            if same < 4:
                out[i, j] = _commonest(around, own, same + STAY)
    return out


@njit(cache=True, nogil=True)
def _commonest(around, best, most):
    """The label that occurs more than `most` times, the smallest of equals; else `best`."""
    found = 0
    for a in around:
        n = 0
        for b in around:
            n += a == b
        if n > most or (n == most and found > 0 and a < best):
            best, most, found = a, n, 1
    return best
