"""Cells without holes: gaps are filled, and a cell that encloses another is cut open."""

import numpy as np
from numba import njit

# Cuts that one cell may need; each opens a way to at least one enclosed cell.
CUTS = 16
OUTSIDE, OWN, HOLE = 1, 2, 0


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
        for _ in range(CUTS):
            kind = _kinds(part, c)
            if not _cut(part, kind, c):
                break
        for i in range(kind.shape[0]):
            for j in range(kind.shape[1]):
                if kind[i, j] == HOLE and part[i, j] == 0:
                    part[i, j] = c


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
def _cut(part, kind, own):
    """Open the shortest way out from an enclosed cell; False where there is none."""
    rows, columns = part.shape
    shortest = rows + columns
    way = (0, 0, 0, 0)
    for i in range(rows):
        for j in range(columns):
            if kind[i, j] != HOLE or part[i, j] == 0:
                continue
            for k in range(4):
                di, dj = (k == 0) - (k == 1), (k == 2) - (k == 3)
                steps = _steps(kind, i, j, di, dj)
                if 0 < steps < shortest:
                    shortest, way = steps, (i, j, di, dj)
    if shortest == rows + columns:
        return False
    i, j, di, dj = way
    for n in range(1, shortest + 1):
        if part[i + n * di, j + n * dj] == own:
            part[i + n * di, j + n * dj] = 0
    return True


@njit(cache=True, nogil=True)
def _steps(kind, i, j, di, dj):
    """Pixels of the cell's own between an enclosed pixel and the outside, 0 where others lie between."""
    n = 1
    while kind[i + n * di, j + n * dj] == OWN:
        n += 1
    return n - 1 if kind[i + n * di, j + n * dj] == OUTSIDE else 0
