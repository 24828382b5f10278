"""How far to trust the share of rounds in which a transcript was in its cell.

Rounds agree more than they are right: they share nuclei, shapes and profiles. How much more was measured on simulated
tissue and fields of an embryo. Where nuclei are known and nearly all rounds agree nearly everywhere, cells are well apart
and votes are right. Where none are known, rounds agree as well on cells that are none; what tells then is how much better
two neighbours are explained as two cells than as one.
"""

import numpy as np

# Log odds that a cell is right = USUAL + SLOPE x those of its share of the rounds + APART x those of the mean share
# beyond CLEAR, where they are.
USUAL, SLOPE, APART, CLEAR = -0.42, 0.64, 2.3, 2.5
# Without nuclei: BLANK + BLANK_SLOPE x those of its share + DISTINCT x the log of how distinct cells are.
BLANK, BLANK_SLOPE, DISTINCT = 0.84, 0.46, 1.19


def _log_odds(share: np.ndarray) -> np.ndarray:
    return np.log(share / (1 - share))


def trust(
    share: np.ndarray, inside: np.ndarray, rounds: int, distinctness: float | None = None
) -> np.ndarray:
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
        How well cells are told from their neighbours (`cellcarve.mixture.merge.distinctness`); None where nuclei are
        known.

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
    if distinctness is None:
        apart = max(float(_log_odds(counted.mean())) - CLEAR, 0.0)
        odds = USUAL + SLOPE * _log_odds(counted) + APART * apart
    else:
        odds = BLANK + BLANK_SLOPE * _log_odds(counted) + DISTINCT * np.log(distinctness)
    out[inside] = 1 / (1 + np.exp(-odds))
    return out
