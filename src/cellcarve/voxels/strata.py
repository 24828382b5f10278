"""Density strata: columns of voxels by how densely transcripts lie there, so that background may differ."""

import math

import numpy as np
from numba import njit

from cellcarve.chain.compiled import LEAF
from cellcarve.voxels.lattice import Frame, bands

# A column belongs to the tissue if it lies so many steps or fewer from one that holds transcripts.
NEAR = 3


@njit(**LEAF)
def density(x, y, bandwidth, reach, out):
    """Gaussian density of transcripts at the middle of every column.

    Parameters
    ----------
    x, y
        float32 (t,): positions in voxels from the lattice's corner.
    bandwidth
        In voxels.
    reach
        Distance in voxels beyond which a transcript does not count.
    out
        float32 (ny, nx): filled.
    """
    out[:] = 0.0
    for t in range(x.size):
        for j in range(max(int(y[t] - reach), 0), min(int(y[t] + reach) + 1, out.shape[0])):
            for i in range(max(int(x[t] - reach), 0), min(int(x[t] + reach) + 1, out.shape[1])):
                far = (x[t] - i - 0.5) ** 2 + (y[t] - j - 0.5) ** 2
                if far <= reach * reach:
                    out[j, i] += math.exp(-far / (2.0 * bandwidth * bandwidth))


def near_transcripts(frame: Frame, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(ny, nx) bool: columns within `NEAR` steps of one that holds transcripts; x, y in voxels."""
    from scipy.ndimage import binary_dilation

    g = frame.grid
    held = np.zeros((g.ny, g.nx), bool)
    held[np.clip(y.astype(np.int64), 0, g.ny - 1), np.clip(x.astype(np.int64), 0, g.nx - 1)] = True
    return binary_dilation(held, iterations=NEAR)


def strata_of(
    frame: Frame, x: np.ndarray, y: np.ndarray, bandwidth: float, bins: int
) -> tuple[np.ndarray, np.ndarray]:
    """Stratum of every column, and how large the strata are.

    Parameters
    ----------
    frame
        The lattice.
    x, y
        (T,) observed positions in µm.
    bandwidth
        Of the density, µm.
    bins
        Strata.

    Returns
    -------
    tuple
        (ny, nx) uint8 stratum, and (bins,) float64 volume of each in µm², of one layer.
    """
    u, v = ((x - frame.x0) / frame.side).astype(np.float32), ((y - frame.y0) / frame.side).astype(np.float32)
    rho = np.empty((frame.grid.ny, frame.grid.nx), np.float32)
    width = bandwidth / frame.side
    density(u, v, width, width * math.sqrt(2 * math.log(1000)), rho)
    tissue = near_transcripts(frame, u, v)
    edges = np.quantile(rho[tissue], np.arange(1, bins) / bins)
    stratum, held = np.empty(rho.shape, np.uint8), np.zeros(bins, np.int64)
    for rows in bands(*rho.shape):
        stratum[rows] = np.searchsorted(edges, rho[rows], side="right")
        held += np.bincount(stratum[rows][tissue[rows]], minlength=bins)
    return stratum, held * frame.voxel
