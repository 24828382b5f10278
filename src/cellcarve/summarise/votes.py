"""A cell for every pixel, by the votes of the transcripts around it."""

import numpy as np
from numba import njit

# Cells that a pixel remembers while votes come in.
SLOTS = 4
# Votes that a pixel needs to belong to a cell; a transcript gives at most 1.
ENOUGH = 0.45
# A pixel keeps its cell unless another one leads by more than this among its eight neighbours.
STAY = 1


@njit(cache=True, nogil=True)
def vote(u, v, code, reach, x0, y0, label):
    """Write the cell with most votes into every pixel, 0 where there are few.

    Parameters
    ----------
    u, v
        (V,) float64 positions in pixels of the tissue.
    code
        (V,) int32, 1 .. K.
    reach
        (K + 1,) float64 pixels, within which a cell's transcripts have a vote.
    x0, y0
        The first pixel of `label`.
    label
        (rows, columns) int32 zeros; its rim stays empty.
    """
    rows, columns = label.shape
    who = np.zeros((rows, columns, SLOTS), np.int32)
    sums = np.zeros((rows, columns, SLOTS), np.float32)
    for t in range(len(u)):
        r = reach[code[t]]
        for i in range(max(int(np.ceil(v[t] - r - 0.5)) - y0, 0), min(int(v[t] + r + 0.5) - y0 + 1, rows)):
            dy = y0 + i + 0.5 - v[t]
            for j in range(
                max(int(np.ceil(u[t] - r - 0.5)) - x0, 0), min(int(u[t] + r + 0.5) - x0 + 1, columns)
            ):
                dx = x0 + j + 0.5 - u[t]
                weight = 1 - (dx * dx + dy * dy) / (r * r)
                if weight > 0:
                    _add(who, sums, i, j, code[t], weight * weight)
    for i in range(1, rows - 1):
        for j in range(1, columns - 1):
            best = 0
            for k in range(1, SLOTS):
                better = sums[i, j, k] > sums[i, j, best]
                if better or (sums[i, j, k] == sums[i, j, best] and who[i, j, k] < who[i, j, best]):
                    best = k
            label[i, j] = who[i, j, best] if sums[i, j, best] >= ENOUGH else 0


@njit(cache=True, nogil=True)
def _add(who, sums, i, j, code, weight):
    """Add to a cell's votes; a cell that finds no slot takes that of the weakest if it outweighs it."""
    weak = 0
    for k in range(SLOTS):
        if who[i, j, k] == code or who[i, j, k] == 0:
            who[i, j, k] = code
            sums[i, j, k] += weight
            return
        if sums[i, j, k] < sums[i, j, weak]:
            weak = k
    if weight > sums[i, j, weak]:
        who[i, j, weak] = code
        sums[i, j, weak] = weight


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
