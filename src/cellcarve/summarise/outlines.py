"""One polygon per cell, tile by tile, with shared borders and without overlaps."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from cellcarve.data import flat
from cellcarve.data.result import Outlines
from cellcarve.data.sorting import rows_of
from cellcarve.summarise.holes import fill
from cellcarve.summarise.pieces import claim, keep_main
from cellcarve.summarise.rings import lost, smooth_corners, trace
from cellcarve.summarise.shapes import FAR, measure
from cellcarve.summarise.strays import COSTS, reach_out
from cellcarve.summarise.votes import settle, vote
from cellcarve.summarise.windows import MARGIN, Tiled, Window, lay_tiles, windows, within

# Side of a tile in pixels.
TILE = 800
# Rounds in which pixels join what surrounds them.
SETTLE = 2
# Outlines must hold this share of their cells' transcripts; else transcripts speak less far and all is redone.
HELD = 0.95
NARROWER = (1.0, 0.7, 0.5)
# Every outline should hold this share of its cell's transcripts: a little more than what is asked for.
EACH = 0.955
# Side in pixels of the squares in which cells reach for their strays, whatever the tiles are.
BLOCK = 1024
# Times that corners are pinned where smoothing costs a cell what it has to hold.
PINS = 2


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
        canvas = _canvas(tiled)
        for window in windows(tiled):
            _draw(tiled, window, canvas)
            flat.relax()
            if narrow == NARROWER[0]:
                advance(int(shapes.number[window.cell[window.own]].sum()))
        if canvas.held.sum() >= HELD * len(cell):
            break
    _reach(tiled, canvas)
    parts = []
    for window in windows(tiled):
        parts.append(_trace(tiled, window, canvas))
        flat.relax()
    return _join(parts)


@dataclass
class _Canvas:
    """The cell of every pixel of the tissue, and what its cells hold.

    Attributes
    ----------
    label
        (rows, columns) int32, 0 = none.
    x0, y0
        Its first pixel in the tissue's lattice.
    held, least
        (C + 1,) int64 transcripts in pixels of their cell, and how many there should be.
    own
        (C + 1,) bool, all False between uses.
    """

    label: np.ndarray
    x0: int
    y0: int
    held: np.ndarray
    least: np.ndarray
    own: np.ndarray

    def of(self, x0: int, y0: int, shape: tuple[int, int]) -> np.ndarray:
        """A rectangle of pixels, to be looked at and written to."""
        row, column = y0 - self.y0, x0 - self.x0
        return self.label[row : row + shape[0], column : column + shape[1]]


def _canvas(tiled: Tiled) -> _Canvas:
    """An empty canvas that holds every window."""
    shapes = tiled.shapes
    far = 2 * (float(shapes.reach.max()) / shapes.pixel + MARGIN + 2)
    x0, y0 = (math.floor(float(v.min()) / shapes.pixel - far) for v in (tiled.x, tiled.y))
    x1, y1 = (math.ceil(float(v.max()) / shapes.pixel + far) for v in (tiled.x, tiled.y))
    label = flat.zeros((y1 - y0) * (x1 - x0), np.int32).reshape(y1 - y0, x1 - x0)
    cells = len(shapes.number)
    least = np.ceil(EACH * shapes.number).astype(np.int64)
    return _Canvas(label, x0, y0, np.zeros(cells, np.int64), least, np.zeros(cells, bool))


@dataclass
class _Part:
    """Outlines (µm) of a tile's own cells."""

    cell: np.ndarray
    x: np.ndarray
    y: np.ndarray
    length: np.ndarray


def _draw(tiled: Tiled, window: Window, canvas: _Canvas) -> None:
    """Label the pixels of a window and put those of its own cells on the canvas."""
    shapes, own = tiled.shapes, np.append(False, window.own)
    label = np.zeros(window.shape, np.int32)
    reach = np.append(0.0, shapes.reach[window.cell] / shapes.pixel)
    order, start = rows_of(window.code, len(reach))
    vote((window.u, window.v), order, start, reach, (window.x0, window.y0), label)
    for _ in range(SETTLE):
        label = settle(label)
    heart = shapes.heart[window.cell].astype(np.float64) / shapes.pixel
    row, column = _pixels(window, *heart.T)
    claim(label, np.append(-1, row), np.append(-1, column))
    row, column = _pixels(window, window.u, window.v)
    keep_main(label, len(window.cell), row, column, window.code)
    fill(label, len(window.cell))
    held = (label[row, column] == window.code) & own[window.code]
    number = np.append(0, window.cell)
    canvas.held += np.bincount(number[window.code[held]], minlength=len(canvas.held))
    place = np.nonzero(own[label])
    canvas.of(window.x0, window.y0, window.shape)[place] = number[label[place]]


def _reach(tiled: Tiled, canvas: _Canvas) -> None:
    """Let cells that hold too little reach for their strays, square by square over the tissue."""
    shapes = tiled.shapes
    pixel, heart = shapes.pixel, shapes.heart.astype(np.float64) / shapes.pixel
    poor = (canvas.held < canvas.least) & (shapes.number > 0)
    block = np.floor(heart[:, ::-1] / BLOCK).astype(np.int64)
    for i, j in np.unique(block[poor], axis=0).tolist():
        box = np.array([j, i, j + 1, i + 1]) * BLOCK * pixel
        near = within(tiled, box, FAR + MARGIN * pixel)
        u, v, code = (
            tiled.x[near].astype(np.float64) / pixel,
            tiled.y[near].astype(np.float64) / pixel,
            tiled.cell[near],
        )
        x0, y0 = (int(np.floor(w.min())) - MARGIN for w in (u, v))
        shape = (int(np.floor(v.max())) - y0 + MARGIN, int(np.floor(u.max())) - x0 + MARGIN)
        label = canvas.of(x0, y0, shape)
        row, column = np.floor(v).astype(np.int64) - y0, np.floor(u).astype(np.int64) - x0
        place = row * shape[1] + column
        order, first = rows_of(place, label.size)
        mine = poor[code] & (block[code] == (i, j)).all(1) & (label[row, column] != code)
        strays = np.flatnonzero(mine)
        strays = strays[np.lexsort((u[strays], v[strays], heart[code[strays], 0], heart[code[strays], 1]))]
        reach_out(label, (first, order, code), place, canvas.held, canvas.least, strays, COSTS)
        flat.relax()


def _trace(tiled: Tiled, window: Window, canvas: _Canvas) -> _Part:
    """Outline a window's own cells."""
    label = canvas.of(window.x0, window.y0, window.shape)
    u, v = window.u - window.x0, window.v - window.y0
    code = window.cell[window.code - 1]
    pinned = np.zeros((window.shape[0] + 1, window.shape[1] + 1), bool)
    parity = (window.x0 + window.y0) % 2
    move, straight = smooth_corners(label, parity, pinned)
    for _ in range(PINS):
        gone = lost(label, move, u, v, code)
        short = canvas.held - np.bincount(code[gone], minlength=len(canvas.held)) < canvas.least
        row, column = (np.floor(w[gone & short[code]]).astype(np.int64) for w in (v, u))
        for k in range(4):
            pinned[row + k // 2, column + k % 2] = True
        move, straight = smooth_corners(label, parity, pinned)
    canvas.own[window.cell[window.own]] = True
    number, ring, start = trace(label, move, straight, canvas.own, int(window.own.sum()))
    x, y = (
        ((ring[:, k] + low) * tiled.shapes.pixel).astype(np.float32)
        for k, low in enumerate((window.x0, window.y0))
    )
    return _Part(number, x, y, np.diff(start))


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
