"""Earlier segmentation: a voxel that lay in a prior cell is in it with a given probability."""

import numpy as np
from numba import njit

from cellcarve.chain.compiled import LEAF


@njit(**LEAF)
def earlier_change(prior, odds, old, new):
    """Change of the log prior of a voxel's label.

    Parameters
    ----------
    prior
        The voxel's prior cell, 0 = nothing is believed.
    odds
        ln p - ln(1 - p).
    old, new
        Labels.
    """
    if prior == 0 or old == new:
        return 0.0
    return odds * (int(new == prior) - int(old == prior))


def earlier_value(label, prior, odds):
    """The full log prior of labels (v,), plainly and up to a constant; prior (v,), odds (v,)."""
    return np.where((prior > 0) & (label == prior), odds, 0.0).sum()
