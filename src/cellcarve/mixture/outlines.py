"""Outlines of cells, in the plane and per layer of z: every cell gets one closed, simple ring."""

from itertools import pairwise

import numpy as np
from numba import njit

from cellcarve.mixture.border import carve_in, walk
from cellcarve.mixture.molecules import Points, on_chunks
from cellcarve.mixture.near import lay_grid
from cellcarve.mixture.result import Rings, Slice
from cellcarve.mixture.triangles import triangulate

MOST_LAYERS = 10
_ENDS = (0.025, 0.975)
_CELLS_AT_ONCE = 256
# Half width of the outline of transcripts on a spot or in a line, in usual distances of neighbours.
_THIN = 0.01


def outline(at: Points, cell: np.ndarray, usual: float, threads: int = 1) -> Rings:
    """A ring around the transcripts of every cell.

    Parameters
    ----------
    at
        N positions, µm.
    cell
        (N,) int32, 0 = none; those are foreign to every cell.
    usual
        Usual distance of neighbours, µm.
    threads
        Threads to use.

    Returns
    -------
    Rings
        Counter-clockwise, of all cells that have a transcript.
    """
    flat = at._replace(z=np.zeros_like(at.z))
    grid = lay_grid(flat)
    order = np.argsort(cell, kind="stable").astype(np.int32)
    present, first = np.unique(cell[order], return_index=True)
    first = np.append(first, len(cell))
    skip = int(len(present) > 0 and present[0] == 0)
    present, first = present[skip:], first[skip:]
    tiny = max(_THIN * usual, 1e-6)

    def one(low: int, high: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return _rings(flat, grid, cell, order, first[low : high + 1], tiny)

    parts = on_chunks(one, len(present), threads, _CELLS_AT_ONCE)
    size = np.concatenate([p[2] for p in parts]) if parts else np.empty(0, np.int64)
    start = np.zeros(len(present) + 1, np.int64)
    np.cumsum(size, out=start[1:])
    x, y = (np.concatenate([p[a] for p in parts]) if parts else np.empty(0) for a in (0, 1))
    return Rings(present.astype(np.int32), x, y, start)


@njit(cache=True, nogil=True)
def _foreign(at, grid, cell, own, box):
    """Positions of the transcripts in a box that are not of a cell."""
    columns = [min(max(int((box[s] - grid.x0) / grid.side), 0), grid.nx - 1) for s in (0, 2)]
    rows = [min(max(int((box[s] - grid.y0) / grid.side), 0), grid.ny - 1) for s in (1, 3)]
    room = 0
    for r in range(rows[0], rows[1] + 1):
        room += grid.start[r * grid.nx + columns[1] + 1] - grid.start[r * grid.nx + columns[0]]
    fx, fy = np.empty(room), np.empty(room)
    many = 0
    for r in range(rows[0], rows[1] + 1):
        first, last = r * grid.nx + columns[0], r * grid.nx + columns[1] + 1
        for m in range(grid.start[first], grid.start[last]):
            j = grid.member[m]
            x, y = at.x[j], at.y[j]
            if cell[j] != own and box[0] <= x <= box[2] and box[1] <= y <= box[3]:
                fx[many], fy[many] = x, y
                many += 1
    return fx[:many], fy[:many]


@njit(cache=True, nogil=True)
def capsule(x, y, tiny):
    """A thin rectangle around points on a spot or in a line, counter-clockwise: (4, 2) float64."""
    low, high = 0, 0
    for i in range(len(x)):
        if x[i] < x[low] or (x[i] == x[low] and y[i] < y[low]):
            low = i
        if x[i] > x[high] or (x[i] == x[high] and y[i] > y[high]):
            high = i
    dx, dy = x[high] - x[low], y[high] - y[low]
    length = np.sqrt(dx * dx + dy * dy)
    if length <= 0:
        dx, dy, length = 1.0, 0.0, 1.0
    ux, uy = tiny * dx / length, tiny * dy / length
    out = np.empty((4, 2))
    out[0, 0], out[0, 1] = x[low] - ux + uy, y[low] - uy - ux
    out[1, 0], out[1, 1] = x[high] + ux + uy, y[high] + uy - ux
    out[2, 0], out[2, 1] = x[high] + ux - uy, y[high] + uy + ux
    out[3, 0], out[3, 1] = x[low] - ux - uy, y[low] - uy + ux
    return out


@njit(cache=True, nogil=True)
def _different(x, y):
    """Points (sorted by x, y) without those on the spot of another."""
    keep = np.ones(len(x), np.bool_)
    for i in range(1, len(x)):
        keep[i] = x[i] != x[i - 1] or y[i] != y[i - 1]
    return x[keep], y[keep]


@njit(cache=True, nogil=True)
def ring_of(x, y, fx, fy, tiny):
    """(V, 2) float64 ring, counter-clockwise and not closed, around points among foreign ones (fx, fy)."""
    order = np.argsort(x, kind="mergesort")
    by_y = np.argsort(y[order], kind="mergesort")
    order = order[by_y]
    x, y = _different(x[order], y[order])
    corner = triangulate(x, y)
    if len(corner):
        alive, next_to = carve_in(x, y, corner, fx, fy)
        ring = walk(corner, alive, next_to, len(x))
        if len(ring) >= 3:
            out = np.empty((len(ring), 2))
            for v in range(len(ring)):
                out[v, 0], out[v, 1] = x[ring[v]], y[ring[v]]
            return out
    return capsule(x, y, tiny)


@njit(cache=True, nogil=True)
def _rings(at, grid, cell, order, first, tiny):
    total = first[-1] - first[0] + 5 * (len(first) - 1)
    ox, oy, size = np.empty(total), np.empty(total), np.empty(len(first) - 1, np.int64)
    many = 0
    for c in range(len(size)):
        member = order[first[c] : first[c + 1]]
        x, y = at.x[member].astype(np.float64), at.y[member].astype(np.float64)
        box = (x.min(), y.min(), x.max(), y.max())
        fx, fy = _foreign(at, grid, cell, cell[member[0]], box)
        ring = ring_of(x, y, fx, fy, tiny)
        size[c] = len(ring) + 1
        for v in range(len(ring) + 1):
            ox[many], oy[many] = ring[v % len(ring), 0], ring[v % len(ring), 1]
            many += 1
    return ox[:many], oy[:many], size


def layer_edges(z: np.ndarray, most: int = MOST_LAYERS) -> tuple[list[str], list[tuple[float, float]]]:
    """Labels and bounds of the layers of z: a layer per value, or `most` of equal depth where there are more values."""
    values = np.unique(z)
    if len(values) <= most:
        return [str(float(v)) for v in values], [(float(v), float(np.nextafter(v, np.inf))) for v in values]
    low, high = np.quantile(z, _ENDS)
    inner = np.linspace(float(low), float(high), most + 1)[1:-1]
    edges = [-np.inf, *(float(e) for e in inner), np.inf]
    bounds = list(pairwise(edges))
    return [f"[{low:.6g}, {high:.6g})" for low, high in bounds], bounds


def outline_slices(
    at: Points, z: np.ndarray, cell: np.ndarray, usual: float, threads: int = 1
) -> list[Slice]:
    """Rings per layer of z.

    Parameters
    ----------
    at
        N positions, µm.
    z
        (N,) z as the input has it, by which layers are cut.
    cell
        (N,) int32, 0 = none.
    usual
        Usual distance of neighbours, µm.
    threads
        Threads to use.
    """
    out = []
    for label, (low, high) in zip(*layer_edges(z), strict=True):
        inside = (z >= low) & (z < high)
        part = Points(*(np.ascontiguousarray(axis[inside]) for axis in at))
        out.append(Slice(label, low, high, outline(part, cell[inside], usual, threads)))
    return out
