"""The molecules of a family's cells: how many each makes, and where."""

from collections.abc import Iterator

import numpy as np

from cellcarve.simulate.bodies import Shelf, locate, shelve
from cellcarve.simulate.cells import Cells
from cellcarve.simulate.hashing import normals
from cellcarve.simulate.plan import Plan

# Molecules per cell are lognormal: standard deviation of the logarithm, least and most in units of the mean.
SPREAD, LEAST, MOST = 0.4, 50 / 120, 300 / 120
# Molecules that are placed at one time.
_PART = 500_000
# A cell that is nearly covered by others gets fewer molecules after so many attempts.
_ROUNDS = 80


def how_many(cells: Cells, mean: float) -> np.ndarray:
    """(n,) int64 molecules that each cell makes."""
    factor = np.exp(SPREAD * normals(cells.key ^ np.uint64(0x6F0D), 1)[0] - SPREAD**2 / 2)
    return np.rint(mean * factor.clip(LEAST, MOST)).astype(np.int64)


def births(
    plan: Plan, cells: Cells, number: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Places (3, N) and makers (N,) of molecules, spread evenly over the body of each cell."""
    shelf, depth = shelve(cells), plan.settings.depth
    parts = []
    for part in _parts(number):
        need = number[part].copy()
        for _ in range(_ROUNDS):
            if not need.any():
                break
            cell = np.repeat(part, need + (need > 0))
            place = _around(cells, cell, depth, rng)
            parts.append(_kept(plan, shelf, place, cell, (part, need)))
    place = np.concatenate([p for p, _ in parts], axis=1)
    return place, np.concatenate([made for _, made in parts])


def _parts(number: np.ndarray) -> Iterator[np.ndarray]:
    """Positions of cells in runs that make about `_PART` molecules together."""
    run = np.cumsum(number) // _PART
    yield from np.split(np.arange(len(number)), np.flatnonzero(np.diff(run)) + 1)


def _around(cells: Cells, cell: np.ndarray, depth: float, rng: np.random.Generator) -> np.ndarray:
    """(3, N) places spread evenly over the smallest ellipse (or ball) that surely holds each one's cell."""
    xx, xy, yy, zz, size, reach = cells.body[cell, 3:].T
    layered = zz > 0
    direction = rng.standard_normal((3, len(cell)))
    direction[2] *= layered
    direction /= np.sqrt((direction**2).sum(axis=0))
    away = (size + reach) * rng.random(len(cell)) ** np.where(layered, 1 / 3, 1 / 2)
    a, b, c = away * direction
    # The inverse square root of the metric, whose determinant is 1, takes a circle to the cell's ellipse.
    scale = np.sqrt(xx + yy + 2)
    x = cells.x[cell] + ((1 + yy) * a - xy * b) / scale
    y = cells.y[cell] + ((1 + xx) * b - xy * a) / scale
    z = np.where(layered, cells.z[cell] + c, depth * rng.random(len(cell)))
    return np.stack([x, y, z])


def _kept(
    plan: Plan, shelf: Shelf, place: np.ndarray, cell: np.ndarray, wanted: tuple[np.ndarray, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """The places that lie in their cell, no more than it still needs; what it needs is lowered."""
    part, need = wanted
    good = (locate(plan.warp, shelf, *place) == cell) & (place[2] >= 0) & (place[2] <= plan.settings.depth)
    place, own = place[:, good], cell[good] - part[0]
    rank = np.arange(len(own)) - np.searchsorted(own, own)
    chosen = rank < need[own]
    need -= np.bincount(own[chosen], minlength=len(need))
    return place[:, chosen], own[chosen] + part[0]
