"""Cut the kept rows of a table into tiles, and look at a tile together with its surroundings."""

import math
from dataclasses import dataclass

import numpy as np

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
    row = np.flatnonzero(table.status == Status.KEPT)
    x, y = table.x[row], table.y[row]
    grid = _centred_grid(x, y, side)
    tile = grid.of(x, y)
    # Within a tile, strips of 1 µm keep neighbours together in memory; x and row number settle ties.
    order = np.lexsort((row, x, np.floor(y), tile))
    row, tile = row[order], tile[order]
    z = np.zeros(len(row), np.float32) if table.z is None else table.z[row]
    start = np.searchsorted(tile, np.arange(len(grid) + 1)).astype(np.int64)
    transcripts = Transcripts(
        x[order],
        y[order],
        z,
        table.gene[row],
        cell[row].astype(np.int32),
        core[row],
        row.astype(np.int64),
        start,
    )
    return Tissue(transcripts, grid, len(table.genes), cells)


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
