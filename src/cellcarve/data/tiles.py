"""Cut the kept rows of a table into tiles, and look at a tile together with its surroundings."""

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from cellcarve.data import flat
from cellcarve.data.sorting import deal
from cellcarve.data.table import Status, Table
from cellcarve.data.tissue import TileGrid, Tissue, Transcripts


def cut(table: Table, cell: np.ndarray, core: np.ndarray, cells: int, side: float) -> Tissue:
    """Sort the kept rows by tile and position.

    The grid is centred on the tissue, so that a tissue turned by 90 degrees is cut in the same way.

    Parameters
    ----------
    table
        N rows, at least one of them kept.
    cell, core
        (N,) prior cell (int32, 0 = none) and whether the row anchors it (bool).
    cells
        Number of prior cells.
    side
        Side of a tile in µm.
    """
    row = flat.keep(np.flatnonzero(table.status == Status.KEPT))
    x, y = flat.take(table.x, row), flat.take(table.y, row)
    grid = _centred_grid(x, y, side)
    order, start = by_tile(grid, x, y)
    for a, b in pairwise(start.tolist()):
        # Within a tile, strips of 1 µm keep neighbours together in memory; x and row number settle ties.
        own = order[a:b]
        order[a:b] = own[np.lexsort((x[own], np.floor(y[own])))]
    row = flat.take(row, order)
    transcripts = Transcripts(
        x=flat.take(x, order),
        y=flat.take(y, order),
        z=flat.zeros(len(row), np.float32) if table.z is None else flat.take(table.z, row),
        gene=flat.take(table.gene, row),
        cell=flat.take(cell, row),
        core=flat.take(core, row),
        row=row,
        start=start,
    )
    return Tissue(transcripts, grid, len(table.genes), cells)


def by_tile(grid: TileGrid, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Transcripts by tile, in input order within one, (T,) int64; and where each tile begins, (tiles + 1,) int64."""
    tile = flat.empty(len(x), np.int32)
    for first in range(0, len(x), flat.PIECE):
        part = slice(first, first + flat.PIECE)
        tile[part] = grid.of(x[part], y[part])
    start = np.zeros(len(grid) + 1, np.int64)
    np.cumsum(np.bincount(tile, minlength=len(grid)), out=start[1:])
    order = flat.empty(len(x), np.int64)
    deal(tile, start.copy(), order)
    return order, start


def count_squares(tissue: Tissue, side: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Squares over the tissue that hold transcripts, in the order of rows and then of columns.

    Parameters
    ----------
    side
        Side of a square in µm; the tissue's middle is a corner of four of them.

    Returns
    -------
    column, row
        (S,) int64, 0 at the tissue's middle.
    count
        (S,) int64 transcripts.
    """
    t, grid = tissue.transcripts, tissue.grid
    keys, counts = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for first in range(0, len(t), flat.PIECE):
        part = slice(first, first + flat.PIECE)
        column = np.floor((t.x[part] - grid.centre_x) / side).astype(np.int64)
        row = np.floor((t.y[part] - grid.centre_y) / side).astype(np.int64)
        key, count = np.unique((row << 32) + column, return_counts=True)
        keys.append(key)
        counts.append(count)
    key, place = np.unique(np.concatenate(keys), return_inverse=True)
    total = np.bincount(place, np.concatenate(counts), len(key)).astype(np.int64)
    column = (key + (1 << 31) & 0xFFFFFFFF) - (1 << 31)
    return column, (key - column) >> 32, total


def _centred_grid(x: np.ndarray, y: np.ndarray, side: float) -> TileGrid:
    low = np.array([x.min(), y.min()], np.float64)
    high = np.array([x.max(), y.max()], np.float64)
    number = [max(1, math.ceil((b - a + 1e-3) / side)) for a, b in zip(low, high, strict=True)]
    centre = (low + high) / 2
    corner = centre - np.array(number) * side / 2
    return TileGrid(
        float(corner[0]), float(corner[1]), side, number[0], number[1], float(centre[0]), float(centre[1])
    )


@dataclass
class View:
    """A box of tissue with what lies around it; V transcripts.

    Attributes
    ----------
    x, y
        (V,) float32, µm from the middle of the tissue.
    gene, cell
        (V,) int32 gene and prior cell (0 = none).
    core
        (V,) bool, anchors its prior cell.
    inside
        (V,) bool, lies in the box itself and not in its surroundings.
    index
        (V,) int64, position in `Transcripts`.
    box
        (xmin, ymin, xmax, ymax) of box and surroundings in the same coordinates as x and y.
    """

    x: np.ndarray
    y: np.ndarray
    gene: np.ndarray
    cell: np.ndarray
    core: np.ndarray
    inside: np.ndarray
    index: np.ndarray
    box: tuple[float, float, float, float]

    def __len__(self) -> int:
        return len(self.x)


def view_tile(tissue: Tissue, tile: int, halo: float) -> View:
    """The transcripts of a tile and of `halo` µm around it (at most one tile's side)."""
    xmin, ymin, xmax, ymax = tissue.grid.box(tile)
    return view_box(tissue, (xmin, ymin, xmax, ymax), halo, tissue.grid.around(tile), tile)


def view_box(
    tissue: Tissue,
    box: tuple[float, float, float, float],
    halo: float,
    tiles: list[int],
    own: int | None = None,
) -> View:
    """The transcripts of a box and of `halo` µm around it, looked for in `tiles`.

    With `own`, "inside" means belonging to that tile, so that every transcript is inside exactly one view.
    """
    t, grid = tissue.transcripts, tissue.grid
    xmin, ymin, xmax, ymax = box[0] - halo, box[1] - halo, box[2] + halo, box[3] + halo
    parts = []
    for tile in tiles:
        a, b = t.start[tile], t.start[tile + 1]
        x, y = t.x[a:b], t.y[a:b]
        parts.append(a + np.flatnonzero((x >= xmin) & (x < xmax) & (y >= ymin) & (y < ymax)))
    index = np.concatenate(parts) if parts else np.empty(0, np.int64)
    x, y = t.x[index], t.y[index]
    if own is None:
        inside = (x >= box[0]) & (x < box[2]) & (y >= box[1]) & (y < box[3])
    else:
        inside = (index >= t.start[own]) & (index < t.start[own + 1])
    cx, cy = grid.centre_x, grid.centre_y
    local = (xmin - cx, ymin - cy, xmax - cx, ymax - cy)
    return View(
        (x - np.float64(cx)).astype(np.float32),
        (y - np.float64(cy)).astype(np.float32),
        t.gene[index],
        t.cell[index],
        t.core[index],
        inside,
        index,
        local,
    )
