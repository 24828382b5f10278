"""Draws from the usual distributions, each from an address; see `cellcarve.chain.philox.words`."""

import math

from numba import njit

from cellcarve.chain.compiled import LEAF
from cellcarve.chain.philox import unit, words

# Draw numbers that one gamma draw may use: the next draw of the same item starts this much later.
GAMMA_STEP = 64


@njit(**LEAF)
def normal_of(first, second):
    """Standard normal number from two words (Box and Muller 1958)."""
    return math.sqrt(-2.0 * math.log(unit(first))) * math.cos(6.283185307179586 * unit(second))


@njit("float64(float64, int64, int64, int64, int64, int64)", **LEAF)
def gamma(shape, seed, stream, sweep, item, k):
    """Gamma number with scale 1 (Marsaglia and Tsang 2000); uses draws k .. k + GAMMA_STEP - 1 of the address.

    Parameters
    ----------
    shape
        Above 0; below 1 it is raised by one and the result scaled down.
    seed, stream, sweep, item, k
        The address, as for `words`.

    Returns
    -------
    float
        Zero where the number is too small for a float64.
    """
    raised = shape + 1.0 if shape < 1.0 else shape
    d = raised - 1.0 / 3.0
    c = 1.0 / math.sqrt(9.0 * d)
    for attempt in range(GAMMA_STEP):
        a, b, e, f = words(seed, stream, sweep, item, k + attempt)
        x = normal_of(a, b)
        v = 1.0 + c * x
        if v <= 0.0:
            continue
        v = v * v * v
        u = unit(e)
        squeezed = u < 1.0 - 0.0331 * x * x * x * x
        if squeezed or math.log(u) < 0.5 * x * x + d * (1.0 - v + math.log(v)):
            return d * v * unit(f) ** (1.0 / shape) if shape < 1.0 else d * v
    return d
