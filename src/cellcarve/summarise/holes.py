"""Cells without holes: gaps are filled, and a cell that encloses another is cut open."""

import numpy as np
from numba import njit

from cellcarve.summarise.pieces import number_pieces

# What a pixel is to a cell; the own pixels' and the outside's numbers only have to differ from a hole's.
HOLE, OUTSIDE, OWN = 0, 1, 2


@njit(cache=True, nogil=True)
def fill(label, cells):
    """Make every cell free of holes, in place.

    A gap inside a cell becomes part of it. A cell inside another stays: the outer one is cut open along the
    shortest straight way from the enclosed cell to the outside.

    Parameters
    ----------
    label
        (rows, columns) int32 with one 4-connected piece per cell and zeros all around.
    cells
        Number of cells K.
    """
    box = _boxes(label, cells)
    for c in range(1, cells + 1):
        i0, j0, i1, j1 = box[c]
        if i1 < 0:
            continue
        part = label[max(i0 - 1, 0) : i1 + 2, max(j0 - 1, 0) : j1 + 2]
        kind = _kinds(part, c)
        whole = True
        while _cut(part, kind):
            kind = _kinds(part, c)
            whole = False
        if not whole:
            _keep_largest(part, c)
        for i in range(kind.shape[0]):
            for j in range(kind.shape[1]):
                if kind[i, j] == HOLE:
                    part[i, j] = c


@njit(cache=True, nogil=True)
def _keep_largest(part, cell):
    """Drop what a cut has severed from a cell."""
    piece, size = number_pieces(np.where(part == cell, cell, 0))
    main = np.argmax(size)
    for i in range(part.shape[0]):
        for j in range(part.shape[1]):
            if part[i, j] == cell and piece[i, j] != main:
                part[i, j] = 0


@njit(cache=True, nogil=True)
def _boxes(label, cells):
    """First and last row and column of each label; -1 at the end where it is absent."""
    rows, columns = label.shape
    box = np.empty((cells + 1, 4), np.int64)
    box[:, :2] = rows + columns
    box[:, 2:] = -1
    for i in range(rows):
        for j in range(columns):
            b = box[label[i, j]]
            b[0], b[1] = min(b[0], i), min(b[1], j)
            b[2], b[3] = max(b[2], i), max(b[3], j)
    return box


@njit(cache=True, nogil=True)
def _kinds(part, own):
    """Whether each pixel is the cell's own, can be reached from the rim (diagonal steps count), or is enclosed."""
    rows, columns = part.shape
    kind = np.zeros((rows, columns), np.uint8)
    stack = np.empty(rows * columns, np.int64)
    top = 0
    for i in range(rows):
        for j in range(columns):
            if part[i, j] == own:
                kind[i, j] = OWN
            elif i == 0 or j == 0 or i == rows - 1 or j == columns - 1:
                kind[i, j] = OUTSIDE
                stack[top] = i * columns + j
                top += 1
    while top > 0:
        top -= 1
        i, j = stack[top] // columns, stack[top] % columns
        for a in range(max(i - 1, 0), min(i + 2, rows)):
            for b in range(max(j - 1, 0), min(j + 2, columns)):
                if kind[a, b] == HOLE:
                    kind[a, b] = OUTSIDE
                    stack[top] = a * columns + b
                    top += 1
    return kind


@njit(cache=True, nogil=True)
def _cut(part, kind):
    """Open the shortest straight way out from an enclosed cell; False where none is enclosed."""
    rows, columns = part.shape
    shortest = rows + columns
    way = (0, 0, 0, 0)
    for i in range(rows):
        for j in range(columns):
            if kind[i, j] != HOLE or part[i, j] == 0:
                continue
            for k in range(4):
                di, dj = (k == 0) - (k == 1), (k == 2) - (k == 3)
                steps = _steps(part, kind, i, j, di, dj)
                if 0 < steps < shortest:
                    shortest, way = steps, (i, j, di, dj)
    i, j, di, dj = way
    for n in range(1, shortest + 1):
        if shortest < rows + columns and kind[i + n * di, j + n * dj] == OWN:
            part[i + n * di, j + n * dj] = 0
    return shortest < rows + columns


@njit(cache=True, nogil=True)
def _steps(part, kind, i, j, di, dj):
    """Pixels between an enclosed pixel and the outside, 0 where another enclosed cell lies between.

    The outermost enclosed pixel always has a way, so that every enclosed cell is freed in the end.
    """
    n = 1
    while kind[i + n * di, j + n * dj] != OUTSIDE:
        if kind[i + n * di, j + n * dj] == HOLE and part[i + n * di, j + n * dj] > 0:
            return 0
        n += 1
    return n - 1
