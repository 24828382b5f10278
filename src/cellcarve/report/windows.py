"""Which places of the tissue to show close up: where most has changed, and one ordinary place."""

from dataclasses import dataclass

import numpy as np

from cellcarve.data.result import Run
from cellcarve.data.segmentation import Origin
from cellcarve.data.table import Status
from cellcarve.report.before import moved_rows
from cellcarve.report.numbers import Numbers
from cellcarve.report.raster import Pixels, sample
from cellcarve.report.svg import Box

SIDE = 80.0
MOST = 1000


@dataclass(frozen=True)
class Window:
    """A place to show and why."""

    title: str
    box: Box


def windows_of(run: Run, numbers: Numbers) -> list[Window]:
    """Up to four windows of `SIDE` µm, apart from each other, the same for the same run.

    The tissue is cut into squares. For each reason the square with the most transcripts of that kind wins,
    and the window is centred on them.
    """
    part = sample(numbers.rows)
    x, y = run.table.x[part], run.table.y[part]
    grid = Pixels(numbers.box, SIDE, MOST)
    pixel = grid.of(x, y)
    free = np.ones(grid.nx * grid.ny, bool)
    windows = []
    for title, rows in _reasons(run, numbers):
        rows = rows[part]
        found = np.where(free, grid.sums(pixel[rows]).ravel(), 0)
        best = int(np.argmax(found))
        if found[best] == 0:
            continue
        chosen = rows & (pixel == best)
        middle = float(x[chosen].mean()), float(y[chosen].mean())
        windows.append(Window(title, _around(*middle, numbers.box)))
        free &= ~_near(grid, best)
    ordinary = _ordinary(grid, pixel[run.table.status[part] == Status.KEPT], free)
    if ordinary is not None:
        windows.append(Window("An ordinary place", _around(*ordinary, numbers.box)))
    return windows


def _reasons(run: Run, numbers: Numbers) -> list[tuple[str, np.ndarray]]:
    result = run.segmentation
    origin = np.concatenate([[Origin.PRIOR], result.origin]).astype(np.uint8)[result.cell]
    reasons = [
        ("Most new cells", origin == Origin.NEW),
        ("Most merged and split cells", (origin == Origin.MERGED) | (origin == Origin.SPLIT)),
    ]
    if numbers.before is not None:
        reasons.append(("Most moved transcripts", moved_rows(run, numbers.before)))
    return reasons


def _around(x: float, y: float, tissue: Box) -> Box:
    """The window centred on a position, moved where it would show what lies beyond the tissue."""
    left, top = _low(x, tissue[0], tissue[2]), _low(y, tissue[1], tissue[3])
    return left, top, left + SIDE, top + SIDE


def _low(middle: float, low: float, high: float) -> float:
    if high - low <= SIDE:
        return (low + high - SIDE) / 2
    return min(max(middle - SIDE / 2, low), high - SIDE)


def _near(grid: Pixels, pixel: int) -> np.ndarray:
    """(ny * nx,) bool: the square and its neighbours."""
    row, column = divmod(pixel, grid.nx)
    near = np.zeros((grid.ny, grid.nx), bool)
    near[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2] = True
    return near.ravel()


def _ordinary(grid: Pixels, pixel: np.ndarray, free: np.ndarray) -> tuple[float, float] | None:
    """Centre of the square, among those left, whose density is nearest to the middle of all."""
    found = grid.sums(pixel).ravel()
    left = np.flatnonzero(free & (found > 0))
    if not len(left):
        return None
    middle = np.median(found[found > 0])
    row, column = divmod(int(left[np.argmin(np.abs(found[left] - middle))]), grid.nx)
    return grid.box[0] + (column + 0.5) * grid.side, grid.box[1] + (row + 0.5) * grid.side
