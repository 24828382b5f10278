"""The kept transcripts as the mixture sees them: flat arrays along a Morton curve, so that neighbours lie close in memory."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numba import njit

from cellcarve.data import flat as flats
from cellcarve.data.table import Status, Table

CHUNK = 1 << 15
# Chunks after which the memory of arrays in files is handed back.
_PASSED = 16


class Points(NamedTuple):
    """Positions of N transcripts, float32, in µm from the middle of the tissue; z is 0 in two dimensions."""

    x: np.ndarray
    y: np.ndarray
    z: np.ndarray


def select(at: Points, which: np.ndarray) -> Points:
    """Positions of some transcripts, by index or by flags."""
    return Points(at.x[which], at.y[which], at.z[which])


@dataclass
class Molecules:
    """N kept transcripts in Morton order.

    Attributes
    ----------
    at
        Their positions.
    gene
        (N,) int32.
    place
        (N,) int32: rank of the transcript among the kept rows. It is its address for random numbers, so that a
        moved or turned tissue draws the same.
    row
        (N,) int64, ascending: input row of each rank.
    genes
        Number of genes.
    deep
        Whether z counts.
    """

    at: Points
    gene: np.ndarray
    place: np.ndarray
    row: np.ndarray
    genes: int
    deep: bool

    def __len__(self) -> int:
        return len(self.gene)

    def to_input(self, values: np.ndarray) -> np.ndarray:
        """Values per transcript in Morton order, brought into the order of input rows."""
        out = np.empty_like(values) if values.ndim > 1 else flats.empty(len(values), values.dtype)
        out[self.place] = values
        return out

    def from_input(self, values: np.ndarray) -> np.ndarray:
        """Values per kept row, in the order of input rows, brought into Morton order."""
        return flats.take(values, self.place)


def arrange(table: Table, flat: bool = False, stretch: float = 1.0) -> Molecules:
    """Sort the kept rows of a table along a Morton curve.

    Parameters
    ----------
    table
        N rows.
    flat
        Leave z out.
    stretch
        Factor on z.

    Returns
    -------
    Molecules
        Of the kept rows; z counts where it takes at least two values.
    """
    row = np.flatnonzero(table.status == Status.KEPT)
    x, y = _centred(table.x[row]), _centred(table.y[row])
    z = None if table.z is None or flat else _centred(table.z[row]) * np.float32(stretch)
    deep = z is not None and len(z) > 0 and bool(z.min() < z.max())
    order = np.argsort(morton(x, y), kind="stable").astype(np.int32)
    z = flats.take(z, order) if deep and z is not None else flats.zeros(len(row), np.float32)
    at = Points(flats.take(x, order), flats.take(y, order), z)
    gene = flats.take(table.gene, row[order]).astype(np.int32, copy=False)
    return Molecules(at, gene, flats.keep(order), flats.aside(row), len(table.genes), deep)


def _centred(values: np.ndarray) -> np.ndarray:
    if len(values) == 0:
        return values.astype(np.float32)
    middle = (np.float64(values.min()) + np.float64(values.max())) / 2
    return (values - middle).astype(np.float32)


def morton(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(N,) uint32 place of each position on a Morton curve over the square that holds them all."""
    if len(x) == 0:
        return np.empty(0, np.uint32)
    side = max(float(x.max() - x.min()), float(y.max() - y.min()), 1e-12)
    step = np.float64(65535.0 / side)
    return _spread((x - x.min()) * step) | (_spread((y - y.min()) * step) << np.uint32(1))


def _spread(value: np.ndarray) -> np.ndarray:
    """The 16 lowest bits of each number at every second place."""
    v = np.clip(value, 0, 65535).astype(np.uint32)
    for shift, mask in ((8, 0x00FF00FF), (4, 0x0F0F0F0F), (2, 0x33333333), (1, 0x55555555)):
        v = (v | (v << np.uint32(shift))) & np.uint32(mask)
    return v


def on_chunks(work: Callable[[int, int], Any], n: int, threads: int, size: int = CHUNK) -> list[Any]:
    """Call ``work(low, high)`` on stretches of 0 .. n by several threads; answers come in the order of stretches."""
    bounds = [(low, min(low + size, n)) for low in range(0, n, size)]

    def one(bound: tuple[int, int]) -> Any:
        answer = work(*bound)
        if (bound[0] // size + 1) % _PASSED == 0 and size >= CHUNK:
            flats.relax()
        return answer

    if (threads or os.cpu_count() or 1) == 1 or len(bounds) < 2:
        return [one(bound) for bound in bounds]
    pool = ThreadPoolExecutor(threads or os.cpu_count() or 1)
    try:
        return list(pool.map(one, bounds))
    finally:
        pool.shutdown(cancel_futures=True)


@njit(cache=True, nogil=True)
def apart(at, i, j):
    """Distance of two points, float32 (µm)."""
    dx, dy, dz = at.x[i] - at.x[j], at.y[i] - at.y[j], at.z[i] - at.z[j]
    return np.float32(np.sqrt(dx * dx + dy * dy + dz * dz))
