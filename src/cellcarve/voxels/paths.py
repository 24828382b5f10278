"""The two nearest prior cells of every column, where a way costs more through some columns than through others."""

import math

import numpy as np
from numba import njit

# Steps to the sixteen neighbours: a chess king's and knight's moves, whose paths are 3 % too long at most.
STEPS = np.array(
    [(i, j) for j in range(-2, 3) for i in range(-2, 3) if math.gcd(i, j) == 1],
    np.int64,
)
LENGTHS = np.hypot(STEPS[:, 0], STEPS[:, 1])
# Passes over all columns from the four corners; fewer where nothing changes any more.
MOST_PASSES = 6


@njit(cache=True, nogil=True)
def take(cell, far, place, offered, distance):
    """Offer a column a cell at a distance; `cell` (n, 2) and `far` (n, 2) change. Returns whether anything did."""
    if offered == cell[place, 0]:
        if distance < far[place, 0]:
            far[place, 0] = distance
            return True
        return False
    if distance < far[place, 0]:
        cell[place, 1], far[place, 1] = cell[place, 0], far[place, 0]
        cell[place, 0], far[place, 0] = offered, distance
        return True
    if distance < far[place, 1]:
        cell[place, 1], far[place, 1] = offered, distance
        return True
    return False


@njit(cache=True, nogil=True)
def offers(cell, far, cost, place, i, j, reach):
    """Let a column take what its neighbours know; returns whether anything changed."""
    ny, nx = cost.shape
    changed = False
    for n in range(STEPS.shape[0]):
        a, b = i + STEPS[n, 0], j + STEPS[n, 1]
        if not (0 <= a < nx and 0 <= b < ny):
            continue
        way = np.float32(LENGTHS[n] * 0.5 * (cost[j, i] + cost[b, a]))
        other = b * nx + a
        for k in range(2):
            distance = far[other, k] + way
            if cell[other, k] > 0 and distance < reach:
                changed |= take(cell, far, place, cell[other, k], distance)
    return changed


@njit(cache=True, nogil=True)
def pass_over(cell, far, cost, reach, corner):
    """One pass over all columns from one of the four corners; returns whether anything changed."""
    ny, nx = cost.shape
    changed = False
    for row in range(ny):
        j = row if corner < 2 else ny - 1 - row
        for column in range(nx):
            i = column if corner % 2 == 0 else nx - 1 - column
            changed |= offers(cell, far, cost, j * nx + i, i, j, reach)
    return changed


def two_nearest_by_cost(
    label: np.ndarray, cost: np.ndarray, reach: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Nearest cell of every column, the cost of the way to it, and that to the next cell.

    Parameters
    ----------
    label
        (ny, nx) int32: cells of the columns that are sources, 0 elsewhere.
    cost
        (ny, nx) float32: of a way as long as a voxel's side.
    reach
        Cells farther than this do not count.

    Returns
    -------
    tuple
        As `cellcarve.voxels.nearest.two_nearest`.
    """
    cell = np.zeros((label.size, 2), np.int32)
    far = np.full((label.size, 2), reach, np.float32)
    cell[:, 0] = label.ravel()
    far[cell[:, 0] > 0, 0] = 0
    for _ in range(MOST_PASSES):
        if not sum(pass_over(cell, far, cost, np.float32(reach), corner) for corner in range(4)):
            break
    shape = label.shape
    return cell[:, 0].reshape(shape), far[:, 0].reshape(shape), far[:, 1].reshape(shape)
