"""Transcripts: a Poisson process whose rate at a voxel is that of its cell plus the background's."""

import math

import numpy as np
from numba import njit

from cellcarve.voxels.rates import rate_of


@njit(cache=True, nogil=True)
def counts_change(rates, cells, spots, voxel, old, new):
    """Change of the log likelihood of the transcripts that lie in a voxel when its label changes.

    Parameters
    ----------
    rates, cells, spots
        State.
    voxel
        The voxel.
    old, new
        Its labels; 0 is the background.

    Returns
    -------
    float
        Sum over transcripts of ln(background + rate in new) - ln(background + rate in old).
    """
    ratio, total = 1.0, 0.0
    t = spots.head[voxel]
    while t >= 0:
        gene = spots.gene[t]
        rest = float(rates.background[gene, spots.place[t]])
        ratio *= (rest + rate_of(rates, cells, new, gene)) / (rest + rate_of(rates, cells, old, gene))
        if not 1e-200 < ratio < 1e200:
            total += math.log(max(ratio, 1e-300))
            ratio = 1.0
        t = spots.after[t]
    return total + math.log(max(ratio, 1e-300))


@njit(cache=True, nogil=True)
def exposure_change(scale, total, voxel_volume, old, new):
    """Change of minus the expected number of transcripts: a voxel of old goes to new."""
    change = 0.0
    if old > 0:
        change += scale[old] * total[old] * voxel_volume
    if new > 0:
        change -= scale[new] * total[new] * voxel_volume
    return change


def counts_value(label, at, rate, background, exposure):
    """The full log likelihood of labels, plainly.

    Parameters
    ----------
    label
        (v,) label of each voxel.
    at
        (t,) voxel of each transcript.
    rate
        (c, t) rate of each cell, entry 0 zero, for each transcript's gene.
    background
        (t,) background rate for each transcript.
    exposure
        (c,) expected transcripts per voxel of the cell, entry 0 zero.
    """
    own = rate[label[at], np.arange(len(at))]
    return np.log(background + own).sum() - exposure[label].sum()
