"""How far to trust the share of rounds in which a transcript was in its cell, where no nuclei are known.

Rounds agree more than they are right: they share shapes and profiles, and agree as well on cells that are none. What tells
is how much better two neighbours are explained as two cells than as one. How much that is was measured on simulated fields.
"""

import numpy as np

# Log odds that a cell is right = BLANK + SLOPE x those of its share + DISTINCT x the log of how distinct cells are.
BLANK, SLOPE, DISTINCT = 0.84, 0.46, 1.19


def trust(share: np.ndarray, inside: np.ndarray, rounds: int, distinctness: float) -> np.ndarray:
    """Probability that the likeliest cell is right.

    Parameters
    ----------
    share
        (T,) share of the rounds in which the transcript was in its likeliest cell.
    inside
        (T,) bool: it has one.
    rounds
        How many there were.
    distinctness
        How well cells are told from their neighbours (`cellcarve.mixture.merge.distinctness`).

    Returns
    -------
    np.ndarray
        (T,) float32; 0 where there is no cell.
    """
    out = np.zeros(len(share), np.float32)
    # As many rounds for as against are added, one each: no share is beyond doubt.
    counted = (share[inside].astype(np.float64) * rounds + 1) / (rounds + 2)
    odds = BLANK + SLOPE * np.log(counted / (1 - counted)) + DISTINCT * np.log(distinctness)
    out[inside] = 1 / (1 + np.exp(-odds))
    return out
