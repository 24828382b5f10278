"""Volume: log-normal within each mixture component, as a density over the volume itself."""

import math

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def volume_change(volume, step, voxel_volume, mean, half_precision):
    """Change of the log prior of a cell's volume.

    Parameters
    ----------
    volume
        Voxels now, with `step` 1 or more after the change.
    step
        Change in voxels.
    voxel_volume
        Of one voxel, µm².
    mean, half_precision
        Of the cell's component: mean of ln V, 1 / (2 sigma²).
    """
    before = math.log(volume * voxel_volume)
    after = math.log((volume + step) * voxel_volume)
    return half_precision * ((before - mean) ** 2 - (after - mean) ** 2) + before - after


def volume_value(volume, voxel_volume, mean, half_precision):
    """The full log prior of volumes (c,) in voxels, plainly, without its constant; mean and half_precision (c,)."""
    log_volume = np.log(np.asarray(volume) * voxel_volume)
    return -(half_precision * (log_volume - mean) ** 2 + log_volume).sum()
