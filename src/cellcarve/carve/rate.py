"""How common it is what evidence is weighed for: in some tissues missed or merged nuclei are rare, in others common."""

import numpy as np


def shift_of_rate(odds: np.ndarray, usual: float) -> float:
    """What to add to log odds in a tissue where what they speak for is rarer or commoner than the usual rate.

    EM over the unknown rate, the odds' own evidence held fixed (Saerens, Latinne and Decaestecker 2002). It may take much
    off, at most 4, but adds at most 0.5.
    """
    rate = usual
    for _ in range(100):
        shift = np.log(rate / (1 - rate)) - np.log(usual / (1 - usual))
        rate = float(np.clip(np.mean(1 / (1 + np.exp(-odds - shift))), 1e-3, 0.9)) if len(odds) else usual
    return float(np.clip(np.log(rate / (1 - rate)) - np.log(usual / (1 - usual)), -4, 0.5))
