"""How much a prior counts beside the transcripts."""

from typing import Any

import numpy as np


def weighed(chance: Any, weight: float) -> Any:
    """Chances whose log odds count `weight` times.

    A prior enters as ln p where a voxel agrees and ln (1 - p) where it does not; times a weight, the two differ by as
    much as those of p^w / (p^w + (1 - p)^w).

    Parameters
    ----------
    chance
        0 .. 1, a number or an array.
    weight
        0 or more; 1 changes nothing.
    """
    if weight == 1.0:
        return chance
    agree, differ = np.power(chance, weight), np.power(1 - chance, weight)
    return agree / (agree + differ)
