"""What nuclei tell: how large they are, and where they truly end."""

import math
from typing import NamedTuple

import numpy as np

from cellcarve.mixture.molecules import Points

_MEASURED = 5
# How far the edge of a nucleus is beyond its nearest transcript, in distances of neighbouring transcripts.
_INSET = 0.6


class Nuclei(NamedTuple):
    """Sizes of the anchors of C components, of which L are large enough to be measured.

    Attributes
    ----------
    rim
        Usual radius, µm; 0 where all are too small to measure.
    inset
        (C,) float64 distance by which transcripts of each stay short of its edge, µm.
    middle, radius
        (L, 3) and (L,) float64 of those that were measured, µm.
    """

    rim: float
    inset: np.ndarray
    middle: np.ndarray
    radius: np.ndarray


def measure_nuclei(at: Points, component: np.ndarray, count: int) -> Nuclei:
    """Sizes of nuclei, and where they end.

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
    inset = np.zeros(len(n))
    if not large.any():
        return Nuclei(0.0, inset, middle[large], radius[large])
    usual = float(np.median(radius[large]))
    inset[n > 0] = _INSET * _spacing(np.where(large, radius, usual)[n > 0], n[n > 0], bool(at.z.any()))
    return Nuclei(usual, inset, middle[large], radius[large])


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


def _spacing(radius: np.ndarray, n: np.ndarray, deep: bool) -> np.ndarray:
    """(n,) float64 usual distance of neighbours among n transcripts strewn over a disc, or a ball (`deep`)."""
    if deep:
        return (4 / 3 * math.pi / n) ** (1 / 3) * radius
    return np.sqrt(math.pi / n) * radius
