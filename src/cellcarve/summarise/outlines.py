"""One polygon per cell, tile by tile, with shared borders and without overlaps."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from cellcarve.data import flat
from cellcarve.data.result import Outlines
from cellcarve.summarise.holes import fill
from cellcarve.summarise.pieces import claim, keep_main
from cellcarve.summarise.rings import smooth_corners, trace
from cellcarve.summarise.shapes import measure
from cellcarve.summarise.votes import settle, vote
from cellcarve.summarise.windows import Tiled, Window, lay_tiles, windows

# Side of a tile in pixels.
TILE = 800
# Rounds in which pixels join what surrounds them.
SETTLE = 2
# Outlines must hold this share of their cells' transcripts; else transcripts speak less far and all is redone.
HELD = 0.95
NARROWER = (1.0, 0.7, 0.5)


def outline(
    x: np.ndarray,
    y: np.ndarray,
    cell: np.ndarray,
    cells: int,
    advance: Callable[[int], None] = lambda amount: None,
) -> Outlines:
    """Outline every cell that has transcripts.

    Every pixel of a lattice over the tissue goes to the cell whose transcripts around it have most votes; one
    piece per cell is kept, gaps in it are filled, and the borders between the pixels are smoothed once for the
    cells on both sides. Outlines follow transcripts up to 100 µm from the heart of their cell.

    Parameters
    ----------
    x, y
        (T,) float32 µm of the transcripts that are in a cell.
    cell
        (T,) int32, 1 .. `cells`.
    cells
        Number of cells.
    advance
        Told how many transcripts more are done.

    Returns
    -------
    Outlines
        One valid polygon per cell that has transcripts; no two overlap. They do not depend on the tiles.
    """
    if len(cell) == 0:
        empty = np.empty(0, np.float32)
        return Outlines(np.empty(0, np.int32), empty, empty, np.zeros(1, np.int64))
    for narrow in NARROWER:
        shapes = measure(x, y, cell, cells, narrow)
        tiled = lay_tiles(x, y, cell, shapes, TILE * shapes.pixel)
        parts = []
        for window in windows(tiled):
            parts.append(_draw(tiled, window))
            flat.relax()
            if narrow == NARROWER[0]:
                advance(parts[-1].transcripts)
        if sum(part.held for part in parts) >= HELD * len(cell):
            break
    return _join(parts)


@dataclass
class _Part:
    """Outlines of a tile's own cells (µm), with how many transcripts these have and hold."""

    cell: np.ndarray
    x: np.ndarray
    y: np.ndarray
    length: np.ndarray
    transcripts: int
    held: int


def _draw(tiled: Tiled, window: Window) -> _Part:
    """Label the pixels of a window and outline its own cells."""
    shapes, own = tiled.shapes, np.append(False, window.own)
    label = np.zeros(window.shape, np.int32)
    reach = np.append(0.0, shapes.reach[window.cell] / shapes.pixel)
    vote(window.u, window.v, window.code, reach, window.x0, window.y0, label)
    for _ in range(SETTLE):
        label = settle(label)
    heart = shapes.heart[window.cell].astype(np.float64) / shapes.pixel
    row, column = _pixels(window, *heart.T)
    claim(label, np.append(-1, row), np.append(-1, column))
    row, column = _pixels(window, window.u, window.v)
    keep_main(label, len(window.cell), row, column, window.code)
    fill(label, len(window.cell))
    move, flat = smooth_corners(label, (window.x0 + window.y0) % 2)
    code, ring, start = trace(label, move, flat, own)
    held = int(np.sum((label[row, column] == window.code) & own[window.code]))
    x, y = (
        ((ring[:, k] + low) * shapes.pixel).astype(np.float32) for k, low in enumerate((window.x0, window.y0))
    )
    cell = window.cell[code - 1]
    return _Part(cell, x, y, np.diff(start), int(shapes.number[cell].sum()), held)


def _pixels(window: Window, u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Row and column (int64) of positions in a window; those outside come to its rim, which stays empty."""
    rows, columns = window.shape
    row = np.clip(np.floor(v).astype(np.int64) - window.y0, 0, rows - 1)
    return row, np.clip(np.floor(u).astype(np.int64) - window.x0, 0, columns - 1)


def _join(parts: list[_Part]) -> Outlines:
    """All outlines in the order of their cells."""
    cell, x, y, length = (
        np.concatenate([getattr(part, name) for part in parts]) for name in ("cell", "x", "y", "length")
    )
    order = np.argsort(cell)
    first, length = (np.cumsum(length) - length)[order], length[order]
    start = np.append(0, np.cumsum(length)).astype(np.int64)
    vertex = np.arange(start[-1]) + np.repeat(first - start[:-1], length)
    return Outlines(cell[order].astype(np.int32), x[vertex], y[vertex], start)
