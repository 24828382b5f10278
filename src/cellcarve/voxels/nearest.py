"""The two nearest prior cells of every column of voxels, and what they say of its label.

Sources are columns that lie in a prior cell. Every column takes over the sources of its neighbours, in two passes over
the rows in each direction (vector propagation, Danielsson 1980), keeping the nearest source of the nearest two cells.
"""

import numpy as np
from numba import njit

from cellcarve.chain.compiled import LEAF
from cellcarve.voxels.lattice import bands


@njit(**LEAF)
def squared(place, source, nx):
    """Squared distance, in voxels, between two columns."""
    dj, di = place // nx - source // nx, place % nx - source % nx
    return dj * dj + di * di


@njit(**LEAF)
def offer(source, label, place, candidate, limit):
    """Let a column take a source if it is nearer than those it has; `source`, int32 (n, 2), changes.

    Parameters
    ----------
    source
        Nearest source of the nearest cell and of the next one, -1 = none.
    label
        int32 (ny, nx): cell of the sources.
    place, candidate
        The column, and the source offered.
    limit
        Squared distance in voxels beyond which no source counts.
    """
    nx = label.shape[1]
    far = squared(place, candidate, nx)
    if far > limit:
        return
    cell = label[candidate // nx, candidate % nx]
    for n in range(2):
        held = source[place, n]
        if held < 0:
            source[place, n] = candidate
            return
        if label[held // nx, held % nx] == cell:
            if far < squared(place, held, nx):
                source[place, n] = candidate
            break
        if far < squared(place, held, nx):
            if n == 0:
                source[place, 1] = held
            source[place, n] = candidate
            return
    first, second = source[place, 0], source[place, 1]
    if second >= 0 and squared(place, second, nx) < squared(place, first, nx):
        source[place, 0], source[place, 1] = second, first


@njit(**LEAF)
def pass_over(source, label, limit, down):
    """One pass over all columns from one side to the other, and back along each row."""
    ny, nx = label.shape
    step = 1 if down else -1
    for row in range(ny):
        j = row if down else ny - 1 - row
        for turn in (1, -1):
            for column in range(nx):
                i = column if turn == 1 else nx - 1 - column
                for di in (-1, 0, 1):
                    if 0 <= j - step < ny and 0 <= i + di < nx:
                        share(source, label, j * nx + i, (j - step) * nx + i + di, limit)
                if 0 <= i - turn < nx:
                    share(source, label, j * nx + i, j * nx + i - turn, limit)


@njit(**LEAF)
def share(source, label, place, other, limit):
    """Offer a column both sources of a neighbour."""
    for n in range(2):
        if source[other, n] >= 0:
            offer(source, label, place, source[other, n], limit)


def two_nearest(label: np.ndarray, reach: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Nearest cell of every column, the distance to it, and that to the next cell.

    Parameters
    ----------
    label
        (ny, nx) int32: cells of the columns that are sources, 0 elsewhere.
    reach
        In voxels: cells farther than this do not count.

    Returns
    -------
    tuple
        (ny, nx): int32 cell (0 = none within reach); float32 distances in voxels, `reach` where there is none.
    """
    label = np.ascontiguousarray(label, np.int32)
    source = np.full((label.size, 2), -1, np.int32)
    held = np.flatnonzero(label)
    source[held, 0] = held
    for _ in range(2):
        pass_over(source, label, reach * reach, True)
        pass_over(source, label, reach * reach, False)
    nx = label.shape[1]
    cell, far = np.empty(label.shape, np.int32), np.empty((2, *label.shape), np.float32)
    for rows in bands(*label.shape):
        known = source.reshape(*label.shape, 2)[rows]
        j, i = np.mgrid[rows, : label.shape[1]]
        for n in range(2):
            away = np.hypot(j - known[..., n] // nx, i - known[..., n] % nx)
            far[n, rows] = np.where(known[..., n] >= 0, away, reach)
        cell[rows] = np.where(known[..., 0] >= 0, label.ravel()[known[..., 0]], 0)
    return cell, far[0], far[1]
