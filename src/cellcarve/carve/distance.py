"""How far every place is from every nucleus nearby, along the path that crosses the least of a border.

The distance is geodesic: a step costs its length times a local price that depends on the density of transcripts
there. In most tissue borders are valleys of density, in some they are ridges; `geometry` learns which.
"""

import math
from dataclasses import dataclass

import numpy as np
from numba import njit
from scipy import ndimage

from cellcarve.carve.lattice import Lattice, pixels_of

FAR = np.float32(1e3)
# Another pass is worth its time only while some place comes nearer by more than this (µm).
_SLIGHT = np.float32(0.1)
# Twice as many change nothing in the answer, a single one hardly anything: winding ways are rare.
_PASSES = 6
# Of the 16 steps to neighbours and knight's moves, those from rows scanned before; those from rows scanned later are
# their mirror image.
_STEP_X = np.array([-2, -1, 1, 2, -1, 0, 1], np.int64)
_STEP_Y = np.array([-1, -2, -2, -1, -1, -1, -1], np.int64)


@dataclass
class Fields:
    """Distance of fine pixels to each nucleus, in a box around it; C cells.

    Attributes
    ----------
    box
        (C + 1, 4) int32: first column, first row, columns, rows of fine pixels; entry 0 is empty.
    start
        (C + 2,) int64 where each cell's box begins in `value`, row by row.
    value
        float32 µm, `FAR` beyond reach.
    """

    box: np.ndarray
    start: np.ndarray
    value: np.ndarray


def no_fields() -> Fields:
    """Of no cell."""
    return Fields(np.zeros((1, 4), np.int32), np.zeros(2, np.int64), np.empty(0, np.float32))


def join(fields: Fields, more: Fields) -> Fields:
    """Fields of some cells and of more that follow them."""
    start = np.concatenate([fields.start, fields.start[-1] + more.start[2:]])
    return Fields(
        np.concatenate([fields.box, more.box[1:]]), start, np.concatenate([fields.value, more.value])
    )


def density(lattice: Lattice, x: np.ndarray, y: np.ndarray, sigma: float) -> np.ndarray:
    """Local density of transcripts relative to that of the wider surroundings, on fine pixels.

    Parameters
    ----------
    lattice
        Of the view.
    x, y
        (V,) positions in µm.
    sigma
        Gaussian smoothing in µm; the surroundings are smoothed ten times as wide.

    Returns
    -------
    numpy.ndarray
        (2 ny, 2 nx) float32, 1 where the density is that of the surroundings.
    """
    shape = (2 * lattice.ny, 2 * lattice.nx)
    fine = lattice.pixel / 2
    image = np.bincount(pixels_of(lattice, x, y, 2), minlength=shape[0] * shape[1])
    image = image.reshape(shape).astype(np.float32)
    near = ndimage.gaussian_filter(image, sigma / fine, mode="nearest", truncate=3)
    # The surroundings vary slowly: smooth them on pixels twice as wide as the labels'.
    wide = image[: shape[0] // 4 * 4, : shape[1] // 4 * 4]
    wide = wide.reshape(wide.shape[0] // 4, 4, wide.shape[1] // 4, 4).mean((1, 3))
    wide = ndimage.gaussian_filter(wide, 10 * sigma / (4 * fine), mode="nearest", truncate=3)
    rows = np.minimum(np.arange(shape[0]) // 4, wide.shape[0] - 1)
    columns = np.minimum(np.arange(shape[1]) // 4, wide.shape[1] - 1)
    around = wide[np.ix_(rows, columns)]
    # A third of the surroundings' density is added to both, so that single empty pixels count for little.
    return ((near + 0.3 * around + 1e-6) / (1.3 * around + 1e-6)).astype(np.float32)


def price(relative: np.ndarray, valley: float) -> np.ndarray:
    """Price of a step: relative density to the power of -`valley` (below 0: borders are ridges), float32."""
    return np.clip(relative ** np.float32(-valley), 0.1, 10.0).astype(np.float32)


@dataclass
class Anchors:
    """Places that belong to a nucleus, by cell; A anchors, C cells.

    Attributes
    ----------
    x, y
        (A,) float32 µm, sorted by cell.
    start
        (C + 2,) int32: cell c owns start[c] .. start[c + 1]; cell 0 owns none.
    """

    x: np.ndarray
    y: np.ndarray
    start: np.ndarray


def measure_distance(lattice: Lattice, cost: np.ndarray, anchors: Anchors, reach: float) -> Fields:
    """Geodesic distance of the fine pixels around each nucleus, at most `reach` µm."""
    fine = lattice.pixel / 2
    start = anchors.start
    cells = len(start) - 2
    box = np.zeros((cells + 1, 4), np.int32)
    live = np.flatnonzero(np.diff(start) > 0)
    if len(live):
        first = start[live]
        ends = [f.reduceat(v, first) for v in (anchors.x, anchors.y) for f in (np.minimum, np.maximum)]
        margin = np.array([-reach, reach, -reach, reach], np.float32)
        corner = np.array([lattice.x0, lattice.x0, lattice.y0, lattice.y0])
        edge = np.floor((np.stack(ends, 1) + margin - corner) / fine).astype(np.int64)
        x0, x1 = np.clip(edge[:, 0], 0, 2 * lattice.nx - 2), np.clip(edge[:, 1] + 2, 2, 2 * lattice.nx)
        y0, y1 = np.clip(edge[:, 2], 0, 2 * lattice.ny - 2), np.clip(edge[:, 3] + 2, 2, 2 * lattice.ny)
        box[live] = np.stack([x0, y0, x1 - x0, y1 - y0], 1)
    offset = np.zeros(cells + 2, np.int64)
    np.cumsum(box[:, 2].astype(np.int64) * box[:, 3], out=offset[1:])
    value = np.full(offset[-1], FAR, np.float32)
    column = ((anchors.x - lattice.x0) / fine - 0.5).astype(np.float32)
    row = ((anchors.y - lattice.y0) / fine - 0.5).astype(np.float32)
    # Where every step costs the same, no detour is shorter: one pass each way finds all distances.
    passes = 1 if cost.min() == cost.max() else _PASSES
    numbers = np.array([fine, reach, passes], np.float32)
    _march_all(cost, column, row, start, box, offset, value, numbers)
    return Fields(box, offset, value)


@njit(cache=True, nogil=True)
def _march_all(cost, column, row, start, box, offset, value, numbers):
    fine, reach, passes = numbers
    for c in range(1, len(box)):
        x0, y0, nx, ny = box[c]
        if nx == 0:
            continue
        # A rim of two pixels that are never entered spares every step the question whether it leaves the box.
        wide = nx + 4
        price = np.full((ny + 4) * wide, np.float32(1), np.float32)
        field = np.full((ny + 4) * wide, np.float32(1e3), np.float32)
        for y in range(ny):
            for x in range(nx):
                price[(y + 2) * wide + x + 2] = cost[y0 + y, x0 + x]
        a, b = start[c], start[c + 1]
        _plant(price, wide, column[a:b] - (x0 - 2), row[a:b] - (y0 - 2), field, fine)
        _wall(field, wide, ny)
        for _ in range(int(passes)):
            forwards = _scan(price, field, wide, ny, fine, reach, 1)
            if not (_scan(price, field, wide, ny, fine, reach, -1) or forwards):
                break
        for y in range(ny):
            for x in range(nx):
                value[offset[c] + y * nx + x] = field[(y + 2) * wide + x + 2]


@njit(cache=True, nogil=True)
def _wall(field, wide, ny):
    """Take back what was planted on the rim."""
    for y in range(ny + 4):
        for x in range(wide):
            if y < 2 or x < 2 or y >= ny + 2 or x >= wide - 2:
                field[y * wide + x] = np.float32(1e3)


@njit(cache=True, nogil=True)
def _plant(price, wide, column, row, field, fine):
    """Distance of the four pixels around each anchor."""
    for i in range(len(column)):
        left, low = int(math.floor(column[i])), int(math.floor(row[i]))
        for y in range(low, low + 2):
            for x in range(left, left + 2):
                v = y * wide + x
                if x < 0 or x >= wide or v < 0 or v >= len(field):
                    continue
                d = math.sqrt((column[i] - x) ** 2 + (row[i] - y) ** 2) * fine * price[v]
                if d < field[v]:
                    field[v] = d


@njit(cache=True, nogil=True)
def _scan(price, field, wide, ny, fine, reach, way):
    """One pass over the rows, forwards (way = 1) or backwards (-1); whether anything became clearly nearer."""
    changed = False
    knight, diagonal = np.float32(0.5 * fine * math.sqrt(5)), np.float32(0.5 * fine * math.sqrt(2))
    straight = np.float32(0.5 * fine)
    length = (knight, knight, knight, knight, diagonal, straight, diagonal)
    best = np.empty(wide - 4, np.float32)
    for j in range(ny):
        first = (2 + (j if way > 0 else ny - 1 - j)) * wide + 2
        _copy(field, np.uintp(first), best)
        # Steps from other rows do not wait for one another: the compiler takes many pixels at once.
        for k in range(7):
            there = first + way * (_STEP_Y[k] * wide + _STEP_X[k])
            _step(field, price, np.uintp(first), np.uintp(there), length[k], best)
        _along(field, price, first, straight, way, best)
        changed |= _keep(field, np.uintp(first), reach, best)
    return changed


@njit(cache=True, nogil=True)
def _copy(field, first, best):
    for i in range(np.uintp(len(best))):
        best[i] = field[first + i]


@njit(cache=True, nogil=True)
def _step(field, price, first, there, length, best):
    """One kind of step into a row, from the pixels of another."""
    for i in range(np.uintp(len(best))):
        d = field[there + i] + length * (price[first + i] + price[there + i])
        best[i] = d if d < best[i] else best[i]


@njit(cache=True, nogil=True)
def _along(field, price, first, length, way, best):
    """Steps from pixel to pixel along a row."""
    i = 0 if way > 0 else len(best) - 1
    last, cost = field[first + i - way], price[first + i - way]
    for _ in range(len(best)):
        here = price[first + i]
        d = last + length * (here + cost)
        last, cost = d if d < best[i] else best[i], here
        best[i] = last
        i += way


@njit(cache=True, nogil=True)
def _keep(field, first, reach, best):
    """Write a row back where it is within reach; whether anything became clearly nearer."""
    changed = 0
    for i in range(np.uintp(len(best))):
        d = best[i] if best[i] <= reach else field[first + i]
        changed += d < field[first + i] - _SLIGHT
        field[first + i] = d
    return changed > 0


@njit(cache=True, nogil=True)
def at(field, nx, ny, column, row):
    """Bilinear value of a cell's box at a position in fine pixels of that box; FAR outside or beyond reach."""
    left, low = int(math.floor(column)), int(math.floor(row))
    if left < 0 or low < 0 or left + 1 >= nx or low + 1 >= ny:
        return np.float32(1e3)
    u, v = column - left, row - low
    i = low * nx + left
    a, b, c, d = field[i], field[i + 1], field[i + nx], field[i + nx + 1]
    if max(a, b, c, d) > 900:
        return min(a, b, c, d) if min(a, b, c, d) < 900 else np.float32(1e3)
    return np.float32((1 - v) * ((1 - u) * a + u * b) + v * ((1 - u) * c + u * d))


@njit(cache=True, nogil=True)
def nearest_cells(box, offset, value, unit, shift, lattice_nx, lattice_ny, limits):
    """Candidates of every pixel: the `limits[0]` cells of smallest scaled distance, nearest first.

    Returns
    -------
    tuple
        candidate (P, K) int32, 0 = none; gap (P, K) float32 µm from the nuclear surface.
    """
    pixels, K = lattice_nx * lattice_ny, int(limits[0])
    candidate = np.zeros((pixels, K), np.int32)
    gap = np.full((pixels, K), np.float32(1e3))
    rho = np.full((pixels, K), np.float32(1e3))
    for c in range(1, len(box)):
        x0, y0, nx, ny = box[c]
        field = value[offset[c] : offset[c + 1]]
        for py in range(y0 // 2, min((y0 + ny + 1) // 2, lattice_ny)):
            for px in range(x0 // 2, min((x0 + nx + 1) // 2, lattice_nx)):
                g = _middle(field, nx, ny, 2 * px - x0, 2 * py - y0)
                r = 1 + g / unit[c] + shift[c]
                v = py * lattice_nx + px
                if g > 900 or r > limits[1] or r >= rho[v, K - 1]:
                    continue
                k = K - 1
                while k > 0 and rho[v, k - 1] > r:
                    candidate[v, k], gap[v, k], rho[v, k] = candidate[v, k - 1], gap[v, k - 1], rho[v, k - 1]
                    k -= 1
                candidate[v, k], gap[v, k], rho[v, k] = c, g, r
    return candidate, gap


@njit(cache=True, nogil=True)
def _middle(field, nx, ny, left, low):
    """Value of a cell's box at the corner of four of its fine pixels; FAR outside or beyond reach."""
    if left < 0 or low < 0 or left + 1 >= nx or low + 1 >= ny:
        return np.float32(1e3)
    i = low * nx + left
    a, b, c, d = field[i], field[i + 1], field[i + nx], field[i + nx + 1]
    if max(a, b, c, d) > 900:
        return min(a, b, c, d)
    return np.float32(0.25) * ((a + b) + (c + d))


@njit(cache=True, nogil=True)
def gaps_of(box, offset, value, candidate, pixel, column, row):
    """Gap (µm) of each transcript to its pixel's candidates, (V, K) float32; positions in fine pixels."""
    K = candidate.shape[1]
    gap = np.full((len(pixel), K), np.float32(1e3))
    for t in range(len(pixel)):
        for k in range(K):
            c = candidate[pixel[t], k]
            if c == 0:
                break
            x0, y0, nx, ny = box[c]
            field = value[offset[c] : offset[c + 1]]
            gap[t, k] = at(field, nx, ny, column[t] - x0, row[t] - y0)
    return gap


@njit(cache=True, nogil=True)
def scale_gaps(candidate, pixel, gap, unit, shift):
    """Scaled distance of each transcript to its pixel's candidates, (V, K) float32; 1000 where there is none."""
    rho = np.full(gap.shape, np.float32(1e3))
    for t in range(len(pixel)):
        for k in range(gap.shape[1]):
            c = candidate[pixel[t], k]
            if c and gap[t, k] < 900:
                rho[t, k] = np.float32(1) + gap[t, k] / unit[c] + shift[c]
    return rho
