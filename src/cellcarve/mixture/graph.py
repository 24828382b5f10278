"""The molecule graph: who is whose neighbour, and how much a neighbour counts."""

from typing import NamedTuple

import numpy as np
from numba import njit

from cellcarve.data import flat
from cellcarve.mixture import delaunay
from cellcarve.mixture.molecules import Molecules, Points, apart, on_chunks
from cellcarve.mixture.near import Grid, distance_to, lay_grid, nearest

FULL = 255
_DEEP_NEIGHBOURS = 5
_MADS = 2.0
_CLOSE = 0.3
# Circles through neighbours are at most this many usual distances wide.
_FURTHEST = 15.0


class Graph(NamedTuple):
    """Neighbours of N transcripts: those of i are ``neighbour[start[i]:start[i + 1]]``, the nearest first.

    Attributes
    ----------
    start
        (N + 1,) int32, or int64 where there are too many neighbours for that.
    neighbour
        int32.
    weight
        uint8, at least 1, in units of 1 / `FULL`: d0 / max(d, d0), d0 being the 0.3-quantile of all lengths.
    near
        (N,) int16: how many of the neighbours are not unusually far. Only these take part in the sampler.
    """

    start: np.ndarray
    neighbour: np.ndarray
    weight: np.ndarray
    near: np.ndarray


# Of no transcripts.
NOBODYS = Graph(np.zeros(1, np.int32), np.empty(0, np.int32), np.empty(0, np.uint8), np.empty(0, np.int16))


def build_graph(molecules: Molecules, grid: Grid, threads: int) -> Graph:
    """Neighbours by Delaunay triangles in two dimensions, by the five nearest in three.

    Parameters
    ----------
    molecules
        N transcripts.
    grid
        Their buckets.
    threads
        Threads to use.
    """
    at = molecules.at
    if molecules.deep:
        pairs = _nearest_pairs(at, grid, threads)
    else:
        usual = usual_distance(at, grid, threads)
        pairs = delaunay.edges(at, molecules.place, usual, _FURTHEST * usual, threads)
    start, neighbour, length = adjacency(at, pairs, molecules.place)
    del pairs
    start, neighbour = flat.keep(start), flat.keep(neighbour)
    flat.relax()
    weight, limit = weigh(length)
    near = near_degree(start, length, limit)
    return Graph(start, neighbour, flat.keep(weight), flat.keep(near))


def usual_distance(at: Points, grid: Grid, threads: int) -> float:
    """Median distance to the nearest other position, µm: transcripts on one spot do not count."""
    if len(at.x) < 2:
        return 1.0
    first = distance_to(at, grid, 1, threads)
    apart_ones = first[first > 0]
    if len(apart_ones) > 0.5 * len(first):
        return float(np.median(apart_ones))
    places = np.unique(np.column_stack([at.x, at.y, at.z]), axis=0)
    spread_out = Points(*(np.ascontiguousarray(axis) for axis in places.T))
    if len(places) < 2:
        return 1.0
    return float(np.median(distance_to(spread_out, lay_grid(spread_out), 1, threads)))


def _nearest_pairs(at: Points, grid: Grid, threads: int) -> np.ndarray:
    """(E, 2) int32 pairs of which one is among the five nearest of the other."""
    n = len(at.x)
    other = np.empty((n, _DEEP_NEIGHBOURS), np.int32)

    def one(low: int, high: int) -> None:
        other[low:high] = nearest(at, grid, _DEEP_NEIGHBOURS, low, high)[0]

    on_chunks(one, n, threads)
    pairs = np.empty((_each_once(other, np.empty((0, 2), np.int32)), 2), np.int32)
    _each_once(other, pairs)
    return pairs


@njit(cache=True, nogil=True)
def _each_once(other, pairs):
    """Number of pairs of a point and one of its nearest, which also go to `pairs` unless that is empty."""
    many = 0
    for i in range(len(other)):
        for j in other[i]:
            # Of two that are each other's, the lower one has named the pair.
            if j < 0 or (j < i and _among(i, other[j])):
                continue
            if len(pairs):
                pairs[many] = min(i, j), max(i, j)
            many += 1
    return many


@njit(cache=True, nogil=True)
def _among(i, others):
    found = False
    for j in others:
        found |= i == j
    return found


def adjacency(at: Points, pairs: np.ndarray, place: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Neighbour lists of pairs of points, sorted by distance and then by `place`.

    Returns
    -------
    tuple
        (N + 1,) starts, int32 where they fit and else int64, int32 neighbours and float32 lengths in µm.
    """
    n = len(at.x)
    start = np.zeros(n + 1, np.int64)
    start[1:] = np.bincount(pairs[:, 0], minlength=n) + np.bincount(pairs[:, 1], minlength=n)
    np.cumsum(start, out=start)
    if 2 * len(pairs) <= np.iinfo(np.int32).max:
        start = start.astype(np.int32)
    neighbour = np.empty(2 * len(pairs), np.int32)
    length = np.empty(2 * len(pairs), np.float32)
    _fill(at, pairs, place, start, neighbour, length)
    return start, neighbour, length


@njit(cache=True, nogil=True)
def _fill(at, pairs, place, start, neighbour, length):
    free = start[:-1].copy()
    for e in range(len(pairs)):
        for side in range(2):
            i, j = pairs[e, side], pairs[e, 1 - side]
            d, slot = apart(at, i, j), free[i]
            while slot > start[i] and (
                length[slot - 1] > d or (length[slot - 1] == d and place[neighbour[slot - 1]] > place[j])
            ):
                length[slot], neighbour[slot] = length[slot - 1], neighbour[slot - 1]
                slot -= 1
            length[slot], neighbour[slot] = d, j
            free[i] += 1


def weigh(length: np.ndarray) -> tuple[np.ndarray, float]:
    """Weights (uint8) of edges by their lengths, and the length (µm) from which on an edge is unusually long."""
    if len(length) == 0:
        return np.empty(0, np.uint8), np.inf
    # There are several lengths for every transcript: one copy serves for all that has to be sorted.
    work = length.copy()
    close = max(float(np.quantile(work, _CLOSE, overwrite_input=True)), 1e-12)
    weight = np.empty(len(length), np.uint8)
    for first in range(0, len(length), flat.PIECE):
        part = slice(first, first + flat.PIECE)
        share = close / np.maximum(length[part], np.float32(close))
        weight[part] = np.maximum(np.rint(FULL * share), 1)
    np.log10(np.maximum(work, np.float32(1e-12), out=work), out=work)
    middle = np.median(work, overwrite_input=True)
    work -= middle
    spread = 1.4826 * np.median(np.abs(work, out=work), overwrite_input=True)
    # Where all edges are equally long, none is unusual.
    return weight, float(10 ** (middle + _MADS * spread)) if spread > 1e-6 else np.inf


@njit(cache=True, nogil=True)
def near_degree(start, length, limit):
    """(N,) int16 number of neighbours nearer than `limit`."""
    near = np.empty(len(start) - 1, np.int16)
    for i in range(len(near)):
        many = 0
        for e in range(start[i], start[i + 1]):
            many += length[e] < limit
        near[i] = many
    return near
