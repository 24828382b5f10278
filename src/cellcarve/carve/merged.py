"""Nuclei that the prior drew as one, by how large they are, how their halves lie and what these express.

All three are measured by what is usual in the tissue at hand, so that neither large nuclei, nor gaps in them, nor
neighbours that show through make a nucleus suspect where every nucleus has them. Log odds were fitted by logistic
regression on simulated tissue (``docs/model.md``).
"""

import numpy as np
from numba import njit

from cellcarve.carve.nuclei import extent, moments, size_of
from cellcarve.carve.rate import shift_of_rate
from cellcarve.carve.types import Types, log_likelihood
from cellcarve.data.sorting import rows_of

# Log odds per usual spread of size, of how compact the halves are and of what two mixes of programmes explain better
# than one; what a cut costs; the share of merged nuclei where these were fitted; and the spreads there.
_SIZE, _COMPACT, _GENES, _COST, _RATE = 2.15, 1.14, 1.38, 7.91, 0.02
_SPREAD = (0.62, 0.065, 1.8)
# The usual spread counts as this many nuclei, beside those of the tissue.
_TRUST = 100


def cut_merged(
    label: np.ndarray, x: np.ndarray, y: np.ndarray, gene: np.ndarray, cells: int, types: Types
) -> np.ndarray:
    """Number 1, 2, ... of the new cell for transcripts in the second half of a merged nucleus, else 0; (n,) int32."""
    n, mx, my, xx, yy, xy = moments(label, x, y, cells)
    size = size_of(xx, yy, xy)
    angle = 0.5 * np.arctan2(2 * xy, xx - yy)
    side = np.zeros(len(label), bool)
    axis = np.stack([mx, my, np.cos(angle), np.sin(angle)], 1)
    _halve(*rows_of(label, cells + 2), x.astype(np.float64), y.astype(np.float64), axis, side)
    pair = (2 * label + side).astype(np.int32)
    count = np.bincount(pair, minlength=2 * cells + 2).reshape(-1, 2).min(1)
    sound = np.flatnonzero((count >= 4) & (n >= 10) & (np.arange(cells + 1) > 0))
    if len(sound) == 0:
        return np.zeros(len(label), np.int32)
    halves = extent(pair, x, y, 2 * cells + 1).reshape(-1, 2).sum(1)
    apart = log_likelihood(types, pair, gene, 2 * cells + 2).reshape(-1, 2).sum(1)
    apart -= log_likelihood(types, label, gene, cells + 1)
    odds = (
        _SIZE * np.clip(_unusual(np.log(size[sound]), 0.16, 1.0, _SPREAD[0]), -3, 6)
        + _COMPACT * np.clip(_unusual(-halves[sound] / size[sound], 0.16, 1.0, _SPREAD[1]), -3, 8)
        + _GENES * np.clip(_unusual(apart[sound], 0.9, 1.2816, _SPREAD[2]), -3, 8)
        - _COST
    )
    # Where hardly any nucleus is merged, what looks like it is chance.
    cut = np.zeros(cells + 1, bool)
    cut[sound] = odds + min(shift_of_rate(odds, _RATE), 0.0) > 0
    number = np.cumsum(cut).astype(np.int32)
    return np.where(cut[label] & side, number[label], 0).astype(np.int32)


def _unusual(value: np.ndarray, quantile: float, width: float, usual: float) -> np.ndarray:
    """How far each value lies from the median, in spreads: that to a quantile `width` normal spreads off, and `usual`."""
    middle = np.median(value)
    spread = abs(np.quantile(value, quantile) - middle) / width
    return (value - middle) * (len(value) + _TRUST) / (len(value) * spread + _TRUST * usual)


@njit(cache=True, nogil=True)
def _halve(order, start, x, y, axis, side):
    """2-means of each nucleus along its long axis: the side of each transcript."""
    for c in range(1, len(axis)):
        own = order[start[c] : start[c + 1]]
        u = (x[own] - axis[c, 0]) * axis[c, 2] + (y[own] - axis[c, 1]) * axis[c, 3]
        cut = 0.0
        for _ in range(20):
            right = u > cut
            if right.all() or not right.any():
                break
            new = (u[right].mean() + u[~right].mean()) / 2
            if new == cut:
                break
            cut = new
        for i in range(len(own)):
            side[own[i]] = u[i] > cut
