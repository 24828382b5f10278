"""Whether probabilities are what they say."""

from typing import Any

import numpy as np

BINS = 10


def calibration(probability: np.ndarray, right: np.ndarray) -> dict[str, Any]:
    """Compare what was promised with what came true.

    Parameters
    ----------
    probability
        (N,) promised, 0 .. 1.
    right
        (N,) bool, came true.

    Returns
    -------
    dict
        ``ece``: mean distance between promised and observed share over ten bins, weighted by rows; ``bias``:
        promised minus observed; ``bins``: per bin rows, mean promised and observed share.
    """
    if not len(probability):
        return {"ece": None, "bias": None, "bins": []}
    place = np.clip((probability * BINS).astype(np.int64), 0, BINS - 1)
    rows = np.bincount(place, minlength=BINS)
    promised = np.bincount(place, probability, minlength=BINS)
    came = np.bincount(place, right, minlength=BINS)
    number = len(probability)
    bins = [
        {"rows": int(n), "promised": float(p / n), "observed": float(c / n)}
        for n, p, c in zip(rows, promised, came, strict=True)
        if n
    ]
    return {
        "ece": float(np.abs(promised - came).sum() / number),
        "bias": float((promised.sum() - came.sum()) / number),
        "bins": bins,
    }
