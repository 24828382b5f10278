"""What a finished chain holds, gathered into flat arrays entry by entry, so that little memory is needed beside it."""

import numpy as np
from numba import njit

from cellcarve.chain.compiled import LEAF
from cellcarve.voxels.drift import place_of
from cellcarve.voxels.state import Grid, Spots


@njit(**LEAF)
def list_steps(grid, spots, order, step):
    """Displacement of every transcript in voxels: `step`, int16 (t, 3), is filled in input order."""
    for t in range(order.size):
        a, b, c = place_of(grid, spots.seen[t])
        i, j, k = place_of(grid, spots.at[t])
        step[order[t], 0], step[order[t], 1], step[order[t], 2] = i - a, j - b, k - c


@njit(**LEAF)
def count_voxels(label, nl, begin):
    """Voxels of every cell and layer: `begin`, int64 (c * nl + 1,) of zeros, is filled with where each begins."""
    for voxel in range(label.size):
        if label[voxel] > 0:
            begin[(label[voxel] - 1) * nl + voxel % nl + 1] += 1
    for n in range(1, begin.size):
        begin[n] += begin[n - 1]


@njit(**LEAF)
def list_voxels(grid, label, head, after, begin, out):
    """The labelled voxels by cell, layer, row and column.

    Parameters
    ----------
    grid, label, head, after
        State.
    begin
        As `count_voxels` fills it; it changes.
    out
        int32 (5, n): cell, column, row, layer and transcripts of each; filled.
    """
    for voxel in range(label.size):
        if label[voxel] == 0:
            continue
        i, j, k = place_of(grid, voxel)
        n = begin[(label[voxel] - 1) * grid.nl + k]
        begin[(label[voxel] - 1) * grid.nl + k] += 1
        held, t = 0, head[voxel]
        while t >= 0:
            held += 1
            t = after[t]
        out[0, n], out[1, n], out[2, n], out[3, n], out[4, n] = label[voxel], i, j, k, held


def voxels_by_cell(grid: Grid, label: np.ndarray, spots: Spots, cells: int) -> np.ndarray:
    """(5, V) int32 cell, column, row, layer and transcripts of the labelled voxels, sorted by cell, layer, row, column."""
    begin = np.zeros(cells * grid.nl + 1, np.int64)
    count_voxels(label, grid.nl, begin)
    out = np.empty((5, int(begin[-1])), np.int32)
    list_voxels(grid, label, spots.head, spots.after, begin, out)
    return out
