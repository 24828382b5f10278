"""The true nuclei: off-centre ellipsoids, some of them outside the section."""

from dataclasses import dataclass

import numpy as np
from numba import njit
from scipy.spatial import cKDTree

from cellcarve.simulate.cells import TALL, Cells
from cellcarve.simulate.hashing import normals

# A nucleus that shows less than this in the section is not seen (µm).
THINNEST = 1.0


@dataclass
class Nuclei:
    """One nucleus per cell of a `Cells`; n cells.

    Attributes
    ----------
    shape
        (n, 8) float64: centre x, y, z; half axes a, b, c (µm); cosine and sine of the direction of a.
    shown
        (n,) float64, half axes as seen from above over the full ones; 0 = not in the section.
    """

    shape: np.ndarray
    shown: np.ndarray

    @property
    def area(self) -> np.ndarray:
        """(n,) float64, area as seen from above in µm²."""
        return np.pi * self.shape[:, 3] * self.shape[:, 4] * self.shown**2


def make_nuclei(cells: Cells, thickness: float) -> Nuclei:
    """Put a nucleus into every cell, small enough to fit between its neighbours' seeds."""
    random = normals(cells.key ^ np.uint64(0x2C31), 7)
    xx, xy, yy = (cells.body[:, axis] for axis in (3, 4, 5))
    # The metric's eigenvalues are stretch^2 and 1 / stretch^2.
    stretch = np.sqrt((xx + yy) / 2 + np.sqrt(np.maximum(((xx + yy) / 2) ** 2 - 1, 0))) ** 0.8
    angle = np.arctan2(2 * xy, xx - yy) / 2 + np.pi / 2 + 0.12 * random[6]
    radius = 0.95 * cells.body[:, 7] * np.exp(0.1 * random[0])
    radius = np.minimum(radius, 0.95 * _room(cells))
    stretch *= np.exp(0.06 * random[1])
    tall = 1.3 * radius * np.exp(0.1 * random[2])
    off = 0.1 * radius * random[3:6]
    x, y, z = cells.x + off[0], cells.y + off[1], cells.z + off[2]
    shape = np.column_stack([x, y, z, radius * stretch, radius / stretch, tall, np.cos(angle), np.sin(angle)])
    return Nuclei(shape, _shown(z, tall, thickness))


def _room(cells: Cells) -> np.ndarray:
    """(n,) distance from each seed to the nearest border with another cell, in the cell's own metric (µm)."""
    seed = cells.body[:, :3] * (1, 1, 1 / TALL)
    near = cKDTree(seed).query(seed, k=min(8, len(seed)))[1].reshape(len(seed), -1)[:, 1:]
    dx, dy, dz = (cells.body[near, axis] - cells.body[:, axis : axis + 1] for axis in range(3))
    xx, xy, yy, zz, size = (cells.body[:, axis : axis + 1] for axis in range(3, 8))
    apart = np.sqrt(xx * dx**2 + 2 * xy * dx * dy + yy * dy**2 + zz * dz**2)
    return ((apart + size - cells.body[near, 7]) / 2).min(axis=1, initial=np.inf)


def _shown(z: np.ndarray, tall: np.ndarray, thickness: float) -> np.ndarray:
    """Widest cross-section within the section over the equator's."""
    visible = np.minimum(z + tall, thickness) - np.maximum(z - tall, 0)
    outside = np.maximum(np.maximum(-z, z - thickness), 0)
    ratio = np.sqrt(np.maximum(1 - (outside / tall) ** 2, 0))
    return np.where(visible >= THINNEST, ratio, 0)


@njit(cache=True, nogil=True)
def in_nucleus(
    shape: np.ndarray, cell: np.ndarray, x: np.ndarray, y: np.ndarray, z: np.ndarray
) -> np.ndarray:
    """Whether each place (N,) lies in the nucleus of its cell (position; -1 = none): (N,) bool."""
    inside = np.zeros(len(x), np.bool_)
    for t in range(len(x)):
        c = cell[t]
        if c < 0:
            continue
        dx, dy, dz = x[t] - shape[c, 0], y[t] - shape[c, 1], z[t] - shape[c, 2]
        a = (shape[c, 6] * dx + shape[c, 7] * dy) / shape[c, 3]
        b = (shape[c, 6] * dy - shape[c, 7] * dx) / shape[c, 4]
        inside[t] = a * a + b * b + (dz / shape[c, 5]) ** 2 < 1
    return inside
