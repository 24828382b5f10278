"""How far to trust the share of rounds in which a transcript was in its cell.

Rounds agree more than they are right: they share nuclei, shapes and profiles. How much more was measured on simulated
tissue and fields of an embryo; where nearly all rounds agree nearly everywhere, cells are well apart and votes are right.
"""

import numpy as np

# Log odds that a cell is right = USUAL + SLOPE x those of its share of the rounds + APART x those of the mean share
# beyond CLEAR, where they are.
USUAL, SLOPE, APART, CLEAR = -0.42, 0.64, 2.3, 2.5


def _log_odds(share: np.ndarray) -> np.ndarray:
    return np.log(share / (1 - share))


def trust(share: np.ndarray, inside: np.ndarray, rounds: int) -> np.ndarray:
    """Probability that the likeliest cell is right.

    Parameters
    ----------
    share
        (T,) share of the rounds in which the transcript was in its likeliest cell.
    inside
        (T,) bool: it has one.
    rounds
        How many there were.

    Returns
    -------
    np.ndarray
        (T,) float32; 0 where there is no cell.
    """
    out = np.zeros(len(share), np.float32)
    if not inside.any():
        return out
    # As many rounds for as against are added, one each: no share is beyond doubt.
    counted = (share[inside].astype(np.float64) * rounds + 1) / (rounds + 2)
    apart = max(float(_log_odds(counted.mean())) - CLEAR, 0.0)
    out[inside] = 1 / (1 + np.exp(-USUAL - SLOPE * _log_odds(counted) - APART * apart))
    return out
