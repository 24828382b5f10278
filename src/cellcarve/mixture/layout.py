"""Places in few dimensions that keep near neighbours near and others apart: UMAP (McInnes, Healy and Melville 2018).

Three steps, as in the paper (arXiv 1802.03426): neighbours get weights between 0 and 1 by distance, scaled per point;
both directions of a pair are united as fuzzy sets are; then pairs pull and random points push by the gradient of the
cross entropy between these weights and 1 / (1 + a d^2b) of the distance d in the layout.
"""

import math
from dataclasses import dataclass

import numpy as np
from numba import njit
from scipy.sparse import csr_matrix

from cellcarve.chain.compiled import LEAF
from cellcarve.chain.philox import below, words
from cellcarve.chain.streams import MIXTURE_LAYOUT

_HALVINGS = 60
# Points that push for each that pulls: one address gives four words.
_PUSHES = 4
# The longest step of a coordinate, and what keeps the push between points on almost one spot finite.
_STEP, _SOFT = 4.0, 1e-3
# Half the extent of the first places: small, so that they untangle first; ten times as wide, types lie apart less well.
_EXTENT = 1.0
# The least scale as a share of the mean distance: of a point with many others on its spot it would be 0.
_LEAST = 1e-3


@dataclass(frozen=True)
class Curve:
    """How likely points a distance d apart in the layout are neighbours: 1 / (1 + a d^2b)."""

    a: float
    b: float


def curve(spread: float, least: float) -> Curve:
    """The curve nearest to 1 up to the distance `least` and exp(-(d - least) / spread) beyond it."""
    from scipy.optimize import curve_fit

    d = np.linspace(0, 3 * spread, 300)[1:]
    wanted = np.where(d < least, 1.0, np.exp(-(d - least) / spread))
    (a, b), _ = curve_fit(lambda d, a, b: 1 / (1 + a * d ** (2 * b)), d, wanted)
    return Curve(float(a), float(b))


def neighbour_weights(index: np.ndarray, distance: np.ndarray) -> csr_matrix:
    """Symmetric weights of neighbours.

    Parameters
    ----------
    index
        (S, k) int32 of each point's neighbours. Of points on one spot, some may be among their own, which does nothing.
    distance
        (S, k) float64 to them, growing along rows.

    Returns
    -------
    scipy.sparse.csr_matrix
        (S, S) float64, 0 .. 1.
    """
    points, near = index.shape
    weight = np.empty(index.shape)
    usual = float(distance.mean()) if near else 0.0
    _weigh(distance, usual, np.log2(near + 1), weight)
    one = csr_matrix((weight.ravel(), index.ravel(), near * np.arange(points + 1)), (points, points))
    return (one + one.T - one.multiply(one.T)).tocsr()


@njit(**LEAF)
def _weigh(distance, usual, total, out):
    """exp(-(d - nearest) / scale), where the scale is such that each row adds up to `total`."""
    points, near = distance.shape
    for i in range(points):
        nearest = distance[i, 0] if near else 0.0
        low, high, scale = 0.0, np.inf, max(usual, 1e-300)
        for _ in range(_HALVINGS):
            found = 0.0
            for c in range(near):
                found += np.exp(-max(distance[i, c] - nearest, 0.0) / scale)
            if found > total:
                high = scale
            else:
                low = scale
            scale = 2 * scale if high == np.inf else (low + high) / 2
        scale = max(scale, _LEAST * usual, 1e-300)
        for c in range(near):
            out[i, c] = np.exp(-max(distance[i, c] - nearest, 0.0) / scale)


def lay_out(weights: csr_matrix, first: np.ndarray, shape: Curve, rounds: int, seed: int) -> np.ndarray:
    """Places of points by stochastic gradient descent.

    Parameters
    ----------
    weights
        (S, S) from `neighbour_weights`.
    first
        (S, d) places to start from, in any unit.
    shape
        How attraction falls with distance.
    rounds
        Of descent, with steps that shrink to nothing.
    seed
        Of the run.

    Returns
    -------
    numpy.ndarray
        (S, d) float64.
    """
    place = first - first.mean(0)
    place = np.ascontiguousarray(place * (_EXTENT / max(float(np.abs(place).max()), 1e-300)), np.float64)
    share = weights.data / max(float(weights.data.max(initial=0)), 1e-300)
    _descend(weights.indptr, weights.indices, share, place, (shape.a, shape.b), rounds, seed)
    return place


@njit(**LEAF)
def _descend(start, neighbour, share, place, shape, rounds, seed):
    """Pairs take part in as many rounds as their share of the largest weight says, each with `_PUSHES` others."""
    a, b = shape
    points = len(place)
    for t in range(rounds):
        rate = 1 - t / rounds
        for i in range(points):
            for e in range(start[i], start[i + 1]):
                if math.floor((t + 1) * share[e]) == math.floor(t * share[e]):
                    continue
                j = neighbour[e]
                square = _square(place, i, j)
                if square > 0:
                    pull = -2 * a * b * square ** (b - 1) / (1 + a * square**b)
                    _step(place, i, j, rate, pull, True)
                word = words(seed, MIXTURE_LAYOUT, t, e, 0)
                for r in range(_PUSHES):
                    j = below(word[r], points)
                    square = _square(place, i, j)
                    if square > 0:
                        push = 2 * b / ((_SOFT + square) * (1 + a * square**b))
                        _step(place, i, j, rate, push, False)


@njit(**LEAF)
def _step(place, i, j, rate, factor, both):
    """Move point i, and the other way j if both are to move, along the line between them."""
    for c in range(place.shape[1]):
        step = rate * min(max(factor * (place[i, c] - place[j, c]), -_STEP), _STEP)
        place[i, c] += step
        if both:
            place[j, c] -= step


@njit(**LEAF)
def _square(place, i, j):
    """Squared distance of two points."""
    total = 0.0
    for c in range(place.shape[1]):
        total += (place[i, c] - place[j, c]) ** 2
    return total
