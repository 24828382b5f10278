"""Exact outlines of voxels: one walk around each piece of a cell, along the sides of its voxels."""

import numpy as np
from numba import njit

# What is marked of a voxel: its left side was walked along; its right side borders a hole.
SEEN, CLOSED = 0, 1


@njit(cache=True, nogil=True)
def trace(start, row, column):
    """Outline groups of voxels; holes, and pieces that lie in the holes of others, are left out.

    Every group is outlined for itself, so groups may overlap. A piece is what hangs together by the sides of
    its voxels; where two pieces, or two ends of one, touch at a corner, the walk keeps to one side. Outlines of
    a group therefore are simple and meet in single points at most: together they are a valid multi-polygon.

    Parameters
    ----------
    start
        (G + 1,) int64 where the voxels of each group begin.
    row, column
        (V,) int32 voxels, ascending by row and then column in each group, each once.

    Returns
    -------
    group
        (R,) int64 group of each ring, ascending.
    ring
        (R + 1,) int64 where each ring begins.
    corner
        (n, 2) int32 column and row of the corners where a ring turns, counter-clockwise (rows run along y);
        the last one of a ring equals its first. Corner (i, j) is the lower corner of the voxel of column i
        and row j.
    """
    sides = _sides(start, row, column)
    corner = np.empty((sides + sides // 4 + 2, 2), np.int32)
    group = np.empty(len(row), np.int64)
    ring = np.zeros(len(row) + 1, np.int64)
    mark = np.zeros((len(row), 2), np.bool_)
    notes = np.empty((_most_sides(start), 3), np.int64)
    rings, n = 0, 0
    for g in range(len(start) - 1):
        first, last = start[g], start[g + 1]
        for k in range(first, last):
            if mark[k, SEEN] or _find(row, column, first, last, row[k], column[k] - 1) >= 0:
                continue
            end, ups = _walk(row, column, (first, last, k, n), mark, corner, notes)
            outer = _area(corner[n:end]) > 0
            if k > first and row[k - 1] == row[k]:
                outer = outer and not mark[k - 1, CLOSED]
            for m in range(ups):
                mark[notes[m, 0], CLOSED] = not outer
            if outer:
                group[rings] = g
                rings += 1
                n = end
                ring[rings] = n
    return group[:rings].copy(), ring[: rings + 1].copy(), corner[:n].copy()


@njit(cache=True, nogil=True)
def _most_sides(start):
    most = 0
    for g in range(len(start) - 1):
        most = max(most, start[g + 1] - start[g])
    return 4 * most + 4


@njit(cache=True, nogil=True)
def _sides(start, row, column):
    """Sides of voxels along rows and columns at which a group ends: no walk has more corners."""
    n = 0
    for g in range(len(start) - 1):
        first, last = start[g], start[g + 1]
        for k in range(first, last):
            if _find(row, column, first, last, row[k], column[k] - 1) < 0:
                n += 2
            if _find(row, column, first, last, row[k] - 1, column[k]) < 0:
                n += 2
    return n


@njit(cache=True, nogil=True)
def _find(row, column, first, last, r, c):
    """Place of a voxel among those of its group, -1 where it is none of them."""
    end = last
    while first < last:
        middle = (first + last) // 2
        if row[middle] < r or (row[middle] == r and column[middle] < c):
            first = middle + 1
        else:
            last = middle
    return first if first < end and row[first] == r and column[first] == c else -1


@njit(cache=True, nogil=True)
def _walk(row, column, at, mark, corner, notes):
    """Walk from the left side of a voxel around its piece, or around the hole that this side borders.

    Parameters
    ----------
    row, column
        Voxels.
    at
        First and last voxel of the group, the voxel to begin at, and where in `corner` to write.
    mark
        (V, 2) bool, whether the left side of a voxel was walked along, and whether its right side borders a
        hole; written.
    corner
        Corners, written.
    notes
        Right sides walked along (voxel, and the number of corners before it) and places in `corner` where
        four sides meet; written.

    Returns
    -------
    tuple of int
        Where the ring ends in `corner`, and how many right sides were noted.
    """
    first, last, k, begin = at
    x, y, dx, dy = column[k], row[k] + 1, 0, -1
    n, ups, meetings = begin, 0, 0
    while True:
        if dy != 0:
            own = _find(row, column, first, last, y + (dy - 1) // 2, x - (dy + 1) // 2)
            if dy < 0 and mark[own, SEEN]:
                break
            if dy < 0:
                mark[own, SEEN] = True
            else:
                notes[ups, 0], notes[ups, 1] = own, n
                ups += 1
        x, y = x + dx, y + dy
        left = _find(row, column, first, last, y + (dy + dx - 1) // 2, x + (dx - dy - 1) // 2) >= 0
        right = _find(row, column, first, last, y + (dy - dx - 1) // 2, x + (dx + dy - 1) // 2) >= 0
        if not left or right:
            corner[n] = x, y
            n += 1
        if right and not left:
            n, ups, meetings = _cut(corner, n, ups, meetings, notes, mark)
        if not left:
            dx, dy = -dy, dx
        elif right:
            dx, dy = dy, -dx
    corner[n] = corner[begin]
    return n + 1, ups


@njit(cache=True, nogil=True)
def _cut(corner, n, ups, meetings, notes, mark):
    """Cut out the loop that the newest corner closes, if it does; what is left of corners, sides and meetings.

    The walk begins at the outside, so what comes back to a corner has gone around a hole that is open there only.
    """
    for m in range(meetings):
        place = notes[m, 2]
        if corner[place, 0] != corner[n - 1, 0] or corner[place, 1] != corner[n - 1, 1]:
            continue
        while ups > 0 and notes[ups - 1, 1] > place:
            ups -= 1
            mark[notes[ups, 0], CLOSED] = True
        return place + 1, ups, m + 1
    notes[meetings, 2] = n - 1
    return n, ups, meetings + 1


@njit(cache=True, nogil=True)
def _area(corner):
    """Twice the area of a closed ring, negative where it runs clockwise."""
    area = 0
    for k in range(len(corner) - 1):
        area += np.int64(corner[k, 0]) * corner[k + 1, 1] - np.int64(corner[k + 1, 0]) * corner[k, 1]
    return area
