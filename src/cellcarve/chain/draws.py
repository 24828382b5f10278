"""Draws from the usual distributions, each from an address; see `cellcarve.chain.philox.words`."""

import math

import numpy as np
from numba import njit, uint32

from cellcarve.chain.compiled import LEAF
from cellcarve.chain.philox import unit, words

# Draw numbers that one gamma draw may use: the next draw of the same item starts this much later.
GAMMA_STEP = 64
# Of these, so many are for attempts, and so many follow for the tails that attempts may run into.
ATTEMPTS, TAIL_DRAWS = 16, 3
# Layers of equal area that cover one half of the bell curve, and where the lowest one's tail begins.
LAYERS, TAIL = 256, 3.6541528853610088


def _layers() -> tuple[np.ndarray, np.ndarray]:
    """Right edges of the layers from the top down, beginning with 0, and the curve's height there."""
    area = TAIL * math.exp(-0.5 * TAIL**2) + math.sqrt(0.5 * math.pi) * math.erfc(TAIL / math.sqrt(2.0))
    edge = np.zeros(LAYERS + 1)
    edge[LAYERS], edge[LAYERS - 1] = area / math.exp(-0.5 * TAIL**2), TAIL
    for n in range(LAYERS - 2, 0, -1):
        edge[n] = math.sqrt(-2.0 * math.log(area / edge[n + 1] + math.exp(-0.5 * edge[n + 1] ** 2)))
    return edge, np.exp(-0.5 * edge**2)


EDGES, HEIGHTS = _layers()


@njit(**LEAF)
def normal_of(first, second):
    """Standard normal number from two words (Box and Muller 1958)."""
    return math.sqrt(-2.0 * math.log(unit(first))) * math.cos(6.283185307179586 * unit(second))


@njit(**LEAF)
def layered_normal(first, second):
    """Standard normal number by the ziggurat of Marsaglia and Tsang (2000, doi 10.18637/jss.v005.i08).

    Parameters
    ----------
    first, second
        Words; the second one is rarely read.

    Returns
    -------
    float
        NaN: no luck with these words, try others. Infinite: one beyond `TAIL`, on the side of the sign.
    """
    layer = int(first & uint32(LAYERS - 1))
    sign = 1.0 if first & uint32(LAYERS) else -1.0
    x = unit(first) * EDGES[layer + 1]
    if x < EDGES[layer]:
        return sign * x
    if layer == LAYERS - 1:
        return sign * math.inf
    height = HEIGHTS[layer + 1] + unit(second) * (HEIGHTS[layer] - HEIGHTS[layer + 1])
    return sign * x if height < math.exp(-0.5 * x * x) else math.nan


@njit(**LEAF)
def beyond_tail(seed, stream, sweep, item, k):
    """Normal number above `TAIL` (Marsaglia 1964); uses draws k .. k + TAIL_DRAWS - 1 of the address."""
    x = 0.0
    for n in range(TAIL_DRAWS):
        a, b, c, d = words(seed, stream, sweep, item, k + n)
        for u, v in ((a, b), (c, d)):
            x = -math.log(unit(u)) / TAIL
            if -2.0 * math.log(unit(v)) > x * x:
                return TAIL + x
    return TAIL + x


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
    for attempt in range(ATTEMPTS):
        a, b, e, f = words(seed, stream, sweep, item, k + attempt)
        x = layered_normal(a, b)
        if math.isinf(x):
            tail = k + ATTEMPTS + TAIL_DRAWS * attempt
            x = math.copysign(beyond_tail(seed, stream, sweep, item, tail), x)
        v = 1.0 + c * x
        if not v > 0.0:
            continue
        v = v * v * v
        u = unit(e)
        squeezed = u < 1.0 - 0.0331 * x * x * x * x
        if squeezed or math.log(u) < 0.5 * x * x + d * (1.0 - v + math.log(v)):
            return d * v * math.exp(math.log(unit(f)) / shape) if shape < 1.0 else d * v
    return d
