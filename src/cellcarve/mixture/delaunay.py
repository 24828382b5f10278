"""Delaunay edges of any number of points, tile by tile.

A triangle counts where the circle through its corners is no wider than a limit. Every such circle lies in a margin
of that width around the tile of any of its corners, so that triangulating each tile with its margin finds the very
triangles of the whole, whatever the tiles (Delaunay's empty circle property).
"""

import numpy as np
from numba import njit

from cellcarve.mixture.molecules import Points, on_chunks

PER_TILE = 40_000
# Points are moved by up to this share of the usual distance between neighbours, which settles ties of points on a
# lattice or on each other in the same way in every tile.
_JITTER = 1e-4


def edges(at: Points, place: np.ndarray, usual: float, furthest: float, threads: int) -> np.ndarray:
    """Pairs of Delaunay neighbours in the plane.

    Parameters
    ----------
    at
        N points.
    place
        (N,) int32 numbers that stay with the points.
    usual
        Usual distance of neighbours, µm.
    furthest
        Radius (µm) of the largest circle through three points that makes them neighbours.
    threads
        Threads to use.

    Returns
    -------
    numpy.ndarray
        (E, 2) int32, the lower index first, each pair once.
    """
    n = len(at.x)
    if n < 3:
        return np.array([[0, 1]], np.int32)[: max(n - 1, 0)]
    x, y = _moved(at, place, usual)
    side = max(float(np.sqrt(np.ptp(x) * np.ptp(y) * PER_TILE / n)), 2 * furthest, 1e-9)
    nx, ny = int(np.ptp(x) / side) + 1, int(np.ptp(y) / side) + 1
    column = np.minimum((x - x.min()) / side, nx - 1).astype(np.int64)
    tile = np.minimum((y - y.min()) / side, ny - 1).astype(np.int64) * nx + column
    order = np.argsort(tile, kind="stable").astype(np.int32)
    start = np.searchsorted(tile[order], np.arange(nx * ny + 1))
    low = float(x.min()), float(y.min())

    def one(t: int) -> np.ndarray:
        if start[t] == start[t + 1]:
            return np.empty((0, 2), np.int32)
        row, column = divmod(t, nx)
        box = (low[0] + column * side, low[1] + row * side, side, 2 * furthest)
        index = _around((x, y), (order, start), (row, column), (nx, ny), box)
        return _accepted(x[index], y[index], index, tile[index] == t, furthest)

    parts = on_chunks(lambda t, _: one(t), nx * ny, threads, 1)
    pairs = np.concatenate(parts)
    return _once(pairs, n) if len(parts) > 1 else pairs


def _moved(at: Points, place: np.ndarray, usual: float) -> tuple[np.ndarray, np.ndarray]:
    """Positions as float64, each moved a little by an amount that its number decides."""
    word = place.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    word ^= word >> np.uint64(29)
    word *= np.uint64(0xBF58476D1CE4E5B9)
    word ^= word >> np.uint64(32)
    share = 1.0 / 2**32
    dx = (word & np.uint64(0xFFFFFFFF)).astype(np.float64) * share - 0.5
    dy = (word >> np.uint64(32)).astype(np.float64) * share - 0.5
    size = 2 * _JITTER * usual
    return at.x.astype(np.float64) + size * dx, at.y.astype(np.float64) + size * dy


def _around(
    position: tuple[np.ndarray, np.ndarray],
    tiles: tuple[np.ndarray, np.ndarray],
    where: tuple[int, int],
    size: tuple[int, int],
    box: tuple[float, float, float, float],
) -> np.ndarray:
    """Ascending indices of the points in a tile and its margin; box is (x, y, side, margin)."""
    (x, y), (order, start), (row, column), (nx, ny) = position, tiles, where, size
    x0, y0, side, margin = box
    found = []
    for r in range(max(row - 1, 0), min(row + 2, ny)):
        first, last = r * nx + max(column - 1, 0), r * nx + min(column + 1, nx - 1)
        index = order[start[first] : start[last + 1]]
        inside = (np.abs(x[index] - x0 - side / 2) <= side / 2 + margin) & (
            np.abs(y[index] - y0 - side / 2) <= side / 2 + margin
        )
        found.append(index[inside])
    return np.sort(np.concatenate(found))


def _accepted(
    x: np.ndarray, y: np.ndarray, index: np.ndarray, own: np.ndarray, furthest: float
) -> np.ndarray:
    """Edges of the tile's triangles: those whose corner of lowest index is the tile's own."""
    from scipy.spatial import Delaunay, QhullError

    if len(x) < 3:
        return np.sort(index)[None, :] if len(x) == 2 and own.all() else np.empty((0, 2), np.int32)
    try:
        corner = Delaunay(np.column_stack([x, y])).simplices
    except QhullError:
        # All in one line: each is a neighbour of the next.
        line = np.lexsort((y, x))
        pairs = np.sort(np.column_stack([index[line[:-1]], index[line[1:]]]), axis=1)
        return pairs.astype(np.int32)
    corner = np.sort(corner, axis=1)
    corner = corner[own[corner[:, 0]]]
    corner = corner[_radius(x, y, corner) <= furthest]
    pairs = np.concatenate([corner[:, [0, 1]], corner[:, [1, 2]], corner[:, [0, 2]]])
    return _once(index[pairs], int(index.max()) + 1)


@njit(cache=True, nogil=True)
def _radius(x, y, corner):
    """Radius of the circle through the corners of each triangle."""
    out = np.empty(len(corner))
    for t in range(len(corner)):
        a, b, c = corner[t, 0], corner[t, 1], corner[t, 2]
        ux, uy, vx, vy = x[b] - x[a], y[b] - y[a], x[c] - x[a], y[c] - y[a]
        area = abs(ux * vy - uy * vx)
        sides = np.sqrt((ux * ux + uy * uy) * (vx * vx + vy * vy) * ((ux - vx) ** 2 + (uy - vy) ** 2))
        out[t] = sides / (2 * area) if area > 0 else np.inf
    return out


def _once(pairs: np.ndarray, n: int) -> np.ndarray:
    """Each pair (lower index first) once, ascending."""
    key = np.unique(pairs[:, 0].astype(np.int64) * n + pairs[:, 1])
    return np.column_stack([key // n, key % n]).astype(np.int32)
