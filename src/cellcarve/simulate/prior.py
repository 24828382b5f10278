"""The instrument's nuclei: star-shaped outlines with faults, and the cells that it grows around them."""

from dataclasses import dataclass

import numpy as np
from numba import njit
from scipy.spatial import cKDTree

from cellcarve.simulate.cells import Cells
from cellcarve.simulate.faults import Fault, draw_faults
from cellcarve.simulate.hashing import normals, uniforms
from cellcarve.simulate.nuclei import Nuclei
from cellcarve.simulate.settings import SimulateSettings

CORNERS = 24
# Directions in which a convex outline is known by its furthest extent.
SIDES = 48
ANGLE = 2 * np.pi * np.arange(CORNERS) / CORNERS
_FACING = 2 * np.pi * np.arange(SIDES) / SIDES
_NORMAL = np.column_stack([np.cos(_FACING), np.sin(_FACING)])
# How far (µm) the instrument grows a cell around its nucleus.
EXPANSION = 5.0
BIN = 12.0


@dataclass
class Drawn:
    """Nuclei as drawn by the instrument; m outlines.

    Attributes
    ----------
    cell
        (m,) int64, position in `Cells` of the cell that gave the outline its name.
    half
        (m,) bool, the second half of a split nucleus.
    centre
        (m, 2) float64, µm.
    radius
        (m, CORNERS) float64, distance of the outline from the centre at the angles `ANGLE`.
    fault
        (n,) uint8 of `Fault` for every cell.
    height
        (m,) float64, z of the centres of nuclei that are balls (µm); None = outlines hold at every depth.
    """

    cell: np.ndarray
    half: np.ndarray
    centre: np.ndarray
    radius: np.ndarray
    fault: np.ndarray
    height: np.ndarray | None = None

    def corners(self) -> tuple[np.ndarray, np.ndarray]:
        """X and y of the outlines' corners: two (m, CORNERS) float64 arrays in µm."""
        x = self.centre[:, :1] + self.radius * np.cos(ANGLE)
        y = self.centre[:, 1:] + self.radius * np.sin(ANGLE)
        return x, y


def draw_nuclei(cells: Cells, nuclei: Nuclei, settings: SimulateSettings) -> Drawn:
    """Draw the nuclei of some cells as the instrument would, faults included."""
    fault, into = draw_faults(cells, nuclei, settings)
    guest = np.flatnonzero(into >= 0)
    whole = np.flatnonzero(((fault == Fault.NONE) | (fault == Fault.MERGED)) & (into < 0))
    split = np.flatnonzero(fault == Fault.SPLIT)
    middle = nuclei.shape[:, :2].copy()
    extent = _extent(nuclei)
    # A merged outline is the hull of two nuclei around the middle between them.
    host = into[guest]
    middle[host] = (nuclei.shape[host, :2] + nuclei.shape[guest, :2]) / 2
    for part in (host, guest):
        extent[part] += (nuclei.shape[part, :2] - middle[host]) @ _NORMAL.T
    extent[host] = np.maximum(extent[host], extent[guest])
    pieces = [_halves(cells.key[split], middle[split], extent[split], second) for second in (False, True)]
    cell = np.concatenate([whole, split, split])
    half = np.arange(len(cell)) >= len(whole) + len(split)
    centre = np.concatenate([middle[whole], *(piece[0] for piece in pieces)])
    radius = np.concatenate([_radial(extent[whole]), *(piece[1] for piece in pieces)])
    drawn = Drawn(cell, half, centre, radius, fault)
    if not settings.perfect:
        _misdraw(drawn, cells.key, settings.shifted)
    return drawn


def _extent(nuclei: Nuclei) -> np.ndarray:
    """(n, SIDES) furthest extent of each nucleus, seen from above, in each direction from its centre."""
    cos, sin = nuclei.shape[:, 6:7], nuclei.shape[:, 7:8]
    a = nuclei.shape[:, 3:4] * (cos * _NORMAL[:, 0] + sin * _NORMAL[:, 1])
    b = nuclei.shape[:, 4:5] * (cos * _NORMAL[:, 1] - sin * _NORMAL[:, 0])
    return nuclei.shown[:, None] * np.sqrt(a * a + b * b)


def _radial(extent: np.ndarray) -> np.ndarray:
    """(m, CORNERS) distance of a convex outline from the origin, out of its extents."""
    facing = np.cos(ANGLE[:, None] - _FACING[None, :])
    ahead = facing > 0.05
    reach = extent[:, None, :] / np.where(ahead, facing, 1.0)
    return np.where(ahead, reach, np.inf).min(axis=2)


def _halves(
    key: np.ndarray, middle: np.ndarray, extent: np.ndarray, second: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Centre and radii of one half of each outline, cut straight through at a random angle."""
    random = uniforms(key ^ np.uint64(0x3D0F), 2)
    side = (np.floor(random[0] * SIDES).astype(np.int64) + (SIDES // 2) * second) % SIDES
    every = np.arange(len(key))
    inward, room = _NORMAL[side], extent[every, side]
    cut = (0.3 * (random[1] - 0.5) * (-1 if second else 1))[:, None] * room[:, None]
    centre = inward * (cut + room[:, None]) / 2
    moved = extent - centre @ _NORMAL.T
    # The cut itself bounds the half on its other side.
    back = (side + SIDES // 2) % SIDES
    moved[every, back] = np.minimum(moved[every, back], (centre * inward).sum(axis=1) - cut[:, 0])
    return middle + centre, _radial(np.maximum(moved, 0.1))


def _misdraw(drawn: Drawn, key: np.ndarray, shifted: float) -> None:
    """Shift the outlines, make them a little too large or small, and bumpy."""
    random = normals(key[drawn.cell] ^ (np.uint64(0x1F87) + drawn.half.astype(np.uint64)), 7)
    drawn.centre += shifted * random[:2].T
    bumps = 0.04 * (random[3:4].T * np.cos(2 * ANGLE) + random[4:5].T * np.sin(2 * ANGLE))
    bumps += 0.03 * (random[5:6].T * np.cos(3 * ANGLE) + random[6:7].T * np.sin(3 * ANGLE))
    drawn.radius *= np.exp(0.05 * random[2:3].T + bumps)


def nearest_nucleus(
    drawn: Drawn, x: np.ndarray, y: np.ndarray, z: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The nucleus nearest to each place, as `nearest_outline` returns it."""
    if drawn.height is None or not len(drawn.cell):
        return nearest_outline(drawn, x, y)
    tree = cKDTree(np.column_stack([drawn.centre, drawn.height]))
    away, near = tree.query(np.column_stack([x, y, z]))
    gap = away - drawn.radius.mean(axis=1)[near]
    within = gap < EXPANSION
    return np.where(within, near, -1), np.where(within, gap, np.inf)


def nearest_outline(drawn: Drawn, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The outline nearest to each place.

    Parameters
    ----------
    drawn
        m outlines.
    x, y
        (N,) float64, µm.

    Returns
    -------
    tuple of np.ndarray
        (N,) int64 outline, -1 where none lies within the expansion; (N,) float64 distance from it in µm along
        the line to its centre, negative inside.
    """
    if not len(drawn.cell):
        return np.full(len(x), -1, np.int64), np.full(len(x), np.inf)
    corner = drawn.centre.min(axis=0)
    spot = ((drawn.centre - corner) / BIN).astype(np.int64)
    columns, rows = (int(n) + 1 for n in spot.max(axis=0))
    place = spot[:, 1] * columns + spot[:, 0]
    order = np.argsort(place, kind="stable")
    start = np.searchsorted(place[order], np.arange(columns * rows + 1))
    reach = int(np.ceil((drawn.radius.max() + EXPANSION) / BIN))
    grid = np.array([columns, rows, reach])
    outline, gap = _nearest(
        drawn.centre[order] - corner, drawn.radius[order], start, grid, np.stack([x, y], 1) - corner
    )
    return np.where(outline >= 0, order[np.maximum(outline, 0)], -1), gap


@njit(cache=True, nogil=True)
def _nearest(
    centre: np.ndarray, radius: np.ndarray, start: np.ndarray, grid: np.ndarray, place: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Nearest outline; outlines stand in the order of their bins, places count from the bins' corner."""
    columns, rows, reach = grid
    found, gap = np.full(len(place), -1, np.int64), np.full(len(place), np.inf)
    widest = np.empty(len(centre))
    for m in range(len(centre)):
        widest[m] = radius[m].max()
    for t in range(len(place)):
        x, y = place[t, 0], place[t, 1]
        column, row = int(x // BIN), int(y // BIN)
        first, last = max(column - reach, 0), min(column + reach, columns - 1)
        best = EXPANSION
        for r in range(max(row - reach, 0), min(row + reach, rows - 1) + 1):
            if first > last:
                continue
            for m in range(start[r * columns + first], start[r * columns + last + 1]):
                dx, dy = x - centre[m, 0], y - centre[m, 1]
                away = np.hypot(dx, dy)
                if away - widest[m] >= best:
                    continue
                excess = away - _radius_at(radius[m], np.arctan2(dy, dx))
                if excess < best:
                    best, found[t], gap[t] = excess, m, excess
    return found, gap


@njit(cache=True, nogil=True, inline="always")
def _radius_at(radius: np.ndarray, angle: float) -> float:
    """Distance from the centre to the straight edge between the two corners on either side of an angle."""
    step = 2 * np.pi / CORNERS
    turn = angle / step
    low = int(np.floor(turn))
    part = (turn - low) * step
    a, b = radius[low % CORNERS], radius[(low + 1) % CORNERS]
    return a * b * np.sin(step) / (a * np.sin(part) + b * np.sin(step - part))
