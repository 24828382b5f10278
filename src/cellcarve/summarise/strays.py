"""Outlines that hold too little of their cell reach out for its strays, pixel by pixel and within bounds.

A cell that holds less than its share takes the cheapest short way of pixels from its outline to a transcript of its own.
Others give a pixel away only while they keep their own share, and no pixel changes hands that would cut a cell in two
or leave a hole in it.
"""

import numpy as np
from numba import njit

# Ways may cost this much, cheap ones first: 1 for a pixel and 3 for every transcript that its cell loses with it.
COSTS = (3, 6, 12)
# Pixels from a stray within which ways are looked for.
SPAN = 9


@njit(cache=True, nogil=True)
def reach_out(label, lists, place, held, least, cells, costs):
    """Hand over pixels, in place.

    Parameters
    ----------
    label
        (rows, columns) int32 cells, 0 = none.
    lists
        Transcripts by pixel: (first, order, code), of which those of pixel p are ``order[first[p]:first[p + 1]]`` and
        `code` is the (V,) int32 cell of each.
    place
        (V,) int64 pixel of each transcript.
    held, least
        (C + 1,) int64 transcripts that each cell holds, which is kept up to date, and should hold.
    cells
        (n,) int64, transcripts whose cells may reach for them, in the order in which they are tried.
    costs
        What a way may cost, round by round.
    """
    span = 2 * SPAN + 1
    cost = np.empty((span, span), np.int32)
    came = np.empty((span, span), np.int8)
    columns = label.shape[1]
    for most in costs:
        for t in cells:
            c = lists[2][t]
            i, j = place[t] // columns, place[t] % columns
            if held[c] >= least[c] or label[i, j] == c:
                continue
            a, b = _way(label, lists, held, least, (i, j, c, most), cost, came)
            if a >= 0:
                _walk(label, lists, held, came, (i, j, a, b, c))


@njit(cache=True, nogil=True)
def _price(label, lists, held, least, i, j):
    """What it costs to take a pixel from its cell; 99 where that cell cannot spare it."""
    owner = label[i, j]
    if owner == 0:
        return 1
    lost = _count(lists, i * label.shape[1] + j, owner)
    return 99 if lost > 0 and held[owner] - lost < least[owner] else 1 + 3 * lost


@njit(cache=True, nogil=True)
def _count(lists, pixel, cell):
    first, order, code = lists
    n = 0
    for k in range(first[pixel], first[pixel + 1]):
        n += code[order[k]] == cell
    return n


@njit(cache=True, nogil=True)
def _way(label, lists, held, least, goal, cost, came):
    """The pixel beside the cell at which the cheapest way from the stray ends, or -1, -1; `came` tells the way back."""
    i, j, c, most = goal
    rows, columns = label.shape
    cost[:] = 99
    cost[SPAN, SPAN] = _price(label, lists, held, least, i, j)
    came[SPAN, SPAN] = -1
    for level in range(1, most + 1):
        for u in range(2 * SPAN + 1):
            for v in range(2 * SPAN + 1):
                if cost[u, v] != level:
                    continue
                a, b = i + u - SPAN, j + v - SPAN
                for k in range(4):
                    du, dv = (k == 0) - (k == 1), (k == 2) - (k == 3)
                    x, y = a + du, b + dv
                    if label[x, y] == c:
                        return a, b
                    inside = 0 <= u + du <= 2 * SPAN and 0 <= v + dv <= 2 * SPAN
                    if not (inside and 0 < x < rows - 1 and 0 < y < columns - 1):
                        continue
                    further = level + _price(label, lists, held, least, x, y)
                    if further < cost[u + du, v + dv]:
                        cost[u + du, v + dv] = further
                        came[u + du, v + dv] = k
    return -1, -1


@njit(cache=True, nogil=True)
def _walk(label, lists, held, came, ends):
    """Take the pixels from beside the cell to the stray; all or none."""
    i, j, a, b, c = ends
    before = np.empty((4 * SPAN * SPAN, 3), np.int32)
    n = 0
    while True:
        owner = label[a, b]
        if not (_simple(label, a, b, c) and (owner == 0 or _simple(label, a, b, owner))):
            break
        before[n, 0], before[n, 1], before[n, 2] = a, b, owner
        n += 1
        _give(label, lists, held, a, b, c)
        k = came[a - i + SPAN, b - j + SPAN]
        if k < 0:
            return
        a, b = a - ((k == 0) - (k == 1)), b - ((k == 2) - (k == 3))
    for m in range(n - 1, -1, -1):
        _give(label, lists, held, before[m, 0], before[m, 1], before[m, 2])


@njit(cache=True, nogil=True)
def _give(label, lists, held, i, j, cell):
    pixel = i * label.shape[1] + j
    for who, sign in ((label[i, j], -1), (cell, 1)):
        if who > 0:
            held[who] += sign * _count(lists, pixel, who)
    label[i, j] = cell


@njit(cache=True, nogil=True)
def _simple(label, i, j, cell):
    """Whether the cell's pixels around this one hang together without it, and touch it: it can be given or taken."""
    n = 0
    for k in range(4):
        di, dj = (k == 0) - (k == 2), (k == 1) - (k == 3)
        ei, ej = -dj, di
        if label[i + di, j + dj] == cell:
            n += 1
            n -= label[i + ei, j + ej] == cell and label[i + di + ei, j + dj + ej] == cell
    return n == 1
