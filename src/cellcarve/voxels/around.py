"""Which transcripts lie around a transcript: lists by column of voxels, and the columns near enough."""

import math
from typing import NamedTuple

import numpy as np

from cellcarve.voxels.chain import Chain
from cellcarve.voxels.drift import link
from cellcarve.voxels.lattice import columns_of

# Transcripts asked, where they lie as densely as usual; none beyond so many µm.
NEIGHBOURS, FARTHEST = 12, 5.0


class Around(NamedTuple):
    """Neighbours.

    Attributes
    ----------
    head
        int32 (ny, nx): a transcript of each column, -1 = none.
    after
        int32 (t,): the next one in the same column.
    column
        int32 (t,): row * nx + column.
    window
        float64 (n, 3): columns and rows away, and weights.
    """

    head: np.ndarray
    after: np.ndarray
    column: np.ndarray
    window: np.ndarray


def window_of(reach: float) -> np.ndarray:
    """Columns within a distance in voxels, with Gaussian weights: (n, 3) columns and rows away, weights."""
    most = math.ceil(reach)
    j, i = np.mgrid[-most : most + 1, -most : most + 1].reshape(2, -1)
    far = i * i + j * j
    kept = far <= reach * reach
    weight = np.exp(-far[kept] / (2 * (0.8 * reach) ** 2))
    return np.column_stack([i[kept], j[kept], weight])


def around(chain: Chain, density: float) -> Around:
    """Neighbours of all transcripts, for a usual density of transcripts per µm²."""
    grid, frame = chain.frame.grid, chain.frame
    i, j, _ = columns_of(frame, chain.spots.seen)
    column = (j * grid.nx + i).astype(np.int32)
    head = np.empty(grid.ny * grid.nx, np.int32)
    after = np.empty(len(column), np.int32)
    link(head, after, column)
    reach = min(math.sqrt(NEIGHBOURS / (math.pi * density)), FARTHEST) / frame.side
    return Around(head.reshape(grid.ny, grid.nx), after, column, window_of(max(reach, 1.0)))
