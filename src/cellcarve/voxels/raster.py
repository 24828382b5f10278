"""Prior cells by pixel, brought to the voxels of the coarse lattice."""

import numpy as np

from cellcarve.data.prior import PriorRaster
from cellcarve.voxels.lattice import Frame
from cellcarve.voxels.start import Start, levels_of, winners

BLOCK = 4_000_000
MOST_SURE = 0.99


def extent(raster: PriorRaster) -> tuple[float, float, float, float]:
    """xmin, ymin, xmax, ymax in µm of the raster's outer corners."""
    height, width = raster.label.shape
    a, b, c, d, e, f = raster.affine
    corners = [(u, v) for u in (0, width) for v in (0, height)]
    x, y = [a * u + b * v + c for u, v in corners], [d * u + e * v + f for u, v in corners]
    return min(x), min(y), max(x), max(y)


def _votes(frame: Frame, raster: PriorRaster, rows: slice) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Column of the lattice, cell and weight of the labelled pixels of some rows that lie on it, summed by pair."""
    part = np.asarray(raster.label[rows])
    row, column = np.nonzero(part)
    cell = part[row, column].astype(np.int64)
    worth = np.full(len(cell), raster.weight, np.float64)
    if raster.probability is not None:
        worth = np.asarray(raster.probability[rows])[row, column].astype(np.float64)
    a, b, c, d, e, f = raster.affine
    u, v = column + 0.5, row + rows.start + 0.5
    i = np.floor((a * u + b * v + c - frame.x0) / frame.side).astype(np.int64)
    j = np.floor((d * u + e * v + f - frame.y0) / frame.side).astype(np.int64)
    inside = (i >= 0) & (i < frame.grid.nx) & (j >= 0) & (j < frame.grid.ny)
    where = ((j + 1) * (frame.grid.nx + 2) + i + 1)[inside]
    key = where * (int(cell.max(initial=0)) + 1) + cell[inside]
    pair, which = np.unique(key, return_inverse=True)
    where, who = np.divmod(pair, int(cell.max(initial=0)) + 1)
    return where, who, np.bincount(which, worth[inside], len(pair))


def from_raster(frame: Frame, raster: PriorRaster) -> Start:
    """Labels by the pixels of a raster: the heaviest cell of each column, in all its layers.

    The prior probability of a voxel is the winner's weight over the number of pixels that a voxel covers.
    """
    g = frame.grid
    step = max(1, BLOCK // max(raster.label.shape[1], 1))
    parts = [_votes(frame, raster, slice(n, n + step)) for n in range(0, raster.label.shape[0], step)]
    where, who, total = winners(*(np.concatenate(column) for column in zip(*parts, strict=True)))
    a, b, _, d, e, _ = raster.affine
    pixels = max(frame.side**2 / abs(a * e - b * d), 1.0)
    label = np.zeros((g.ny + 2) * (g.nx + 2) * g.nl, np.int32)
    level = np.zeros(len(label), np.uint8)
    sure = levels_of(np.minimum(total / pixels, MOST_SURE).astype(np.float32))
    label.reshape(-1, g.nl)[where], level.reshape(-1, g.nl)[where] = who[:, None], sure[:, None]
    return Start(label, label.copy(), level)
