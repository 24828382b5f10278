"""Outlines of labelled pixels: corners moved to smooth places, then one walk around each cell."""

import numpy as np
from numba import njit

# Times that each corner moves to the mean of itself and its neighbours along the border.
PASSES = 4
# No corner moves further than this along x or y, in pixels. Below one half, borders that do not share a corner
# stay on their own sides of a line between pixels, so that outlines neither cross themselves nor each other.
LIMIT = 0.45
# Where a cell touches itself at a corner, each pixel's walk passes inside the pixel by this much.
INSIDE = 0.25
# A corner this close (pixels) to the line through its neighbours is left out; only every second one may be.
FLAT = 0.04


@njit(cache=True, nogil=True)
def smooth_corners(label, parity, pinned):
    """Where the corners of the pixels go.

    The corner of row i and column j lies between pixels (i - 1, j - 1) and (i, j). A corner between two labels
    moves towards its two neighbours along the border; where three or more borders meet it stays.

    Parameters
    ----------
    label
        (rows, columns) int32.
    parity
        0 or 1, whether the first corner is an even or an odd one of the tissue.
    pinned
        (rows + 1, columns + 1) bool, corners that stay.

    Returns
    -------
    move
        (rows + 1, columns + 1, 2) float32 displacement along x and y, in pixels.
    flat
        (rows + 1, columns + 1) bool, the corner can be left out of every outline that passes it.
    """
    rows, columns = label.shape
    move = np.zeros((rows + 1, columns + 1, 2), np.float32)
    corner, ends = _borders(label)
    place = np.empty((len(corner), 2), np.float32)
    for _ in range(PASSES):
        for n in range(len(corner)):
            i, j = corner[n]
            for axis in range(2):
                total = move[i, j, axis]
                for k in ends[n]:
                    a, b = i + (k == 0) - (k == 1), j + (k == 2) - (k == 3)
                    total += move[a, b, axis] + (b - j if axis == 0 else a - i)
                place[n, axis] = 0 if pinned[i, j] else min(max(total / 3, -LIMIT), LIMIT)
        for n in range(len(corner)):
            move[corner[n, 0], corner[n, 1]] = place[n]
    return move, _flat(move, corner, ends, parity)


@njit(cache=True, nogil=True)
def _borders(label):
    """Corners with exactly two borders, and the directions of these: row up, row down, column up, column down."""
    rows, columns = label.shape
    corner = np.empty((rows * columns, 2), np.int32)
    ends = np.empty((rows * columns, 2), np.int8)
    n = 0
    for i in range(1, rows):
        for j in range(1, columns):
            a, b, c, d = label[i - 1, j - 1], label[i - 1, j], label[i, j - 1], label[i, j]
            if a == b and c == d and a == c:
                continue
            border = (c != d, a != b, b != d, a != c)
            if border[0] + border[1] + border[2] + border[3] != 2:
                continue
            corner[n] = i, j
            k = 0
            for direction in range(4):
                if border[direction]:
                    ends[n, k] = direction
                    k += 1
            n += 1
    return corner[:n], ends[:n]


@njit(cache=True, nogil=True)
def _flat(move, corner, ends, parity):
    """Corners on the line through their neighbours; never two in a row, as neighbours differ in parity."""
    flat = np.zeros(move.shape[:2], np.bool_)
    side = np.empty((2, 2), np.float32)
    for n in range(len(corner)):
        i, j = corner[n]
        if (i + j + parity) % 2 == 1:
            continue
        for m in range(2):
            k = ends[n, m]
            a, b = i + (k == 0) - (k == 1), j + (k == 2) - (k == 3)
            side[m, 0] = move[a, b, 0] - move[i, j, 0] + b - j
            side[m, 1] = move[a, b, 1] - move[i, j, 1] + a - i
        height = abs(side[0, 0] * side[1, 1] - side[0, 1] * side[1, 0])
        base = np.hypot(side[0, 0] - side[1, 0], side[0, 1] - side[1, 1])
        flat[i, j] = height < FLAT * base
    return flat


@njit(cache=True, nogil=True)
def lost(label, move, u, v, code):
    """Which transcripts lie in a pixel of their cell, but outside its smoothed outline; (V,) bool.

    Parameters
    ----------
    label, move
        As in `smooth_corners`.
    u, v
        (V,) float64 position along columns and rows, in pixels from the label's corner.
    code
        (V,) int32 cells.
    """
    out = np.zeros(len(u), np.bool_)
    rows, columns = label.shape
    for t in range(len(u)):
        i, j = int(v[t]), int(u[t])
        if not (0 < i < rows - 1 and 0 < j < columns - 1) or label[i, j] != code[t]:
            continue
        out[t] = not (_enclosed(label, i, j) or _in_pixels(label, move, i, j, u[t], v[t]))
    return out


@njit(cache=True, nogil=True)
def _enclosed(label, i, j):
    """Whether all pixels around are of the same cell: no corner has moved then."""
    c = label[i, j]
    above = label[i - 1, j - 1] == c and label[i - 1, j] == c and label[i - 1, j + 1] == c
    below = label[i + 1, j - 1] == c and label[i + 1, j] == c and label[i + 1, j + 1] == c
    return above and below and label[i, j - 1] == c and label[i, j + 1] == c


@njit(cache=True, nogil=True)
def _in_pixels(label, move, i, j, u, v):
    """Whether a position lies in any of a pixel's cell's pixels around it."""
    for k in range(9):
        a, b = i + k // 3 - 1, j + k % 3 - 1
        if label[a, b] == label[i, j] and _in_pixel(move, a, b, u, v):
            return True
    return False


@njit(cache=True, nogil=True)
def _in_pixel(move, i, j, u, v):
    """Whether a position lies in a pixel whose corners have moved: by the crossings of a ray."""
    inside = False
    for k in range(4):
        a, b = i + (k == 1 or k == 2), j + (k >= 2)
        c, d = i + (k == 0 or k == 1), j + (k == 1 or k == 2)
        x0, y0, x1, y1 = b + move[a, b, 0], a + move[a, b, 1], d + move[c, d, 0], c + move[c, d, 1]
        if (y0 > v) != (y1 > v) and u < x0 + (v - y0) / (y1 - y0) * (x1 - x0):
            inside = not inside
    return inside


@njit(cache=True, nogil=True)
def trace(label, move, flat, own, most):
    """Walk once around each cell, counter-clockwise (rows run along y), and note the smoothed corners.

    Parameters
    ----------
    label
        (rows, columns) int32, zero along the rim; each cell is 4-connected and without holes.
    move, flat
        From `smooth_corners`.
    own
        (K + 1,) bool, the cells to outline; those that were are False afterwards.
    most
        Number of cells to outline.

    Returns
    -------
    code
        (B,) int32 cells in the order of their first pixels.
    ring
        (n, 2) float64 x and y in pixels from the label's corner; each ring's last vertex equals its first.
    start
        (B + 1,) int64 where each ring begins.
    """
    rows, columns = label.shape
    ring = np.empty((_sides(label, own) + most, 2), np.float64)
    code, start = np.empty(most, np.int32), np.zeros(most + 1, np.int64)
    cells, n = 0, 0
    for i in range(1, rows - 1):
        for j in range(1, columns - 1):
            c = label[i, j]
            if c == 0 or not own[c]:
                continue
            own[c] = False
            n = _walk(label, move, flat, (i, j), ring, n)
            code[cells] = c
            cells += 1
            start[cells] = n
    return code[:cells], ring[:n], start[: cells + 1]


@njit(cache=True, nogil=True)
def _sides(label, own):
    """Sides of pixels that lie between one of the `own` cells and something else."""
    rows, columns = label.shape
    n = 0
    for i in range(1, rows - 1):
        for j in range(1, columns - 1):
            c = label[i, j]
            if c > 0 and own[c]:
                n += (label[i - 1, j] != c) + (label[i + 1, j] != c)
                n += (label[i, j - 1] != c) + (label[i, j + 1] != c)
    return n


@njit(cache=True, nogil=True)
def _walk(label, move, flat, first, ring, n):
    """Write the ring of the cell whose first pixel is `first` from row `n` of `ring` on; the row after it."""
    i, j = first
    cell, begin = label[i, j], n
    dx, dy = 1, 0
    while True:
        i, j = i + dy, j + dx
        left = label[i + (dy + dx - 1) // 2, j + (dx - dy - 1) // 2] == cell
        right = label[i + (dy - dx - 1) // 2, j + (dx + dy - 1) // 2] == cell
        if not flat[i, j]:
            # Ahead on the right only: the cell touches itself here, and this pixel's walk stays inside it.
            inside = INSIDE if right and not left else 0.0
            ring[n, 0] = j + move[i, j, 0] - inside * (dx + dy)
            ring[n, 1] = i + move[i, j, 1] + inside * (dx - dy)
            n += 1
        if not left:
            dx, dy = -dy, dx
        elif right:
            dx, dy = dy, -dx
        if i == first[0] and j == first[1] and dx == 1:
            break
    ring[n] = ring[begin]
    return n + 1
