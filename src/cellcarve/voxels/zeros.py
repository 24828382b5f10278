"""Sums over the genes that a cell has no counts of, as smooth functions of its exposure, tabulated per component.

Most pairs of cell and gene have no counts. What they add to the likelihood of a component, and to the sum of a cell's
rates, depends on the cell by its exposure E = a_c V_c alone: it is worked out at knots of ln E once a sweep and
interpolated by cubics that match value and slope (error below 1e-5 of the value), so that a cell costs no more than
its own counts.
"""

import math

import numpy as np
from numba import njit

from cellcarve.chain.compiled import LEAF
from cellcarve.voxels.threads import Threads

LOW, STEP, KNOTS = math.log(0.01), 0.35, 48


@njit(**LEAF)
def tabulate(size, odds, plain, m, out):
    """Fill the knots of one component.

    Parameters
    ----------
    size, odds
        (k, m) r and s.
    plain
        Dimensions that are genes; only they enter mean and variance.
    m
        The component.
    out
        float64 (m, knots, 6): value and slope in ln E of the sum of -r ln(1 + s E) over all dimensions, of the
        sum of r s / (1 + s E), and of the sum of r (s / (1 + s E))².
    """
    for n in range(out.shape[1]):
        exposed = math.exp(LOW + n * STEP)
        out[m, n, :] = 0.0
        for k in range(size.shape[0]):
            r, s = float(size[k, m]), float(odds[k, m])
            load = s * exposed
            kept = 1.0 / (1.0 + load)
            out[m, n, 0] -= r * math.log1p(load)
            out[m, n, 1] -= r * load * kept
            if k < plain:
                out[m, n, 2] += r * s * kept
                out[m, n, 3] -= r * s * load * kept * kept
                out[m, n, 4] += r * s * s * kept * kept
                out[m, n, 5] -= 2.0 * r * s * s * load * kept * kept * kept


@njit(**LEAF)
def between(knots, m, which, log_exposed):
    """Value at ln E of table `which` (0, 2 or 4) of component m."""
    place = min(max((log_exposed - LOW) / STEP, 0.0), knots.shape[1] - 1.000001)
    n = int(place)
    u = place - n
    a, b = knots[m, n, which], knots[m, n + 1, which]
    c, d = knots[m, n, which + 1] * STEP, knots[m, n + 1, which + 1] * STEP
    return a + u * (c + u * (3.0 * (b - a) - 2.0 * c - d + u * (2.0 * (a - b) + c + d)))


def knots_of(size: np.ndarray, odds: np.ndarray, plain: int, threads: Threads) -> np.ndarray:
    """Tables of all components, float64 (m, knots, 6); see `tabulate`."""
    out = np.empty((size.shape[1], KNOTS, 6))
    threads.each(lambda m: tabulate(size, odds, plain, m, out), range(size.shape[1]))
    return out
