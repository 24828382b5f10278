"""How far to trust chances that take every cell for known and every border for sharp.

Nuclei are missed and merged, and transcripts lie farther from where they were made than is believed: more assignments
are wrong than their chances say. How much more was measured on simulated tissue, and that borders are blurred shows on
the tissue at hand: chances are lower in the mean.
"""

import math

import numpy as np
from numba import njit

from cellcarve.chain.compiled import LEAF

# Log odds that a cell is right = SLOPE x those of its chance + USUAL x (those of the mean chance - CLEAR).
SLOPE, USUAL, CLEAR = 0.87, 2.5, 2.13
# Log odds of the mean chance, a little below those of the blurriest tissue measured (1.89): doubt grows no further.
BLURRIEST = 1.75
# Power of the genes' say: where it was turned down on tissue with ridges, over-confidence fell with its square.
SAY = 2.0
# Log odds are reckoned of chances that lie so far from 0 and 1 at least.
MARGIN = 1e-3


@njit(**LEAF)
def log_odds(chance):
    """Ln of the odds of a chance."""
    sure = min(max(float(chance), MARGIN), 1.0 - MARGIN)
    return math.log(sure / (1.0 - sure))


@njit(**LEAF)
def doubt(chance, inside, lower, free, left):
    """Fill `left` of `trust`; `lower` is what the tissue's mean chance adds to log odds."""
    for t in range(chance.size):
        left[t] = 1.0
        if inside[t]:
            right = 1.0 / (1.0 + math.exp(-SLOPE * log_odds(chance[t]) - lower))
            left[t] = 1.0 - free * (1.0 - min(right / float(chance[t]), 1.0))


def trust(chance: np.ndarray, inside: np.ndarray, free: float) -> np.ndarray:
    """Share of the chance that is left when cells and borders are doubted.

    Parameters
    ----------
    chance
        (T,) chance of the likeliest cell.
    inside
        (T,) bool: the cell is likelier than none.
    free
        0 .. 1, how far genes tell the cells; where places do, there is nothing to doubt.

    Returns
    -------
    np.ndarray
        (T,) float32, 0 .. 1; 1 where no cell is likelier.
    """
    mean = chance.sum(where=inside, dtype=np.float64) / max(np.count_nonzero(inside), 1)
    lower = USUAL * (max(log_odds(mean), BLURRIEST) - CLEAR)
    left = np.empty(len(chance), np.float32)
    doubt(chance, inside, lower, free**SAY, left)
    return left
