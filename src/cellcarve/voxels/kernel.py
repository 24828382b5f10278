"""How likely a transcript lies some voxels away from where it was made: tables of a Gaussian move between voxels."""

import math
from typing import NamedTuple

import numpy as np

SMALLEST = 1e-5
# Spread, over the side of a voxel, below which nothing moves.
_STILL = 1e-9


def between_voxels(sigma: float, side: float) -> np.ndarray:
    """Chance that two points, uniform in voxels n apart along an axis, differ by a Gaussian move.

    Parameters
    ----------
    sigma
        Standard deviation of the move.
    side
        Side of a voxel, in the same unit.

    Returns
    -------
    np.ndarray
        float64, entry n for n voxels apart in one direction; entry 0 once and the others twice sum to 1. It ends
        with the first entry below 1e-5: no move goes farther.
    """
    if sigma < _STILL * side:
        return np.ones(1)

    def f(s: float) -> float:
        gauss = math.exp(-s * s / (2 * sigma * sigma))
        return s * math.erf(s / (sigma * math.sqrt(2))) + sigma * math.sqrt(2 / math.pi) * gauss

    table = []
    for n in range(100_000):
        value = (f((n + 1) * side) - 2 * f(n * side) + f((n - 1) * side)) / (2 * side)
        table.append(value)
        if n > 0 and value < SMALLEST:
            break
    values = np.array(table)
    return values / (2 * values.sum() - values[0])


def cumulative(table: np.ndarray) -> np.ndarray:
    """Chance of at most n voxels in either direction, float64; the last entry is 1."""
    total = np.cumsum(2 * table) - table[0]
    return total / total[-1]


class Drift(NamedTuple):
    """Tables of the moves.

    Attributes
    ----------
    near, far, deep
        float64: chance of n voxels along x or y for near and far moves, and along the layers.
    near_sum, far_sum, deep_sum
        Their `cumulative`.
    walk_sum, walk_deep_sum
        `cumulative` of the proposed moves.
    share
        Share of far moves.
    """

    near: np.ndarray
    far: np.ndarray
    deep: np.ndarray
    near_sum: np.ndarray
    far_sum: np.ndarray
    deep_sum: np.ndarray
    walk_sum: np.ndarray
    walk_deep_sum: np.ndarray
    share: float
