"""Ridges of RNA between cells: where transcripts gather along membranes, ways across a ridge are long.

In most tissues transcripts thin out beyond the nucleus and the middle between two nuclei is the best guess at their
border. Where they grow denser instead, they do so towards the membrane, and the border follows the ridge.
"""

import math

import numpy as np

from cellcarve.chain.ridges import relative_density
from cellcarve.voxels.lattice import Frame, bands

# Parts of a nucleus' radius beyond its edge: the ring next to it, and the one that is compared with it.
CLOSE, APART, FARTHEST = 0.35, 0.75, 1.5
# How steeply the cost of a way rises with density, for a rise between the rings by a factor of e; and at most.
STEEPNESS, STEEPEST = 4.0, 1.2


def density_of_columns(frame: Frame, column: np.ndarray) -> np.ndarray:
    """(ny, nx) float32 `relative_density` of a lattice's columns; `column` is (T,) row * nx + column of transcripts."""
    shape = (frame.grid.ny, frame.grid.nx)
    count = np.zeros(shape[0] * shape[1], np.float32)
    np.add.at(count, column, np.float32(1))
    return relative_density(count.reshape(shape), frame.side)


def rise_of(density: np.ndarray, held: np.ndarray) -> float:
    """Ln of the density a while beyond the nuclei over that next to them; 0 where there is too little to compare.

    Parameters
    ----------
    density
        Of `relative_density`.
    held
        (ny, nx) cells of the columns of nuclei.
    """
    from scipy.ndimage import distance_transform_edt

    columns = np.bincount(held[held > 0])[1:]
    if not columns.any():
        return 0.0
    radius = math.sqrt(float(np.median(columns[columns > 0])) / math.pi)
    source = distance_transform_edt(held == 0, return_distances=False, return_indices=True)
    close = max(CLOSE * radius, 1.0)
    next_to, beyond = [], []
    for rows in bands(*held.shape):
        j, i = np.mgrid[rows, : held.shape[1]] - source[:, rows]
        far = np.sqrt((j * j + i * i).astype(np.float64))
        next_to.append(density[rows][(far > 0) & (far <= close)])
        beyond.append(density[rows][(far > max(APART * radius, close)) & (far <= FARTHEST * radius)])
    near, apart = np.concatenate(next_to), np.concatenate(beyond)
    if not (len(near) and len(apart)):
        return 0.0
    return math.log(max(float(apart.mean()), 1e-3) / max(float(near.mean()), 1e-3))


def steepness_of(rise: float) -> float:
    """Power of density that the cost of a way goes with; 0 where density does not rise and all ways cost the same."""
    return min(max(STEEPNESS * rise, 0.0), STEEPEST)
