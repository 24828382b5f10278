"""What nuclei tell of their cells: how large they are, how far that reaches, and where they truly end."""

import math
from typing import NamedTuple

import numpy as np
from scipy.spatial import cKDTree

from cellcarve.mixture.molecules import Points

_MEASURED = 5
# How far a nucleus' size tells its cell's (0 = not at all, 1 = in proportion) where nothing can be learned, and how
# sure that is (standard deviation).
_POWER, _UNSURE = 0.35, 0.2
# Other nuclei that count as a nucleus' neighbours.
_BESIDE = 3
# How far the edge of a nucleus is beyond its nearest transcript, in distances of neighbouring transcripts.
_INSET = 0.6


class Nuclei(NamedTuple):
    """Sizes of the anchors of C components, of which L are large enough to be measured.

    Attributes
    ----------
    rim
        Usual radius, µm; 0 where all are too small to measure.
    factor
        (C,) float32 factor on distances to each: a larger nucleus reaches further.
    inset
        (C,) float64 distance by which transcripts of each stay short of its edge, µm.
    middle, radius
        (L, 3) and (L,) float64 of those that were measured, µm.
    """

    rim: float
    factor: np.ndarray
    inset: np.ndarray
    middle: np.ndarray
    radius: np.ndarray


def measure_nuclei(at: Points, component: np.ndarray, count: int) -> Nuclei:
    """Sizes of nuclei, and what they mean for their cells.

    Radii are shrunk towards the usual one by how much of their spread is chance.

    Parameters
    ----------
    at
        N transcripts.
    component
        (N,) int32 component whose anchor a transcript is, 0 = of none.
    count
        C.
    """
    n, middle, radius = discs(at, component, count)
    large = (n >= _MEASURED) & (radius > 0)
    factor, inset = np.ones(len(n), np.float32), np.zeros(len(n))
    if not large.any():
        return Nuclei(0.0, factor, inset, middle[large], radius[large])
    log = np.log(radius[large])
    off, chance = log - np.median(log), 0.5 / (n[large] - 1)
    spread = max(float(np.var(log)) - float(chance.mean()), 1e-4)
    off *= spread / (spread + chance)
    factor[large] = np.exp(-learn_power(middle[large], off) * off)
    usual = float(np.median(radius[large]))
    inset[n > 0] = _INSET * _spacing(np.where(large, radius, usual)[n > 0], n[n > 0], bool(at.z.any()))
    return Nuclei(usual, factor, inset, middle[large], radius[large])


def discs(at: Points, component: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of each of C components: (C,) number of anchors, (C, 3) their middle, (C,) radius (µm) of the disc of their variance."""
    inside = np.flatnonzero(component)
    mine = component[inside]
    n = np.bincount(mine, minlength=count)
    middle, square = np.zeros((len(n), 3)), np.zeros(len(n))
    for a, axis in enumerate(at):
        value = axis[inside].astype(np.float64)
        middle[:, a] = np.bincount(mine, value, len(n)) / np.maximum(n, 1)
        if a < 2:
            square += np.bincount(mine, (value - middle[mine, a]) ** 2, len(n))
    return n, middle, np.sqrt(2 * square / np.maximum(n - 1, 1))


def learn_power(middle: np.ndarray, size: np.ndarray) -> float:
    """How far the size of a nucleus tells its cell's, learned from how far apart nuclei are.

    Neighbours are as far apart as their cells are large: where cells grow as their nuclei's radii to some power, the log
    of the distance grows by half that power with the log of either radius (least squares; a normal prior on the power).

    Parameters
    ----------
    middle
        (n, 3) float64 middles, µm.
    size
        (n,) float64 logs of radii over the usual one.
    """
    if len(size) <= _BESIDE + 1:
        return _POWER
    away, beside = cKDTree(middle).query(middle, k=_BESIDE + 1)
    y = np.log(np.maximum(away[:, 1:], 1e-6)).mean(1)
    x = 0.5 * (size + size[beside[:, 1:]].mean(1))
    x, y = x - x.mean(), y - y.mean()
    square = float(x @ x)
    if square <= 0:
        return _POWER
    slope = float(x @ y) / square
    error = float(np.mean((y - slope * x) ** 2)) / square
    return float(np.clip((slope * _UNSURE**2 + _POWER * error) / (_UNSURE**2 + error), 0, 1))


def _spacing(radius: np.ndarray, n: np.ndarray, deep: bool) -> np.ndarray:
    """(n,) float64 usual distance of neighbours among n transcripts strewn over a disc, or a ball (`deep`)."""
    if deep:
        return (4 / 3 * math.pi / n) ** (1 / 3) * radius
    return np.sqrt(math.pi / n) * radius
