"""Logs of whole numbers, looked up."""

import math

import numpy as np
from numba import njit

from cellcarve.chain.compiled import LEAF

# Numbers below this are in the table: voxels and edges of all but huge cells.
MOST = 4096
LOGS = np.log(np.maximum(np.arange(MOST), 1))


@njit(**LEAF)
def log_of(number):
    """The natural log of a whole number from 1."""
    return LOGS[number] if number < MOST else math.log(number)
