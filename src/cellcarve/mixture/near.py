"""Nearest neighbours by a grid of square buckets over x and y; z only adds to distances, as tissue is thin."""

from typing import NamedTuple

import numpy as np
from numba import njit

from cellcarve.data.sorting import rows_of
from cellcarve.mixture.molecules import Points, on_chunks

# Transcripts that a bucket in tissue should hold.
_FILL = 3.0


class Grid(NamedTuple):
    """Buckets of points; bucket (row, column) holds ``member[start[b]:start[b + 1]]``, b = row * nx + column.

    Attributes
    ----------
    start
        (nx * ny + 1,) int32.
    member
        (N,) int32, ascending within a bucket.
    x0, y0
        Lower corner, µm.
    side
        Side of a bucket, µm.
    nx, ny
        Columns and rows.
    """

    start: np.ndarray
    member: np.ndarray
    x0: float
    y0: float
    side: float
    nx: int
    ny: int


def lay_grid(at: Points) -> Grid:
    """Buckets sized so that those in tissue hold a few points each."""
    n = len(at.x)
    x0, y0 = float(at.x.min(initial=0)), float(at.y.min(initial=0))
    width = float(at.x.max(initial=0)) - x0
    height = float(at.y.max(initial=0)) - y0
    extent = max(width, height, 1e-9)
    coarse = max(1, min(256, int(np.sqrt(n / 16))))
    box = np.minimum((at.x - x0) / extent * coarse, coarse - 1).astype(np.int32) * np.int32(coarse)
    box += np.minimum((at.y - y0) / extent * coarse, coarse - 1).astype(np.int32)
    filled = max(1, int(np.count_nonzero(np.bincount(box, minlength=1))))
    side = float(np.sqrt(filled * (extent / coarse) ** 2 * _FILL / max(n, 1)))
    side = max(side, extent / 30_000, np.sqrt(max(width, side) * max(height, side) / (4 * max(n, 1) + 16)))
    nx, ny = int(width / side) + 1, int(height / side) + 1
    bucket = np.minimum((at.y - y0) / side, ny - 1).astype(np.int32) * np.int32(nx)
    bucket += np.minimum((at.x - x0) / side, nx - 1).astype(np.int32)
    member, start = rows_of(bucket, nx * ny)
    return Grid(start, member, x0, y0, side, nx, ny)


@njit(cache=True, nogil=True)
def _keep(distance, who, found, d, j):
    """Insert a neighbour into the sorted lists; returns how many they hold."""
    most = len(distance)
    if found == most and (d > distance[most - 1] or (d == distance[most - 1] and j > who[most - 1])):
        return found
    slot = min(found, most - 1)
    while slot > 0 and (distance[slot - 1] > d or (distance[slot - 1] == d and who[slot - 1] > j)):
        distance[slot], who[slot] = distance[slot - 1], who[slot - 1]
        slot -= 1
    distance[slot], who[slot] = d, j
    return min(found + 1, most)


@njit(cache=True, nogil=True)
def _look(at, grid, bucket, here, keep, found):
    """Offer the members of one bucket to the lists `keep`; `here` is (x, y, z, self)."""
    distance, who = keep
    for m in range(grid.start[bucket], grid.start[bucket + 1]):
        j = grid.member[m]
        if j == here[3]:
            continue
        dx, dy, dz = at.x[j] - here[0], at.y[j] - here[1], at.z[j] - here[2]
        found = _keep(distance, who, found, np.float32(dx * dx + dy * dy + dz * dz), j)
    return found


@njit(cache=True, nogil=True)
def search(at, grid, here, keep):
    """Squared distances and indices of the nearest points, ascending, into `keep`; returns how many were found.

    `here` is (x, y, z, index of the point itself or -1); ties go to the lower index. Rings of buckets around the
    point are looked through until no nearer point can come.
    """
    column = min(max(int((here[0] - grid.x0) / grid.side), 0), grid.nx - 1)
    row = min(max(int((here[1] - grid.y0) / grid.side), 0), grid.ny - 1)
    found, most = 0, len(keep[0])
    for ring in range(max(grid.nx, grid.ny)):
        # Everything nearer than this lies in the rings already seen.
        seen = np.float32((ring - 1) * grid.side) * np.float32(0.99999)
        if ring > 0 and found == most and seen > 0 and keep[0][most - 1] < seen * seen:
            break
        for r in range(max(row - ring, 0), min(row + ring, grid.ny - 1) + 1):
            step = 1 if abs(r - row) == ring or ring == 0 else 2 * ring
            for c in range(column - ring, column + ring + 1, step):
                if c >= 0 and c < grid.nx:
                    found = _look(at, grid, r * grid.nx + c, here, keep, found)
    return found


@njit(cache=True, nogil=True)
def _distances(at, grid, k, low, high, out):
    keep = (np.empty(k, np.float32), np.empty(k, np.int32))
    for i in range(low, high):
        found = search(at, grid, (at.x[i], at.y[i], at.z[i], i), keep)
        out[i] = np.sqrt(keep[0][found - 1]) if found else np.float32(0)


@njit(cache=True, nogil=True)
def _indices(at, grid, low, high, out, squared):
    for i in range(low, high):
        found = search(at, grid, (at.x[i], at.y[i], at.z[i], i), (squared[i - low], out[i - low]))
        out[i - low, found:] = -1


def distance_to(at: Points, grid: Grid, k: int, threads: int) -> np.ndarray:
    """(N,) float32 distance (µm) of each point to its k-th nearest other one, or the furthest where there are fewer."""
    out = np.empty(len(at.x), np.float32)
    on_chunks(lambda low, high: _distances(at, grid, k, low, high, out), len(out), threads)
    return out


def nearest(at: Points, grid: Grid, k: int, low: int, high: int) -> tuple[np.ndarray, np.ndarray]:
    """The k nearest other points of the points low .. high.

    Returns
    -------
    tuple
        (high - low, k) int32 indices, -1 where there are fewer, and float32 squared distances, ascending.
    """
    out = np.empty((high - low, k), np.int32)
    squared = np.empty((high - low, k), np.float32)
    _indices(at, grid, low, high, out, squared)
    return out, squared


@njit(cache=True, nogil=True)
def _nearest_of(points, grid, queries, out, squared):
    for i in range(len(queries.x)):
        here = (queries.x[i], queries.y[i], queries.z[i], -1)
        found = search(points, grid, here, (squared[i], out[i]))
        out[i, found:] = -1


def nearest_of(points: Points, queries: Points, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The k points nearest to each of Q other places.

    Returns
    -------
    tuple
        (Q, k) int32 indices, -1 where there are fewer, and float32 distances in µm.
    """
    out = np.empty((len(queries.x), k), np.int32)
    squared = np.empty((len(queries.x), k), np.float32)
    _nearest_of(points, lay_grid(points), queries, out, squared)
    return out, np.sqrt(squared)
