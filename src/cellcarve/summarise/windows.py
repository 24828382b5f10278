"""Tiles of transcripts, each with as much of its surroundings as its cells' outlines depend on."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from cellcarve.data.tiles import by_tile
from cellcarve.data.tissue import TileGrid
from cellcarve.summarise.shapes import FAR, Shapes

# Pixels around a window, for what the clean-up of labels reaches.
MARGIN = 12


@dataclass
class Window:
    """A rectangle of pixels, exact for the cells that it owns; V transcripts, K cells.

    Attributes
    ----------
    u, v
        (V,) float64 positions in pixels of the whole tissue's lattice.
    code
        (V,) int32 cell of each transcript, 1 .. K.
    cell
        (K,) int32 cell numbers, ascending.
    own
        (K,) bool, the window's tile writes the cell's outline.
    x0, y0
        The window's first pixel.
    shape
        Rows and columns of pixels.
    """

    u: np.ndarray
    v: np.ndarray
    code: np.ndarray
    cell: np.ndarray
    own: np.ndarray
    x0: int
    y0: int
    shape: tuple[int, int]


@dataclass
class Tiled:
    """Transcripts by tile; T transcripts.

    Attributes
    ----------
    x, y
        (T,) float32 µm, in input order.
    cell
        (T,) int32 cells.
    shapes
        The cells' extents.
    grid
        The tiles.
    order
        (T,) int64 transcripts by tile, in input order within one.
    start
        (tiles + 1,) int64 where each tile begins in `order`.
    home
        (C + 1,) int64 tile that owns each cell.
    """

    x: np.ndarray
    y: np.ndarray
    cell: np.ndarray
    shapes: Shapes
    grid: TileGrid
    order: np.ndarray
    start: np.ndarray
    home: np.ndarray


def lay_tiles(x: np.ndarray, y: np.ndarray, cell: np.ndarray, shapes: Shapes, side: float) -> Tiled:
    """Sort transcripts into square tiles of `side` µm."""
    x0, y0 = float(x.min()), float(y.min())
    nx, ny = (math.floor((float(v.max()) - low) / side) + 1 for v, low in ((x, x0), (y, y0)))
    grid = TileGrid(x0, y0, side, nx, ny, x0, y0)
    order, start = by_tile(grid, x, y)
    return Tiled(x, y, cell, shapes, grid, order, start, home=grid.of(*shapes.heart.T))


def windows(tiled: Tiled) -> Iterator[Window]:
    """One window per tile that owns a cell."""
    for tile in np.flatnonzero(np.diff(tiled.start)):
        inside = tiled.order[tiled.start[tile] : tiled.start[tile + 1]]
        cells = np.unique(tiled.cell[inside])
        # The heart is a transcript of its cell, so that a tile's own cells all have transcripts in it.
        own = cells[tiled.home[cells] == tile]
        if len(own):
            yield _window(tiled, own)


def _window(tiled: Tiled, own: np.ndarray) -> Window:
    """What the outlines of `own` depend on: the cells that touch them, and those that touch these."""
    shapes, pixel = tiled.shapes, tiled.shapes.pixel
    pad = float(shapes.reach.max()) + MARGIN * pixel
    box = _hull(shapes.box[own])
    for _ in range(2):
        near = within(tiled, box, pad)
        box = _hull(shapes.box[np.union1d(tiled.cell[near], own)])
    near = within(tiled, box, pad)
    cell, code = np.unique(tiled.cell[near], return_inverse=True)
    x0, y0 = (math.floor((low - pad) / pixel) for low in box[:2])
    x1, y1 = (math.floor((high + pad) / pixel) + 1 for high in box[2:])
    u, v = tiled.x[near].astype(np.float64) / pixel, tiled.y[near].astype(np.float64) / pixel
    code = (code + 1).astype(np.int32)
    return Window(u, v, code, cell, np.isin(cell, own), x0, y0, (y1 - y0, x1 - x0))


def _hull(boxes: np.ndarray) -> np.ndarray:
    return np.concatenate([boxes[:, :2].min(0), boxes[:, 2:].max(0)]).astype(np.float64)


def within(tiled: Tiled, box: np.ndarray, pad: float) -> np.ndarray:
    """Transcripts, in input order, in a box grown by `pad` and not far from their cell's heart."""
    grid, side = tiled.grid, tiled.grid.side
    low, high = box[:2] - pad, box[2:] + pad
    first = np.maximum(np.floor((low - (grid.x0, grid.y0)) / side).astype(np.int64), 0)
    last = np.floor((high - (grid.x0, grid.y0)) / side).astype(np.int64)
    rows = range(first[1], min(last[1], grid.ny - 1) + 1)
    end = min(last[0], grid.nx - 1) + 1
    runs = [(row * grid.nx + first[0], row * grid.nx + end) for row in rows]
    near = np.concatenate([tiled.order[tiled.start[a] : tiled.start[b]] for a, b in runs])
    x, y = tiled.x[near], tiled.y[near]
    near = near[(x >= low[0]) & (x <= high[0]) & (y >= low[1]) & (y <= high[1])]
    heart = tiled.shapes.heart[tiled.cell[near]]
    close = (abs(tiled.x[near] - heart[:, 0]) <= FAR) & (abs(tiled.y[near] - heart[:, 1]) <= FAR)
    return np.sort(near[close])
