"""Voxels seen from above: the columns of each cell, and the one cell that each column goes to."""

from typing import NamedTuple

import numpy as np
from numba import njit

from cellcarve.voxels.result import VoxelRun


class Columns(NamedTuple):
    """Columns of voxels per cell, ascending by row and then column in each; C cells, U columns.

    Attributes
    ----------
    start
        (C + 1,) int64 where the columns of each cell begin.
    row, column
        (U,) int32.
    layers
        (U,) int32 layers in which the cell owns the voxel.
    transcripts
        (U,) int64 transcripts in these voxels.
    """

    start: np.ndarray
    row: np.ndarray
    column: np.ndarray
    layers: np.ndarray
    transcripts: np.ndarray


def union(run: VoxelRun) -> Columns:
    """The columns in which each cell owns at least one voxel."""
    voxel = np.searchsorted(run.voxel_cell, np.arange(1, len(run.names) + 2)).astype(np.int64)
    place = run.voxel_j.astype(np.int64) * run.shape[1] + run.voxel_i
    start, place, layers, transcripts = _flatten(voxel, place, run.voxel_count)
    row, column = np.divmod(place, run.shape[1])
    return Columns(start, row.astype(np.int32), column.astype(np.int32), layers, transcripts)


def consensus(run: VoxelRun, columns: Columns) -> Columns:
    """The columns left to each cell when every column goes to one.

    It goes to the cell that owns it in most layers; of equals to that with more transcripts there, then to that
    whose centroid is nearer, then to the first. Background keeps a column that it fills by more than half
    and that holds no transcript of a cell.

    Parameters
    ----------
    run
        A finished chain.
    columns
        What `union` made of it.

    Returns
    -------
    Columns
        At least one column a cell: a cell that wins none keeps its best one all the same, which then is another
        cell's too.
    """
    middle = np.column_stack(run.along(run.centroid[:, 0], run.centroid[:, 1]))
    centre = (middle - np.array([run.x0, run.y0])) / run.voxel_size - 0.5
    best = np.full(run.shape, -1, np.int64)
    filled = np.zeros(run.shape, np.int32)
    cell = np.repeat(np.arange(len(run.names)), np.diff(columns.start))
    distance = np.hypot(columns.column - centre[cell, 0], columns.row - centre[cell, 1])
    _elect(columns, distance, best, filled, run.layers)
    kept = best[columns.row, columns.column] == np.arange(len(columns.row))
    _console(columns, distance, kept)
    start = np.append(0, np.cumsum(kept))[columns.start]
    return Columns(start, *(part[kept] for part in columns[1:]))


@njit(cache=True, nogil=True)
def _flatten(start, place, count):
    """Distinct places of each cell, ascending, with how often each occurs and the sum of its counts."""
    first = np.zeros(len(start), np.int64)
    flat = np.empty(len(place), np.int64)
    layers = np.zeros(len(place), np.int32)
    total = np.zeros(len(place), np.int64)
    n = 0
    for c in range(len(start) - 1):
        own = place[start[c] : start[c + 1]]
        order = np.argsort(own, kind="mergesort")
        for m in range(len(order)):
            k = order[m]
            if m == 0 or own[k] != flat[n - 1]:
                flat[n] = own[k]
                n += 1
            layers[n - 1] += 1
            total[n - 1] += count[start[c] + k]
        first[c + 1] = n
    return first, flat[:n].copy(), layers[:n].copy(), total[:n].copy()


@njit(cache=True, nogil=True)
def _better(columns, distance, a, b):
    """Whether column a speaks louder for its cell than b for its own."""
    if columns.layers[a] != columns.layers[b]:
        return columns.layers[a] > columns.layers[b]
    if columns.transcripts[a] != columns.transcripts[b]:
        return columns.transcripts[a] > columns.transcripts[b]
    return distance[a] < distance[b]


@njit(cache=True, nogil=True)
def _elect(columns, distance, best, filled, depth):
    """Write which entry of `columns` each place goes to, -1 where to none."""
    held = np.zeros(best.shape, np.bool_)
    for u in range(len(columns.row)):
        j, i = columns.row[u], columns.column[u]
        filled[j, i] += columns.layers[u]
        held[j, i] |= columns.transcripts[u] > 0
        if best[j, i] < 0 or _better(columns, distance, u, best[j, i]):
            best[j, i] = u
    for j in range(best.shape[0]):
        for i in range(best.shape[1]):
            if 2 * filled[j, i] < depth and not held[j, i]:
                best[j, i] = -1


@njit(cache=True, nogil=True)
def _console(columns, distance, kept):
    """Give cells without a column their best one, in place."""
    for c in range(len(columns.start) - 1):
        first, last = columns.start[c], columns.start[c + 1]
        best = first
        for u in range(first, last):
            if kept[u]:
                best = -1
                break
            if _better(columns, distance, u, best):
                best = u
        if best >= 0 and last > first:
            kept[best] = True
