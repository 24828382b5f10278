"""Which cell's body a place of the tissue belongs to."""

from dataclasses import dataclass

import numpy as np
from numba import njit

from cellcarve.simulate.cells import Cells
from cellcarve.simulate.fields import warp

SIDE = 8.0
# Bins on either side that are searched: no cell reaches further than 16 µm from its seed.
AROUND = 2


@dataclass
class Shelf:
    """Cells sorted into square bins of undeformed space.

    Attributes
    ----------
    body
        (n, 9) float64, as in `Cells`, in bin order.
    order
        (n,) int64, position in `Cells` of each.
    start
        (rows * columns + 1,) int64.
    x0, y0
        Corner of the first bin in µm.
    columns, rows
        Number of bins.
    """

    body: np.ndarray
    order: np.ndarray
    start: np.ndarray
    x0: float
    y0: float
    columns: int
    rows: int


def shelve(cells: Cells) -> Shelf:
    """Sort cells into bins."""
    u, v = cells.body[:, 0], cells.body[:, 1]
    x0, y0 = float(u.min()), float(v.min())
    column, row = ((u - x0) / SIDE).astype(np.int64), ((v - y0) / SIDE).astype(np.int64)
    columns, rows = int(column.max()) + 1, int(row.max()) + 1
    place = row * columns + column
    order = np.argsort(place, kind="stable")
    start = np.searchsorted(place[order], np.arange(columns * rows + 1))
    return Shelf(np.ascontiguousarray(cells.body[order]), order, start, x0, y0, columns, rows)


def locate(wave: np.ndarray, shelf: Shelf, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Position in `Cells` of the cell that holds each place; -1 = between cells.

    Parameters
    ----------
    wave
        Waves of the deformation.
    shelf
        The cells around.
    x, y, z
        (N,) float64, µm.

    Returns
    -------
    np.ndarray
        (N,) int64.
    """
    if not len(shelf.order):
        return np.full(len(x), -1, np.int64)
    bins = np.array([shelf.columns, shelf.rows])
    found = _locate(wave, shelf.body, shelf.start, np.array([shelf.x0, shelf.y0]), bins, np.stack([x, y, z]))
    return np.where(found >= 0, shelf.order[np.maximum(found, 0)], -1)


@njit(cache=True, nogil=True)
def _locate(
    wave: np.ndarray,
    body: np.ndarray,
    start: np.ndarray,
    corner: np.ndarray,
    bins: np.ndarray,
    place: np.ndarray,
) -> np.ndarray:
    found = np.full(place.shape[1], -1, np.int64)
    for t in range(place.shape[1]):
        z = place[2, t]
        u, v = warp(wave, place[0, t], place[1, t], z)
        column = int(np.floor((u - corner[0]) / SIDE))
        row = int(np.floor((v - corner[1]) / SIDE))
        first, last = max(column - AROUND, 0), min(column + AROUND, bins[0] - 1)
        nearest = np.inf
        for r in range(max(row - AROUND, 0), min(row + AROUND, bins[1] - 1) + 1):
            if first <= last:
                found[t], nearest = _search(
                    body,
                    start[r * bins[0] + first],
                    start[r * bins[0] + last + 1],
                    (u, v, z),
                    found[t],
                    nearest,
                )
    return found


@njit(cache=True, nogil=True, inline="always")
def _search(
    body: np.ndarray, begin: int, end: int, place: tuple[float, float, float], found: int, nearest: float
) -> tuple[int, float]:
    """Nearest surface among the cells begin .. end, if nearer than what was found before."""
    for c in range(begin, end):
        dx, dy, dz = place[0] - body[c, 0], place[1] - body[c, 1], place[2] - body[c, 2]
        square = body[c, 3] * dx * dx + 2 * body[c, 4] * dx * dy + body[c, 5] * dy * dy + body[c, 6] * dz * dz
        gap = np.sqrt(square) - body[c, 7]
        if gap < nearest and gap < body[c, 8]:
            nearest, found = gap, c
    return found, nearest
