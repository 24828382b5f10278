"""One piece per cell: claims for cells without a pixel, the main piece of each, crumbs to their neighbours."""

import numpy as np
from numba import njit

# What a transcript of its own adds to the size of a piece, in pixels.
TRANSCRIPT = 8
# Cells with fewer pixels than this are given some.
LEAST = 5
# A cell with at most this many pixels gives none away.
SMALL = 12
# Times that crumbs are eaten from their edges.
BITES = 4


@njit(cache=True, nogil=True)
def claim(label, row, column):
    """Give every cell that has hardly a pixel some around the free one nearest to its heart, in place.

    Parameters
    ----------
    label
        (rows, columns) int32.
    row, column
        (K + 1,) int64 pixel of each cell's heart; on the rim, which stays empty, where it lies outside.
    """
    rows, columns = label.shape
    cells = len(row) - 1
    number = np.zeros(cells + 1, np.int64)
    for c in label.ravel():
        number[c] += 1
    for c in range(1, cells + 1):
        if number[c] >= LEAST or not (0 < row[c] < rows - 1 and 0 < column[c] < columns - 1):
            continue
        i, j = _free(label, number, row[c], column[c])
        _take(label, number, i, j, c)
        for k in range(4):
            a, b = i + (k == 0) - (k == 1), j + (k == 2) - (k == 3)
            if 1 <= a < rows - 1 and 1 <= b < columns - 1 and number[label[a, b]] > SMALL:
                _take(label, number, a, b, c)


@njit(cache=True, nogil=True)
def _take(label, number, i, j, cell):
    number[label[i, j]] -= 1
    label[i, j] = cell
    number[cell] += 1


@njit(cache=True, nogil=True)
def _free(label, number, row, column):
    """The nearest pixel, ring by ring, that belongs to no cell or to one that can spare it."""
    rows, columns = label.shape
    for ring in range(max(rows, columns)):
        for i in range(max(row - ring, 1), min(row + ring + 1, rows - 1)):
            step = 1 if abs(i - row) == ring else max(2 * ring, 1)
            for j in range(column - ring, column + ring + 1, step):
                if 0 < j < columns - 1 and (label[i, j] == 0 or number[label[i, j]] > SMALL):
                    return i, j
    return row, column


@njit(cache=True, nogil=True)
def keep_main(label, cells, row, column, code):
    """Keep the 4-connected piece of each cell that holds most of it; crumbs go to what surrounds them, in place.

    Parameters
    ----------
    label
        (rows, columns) int32.
    cells
        Number of cells K.
    row, column, code
        (V,) int64 pixel and int32 cell of each transcript.
    """
    piece, size = number_pieces(label)
    for t in range(len(row)):
        if label[row[t], column[t]] == code[t]:
            size[piece[row[t], column[t]]] += TRANSCRIPT
    main = np.zeros(cells + 1, np.int32)
    rows, columns = label.shape
    for i in range(rows):
        for j in range(columns):
            c, p = label[i, j], piece[i, j]
            if c > 0 and size[p] > size[main[c]]:
                main[c] = p
    crumbs = np.empty((rows * columns, 2), np.int32)
    n = 0
    for i in range(rows):
        for j in range(columns):
            if label[i, j] > 0 and piece[i, j] != main[label[i, j]]:
                label[i, j] = -1
                crumbs[n] = i, j
                n += 1
    _eat(label, crumbs[:n])


@njit(cache=True, nogil=True)
def number_pieces(label):
    """Number the 4-connected pieces of cells.

    Parameters
    ----------
    label
        (rows, columns) int32, 0 = no cell.

    Returns
    -------
    piece
        (rows, columns) int32, from 1 in reading order, 0 = no cell.
    size
        (rows * columns + 1,) int64 pixels of each piece.
    """
    rows, columns = label.shape
    piece = np.zeros((rows, columns), np.int32)
    size = np.zeros(rows * columns + 1, np.int64)
    stack = np.empty(rows * columns, np.int64)
    last = 0
    for start in range(rows * columns):
        c = label[start // columns, start % columns]
        if c == 0 or piece[start // columns, start % columns] > 0:
            continue
        last += 1
        piece[start // columns, start % columns] = last
        stack[0], top = start, 1
        while top > 0:
            top -= 1
            i, j = stack[top] // columns, stack[top] % columns
            size[last] += 1
            for k in range(4):
                a, b = i + (k == 0) - (k == 1), j + (k == 2) - (k == 3)
                if 0 <= a < rows and 0 <= b < columns and label[a, b] == c and piece[a, b] == 0:
                    piece[a, b] = last
                    stack[top] = a * columns + b
                    top += 1
    return piece, size


@njit(cache=True, nogil=True)
def _eat(label, crumbs):
    """Crumb pixels (-1) join the commonest of their four neighbours, from the edges inward; the rest become 0."""
    taken = np.empty(len(crumbs), np.int32)
    for _ in range(BITES):
        for n in range(len(crumbs)):
            taken[n] = _neighbour(label, crumbs[n, 0], crumbs[n, 1])
        for n in range(len(crumbs)):
            label[crumbs[n, 0], crumbs[n, 1]] = taken[n]
    for i, j in crumbs:
        label[i, j] = max(label[i, j], 0)


@njit(cache=True, nogil=True)
def _neighbour(label, i, j):
    """A crumb's commonest neighbour; among equals cells come before gaps, and smaller numbers before larger."""
    rows, columns = label.shape
    if label[i, j] >= 0 or i == 0 or j == 0 or i == rows - 1 or j == columns - 1:
        return label[i, j]
    around = (label[i - 1, j], label[i, j - 1], label[i, j + 1], label[i + 1, j])
    best, most = -1, 0
    for a in around:
        n = 0
        for b in around:
            n += a == b
        if a >= 0 and (n > most or (n == most and a > 0 and (best <= 0 or a < best))):
            best, most = a, n
    return best
