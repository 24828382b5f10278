"""Volume: log-normal within each mixture component, as a density over the volume itself."""

import numpy as np
from numba import njit

from cellcarve.chain.compiled import LEAF
from cellcarve.voxels.terms.logs import log_of


@njit(**LEAF)
def volume_change(volume, step, log_voxel, mean, half_precision):
    """Change of the log prior of a cell's volume.

    Parameters
    ----------
    volume
        Voxels now, with `step` 1 or more after the change.
    step
        Change in voxels.
    log_voxel
        ln of the volume of a voxel in µm².
    mean, half_precision
        Of the cell's component: mean of ln V, 1 / (2 sigma²).
    """
    before = log_of(volume) + log_voxel
    after = log_of(volume + step) + log_voxel
    return half_precision * ((before - mean) ** 2 - (after - mean) ** 2) + before - after


def volume_value(volume, voxel_volume, mean, half_precision):
    """The full log prior of volumes (c,) in voxels, plainly, without its constant; mean and half_precision (c,)."""
    log_volume = np.log(np.asarray(volume) * voxel_volume)
    return -(half_precision * (log_volume - mean) ** 2 + log_volume).sum()
