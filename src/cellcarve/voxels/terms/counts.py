"""Transcripts: a Poisson process whose rate at a voxel is that of its cell plus the background's."""

import math

import numpy as np
from numba import njit

from cellcarve.chain.compiled import LEAF
from cellcarve.voxels.rates import known_rate, unseen


@njit(**LEAF)
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
    start, key, value, background = rates.start, rates.key, rates.value, rates.background
    genes, place, after, scale = spots.gene, spots.place, spots.after, cells.scale
    ratio, total = 1.0, 0.0
    t = spots.head[voxel]
    while t >= 0:
        gene = genes[t]
        rest = float(background[gene, place[t]])
        gained, lost = known_rate(start, key, value, new, gene), known_rate(start, key, value, old, gene)
        if gained < 0.0:
            gained = unseen(rates, cells.component, cells.exposed, new, gene)
        if lost < 0.0:
            lost = unseen(rates, cells.component, cells.exposed, old, gene)
        ratio *= (rest + scale[new] * gained) / (rest + scale[old] * lost)
        if not 1e-200 < ratio < 1e200:
            total += math.log(max(ratio, 1e-300))
            ratio = 1.0
        t = after[t]
    return total + math.log(max(ratio, 1e-300))


@njit(**LEAF)
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
