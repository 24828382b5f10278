"""Which transcripts are noise, by how far their neighbours are: a mixture of two normals with a neighbourhood term."""

import math

import numpy as np
from numba import njit

from cellcarve.mixture.graph import FULL, Graph
from cellcarve.mixture.molecules import on_chunks
from cellcarve.mixture.result import NoiseFit

_ROUNDS = 10_000
_STILL = 0.005
# The six numbers that are fitted do not gain from more transcripts than these.
_SAMPLE = 2_000_000
# Noise is less than a third as dense as cells are; what is denser is the thinner part of tissue.
_APART = 3**0.5


def confidence(
    distance: np.ndarray, graph: Graph, least: np.ndarray, neighbour: int, monotone: bool
) -> tuple[np.ndarray, NoiseFit]:
    """Probability of each transcript not to be noise.

    Parameters
    ----------
    distance
        (N,) float32 distance to a near neighbour, µm.
    graph
        Of the N transcripts; all neighbours count.
    least
        (N,) float32 lower bound of each probability, where a prior knows of a cell; or (0,) where nothing is known.
    neighbour
        Which neighbour the distances are to.
    monotone
        Nearer than usual is never noise.

    Returns
    -------
    tuple
        (N,) float32 confidences, and the fit.
    """
    n = len(distance)
    if n < 10 or distance.min() == distance.max():
        fit = NoiseFit(neighbour, distance, (0.0, 0.0), (0.0, 0.0), (float(n), 0.0), np.inf, 0)
        return np.ones(n, np.float32), fit
    fit = _fit(distance[:_SAMPLE], graph, least[:_SAMPLE], neighbour, _APART if monotone else 0.0)
    fit.distance = distance
    return _believed(fit, distance, least, monotone), fit


def _fit(distance: np.ndarray, graph: Graph, least: np.ndarray, neighbour: int, apart: float) -> NoiseFit:
    low, high = np.quantile(distance, [0.1, 0.9])
    s = max(float(high - low) / 4, 1e-6 * float(high), 1e-12)
    normals = np.array([low, s, high, s], np.float64)
    cut = float(high + 3 * s)
    p = np.zeros(len(distance), np.float32)
    _first(distance, normals, cut, p)
    rounds, still = 0, False
    while rounds < _ROUNDS and not still:
        rounds += 1
        inside = float(p.sum(dtype=np.float64))
        weights = (max(inside, 1e-9), max(len(p) - inside, 1e-9))
        _sweep(distance, graph, normals, weights, cut, least, p)
        fresh = _normals(distance, p, s)
        fresh[2] = max(fresh[2], apart * fresh[0])
        change = np.abs(fresh - normals) / np.maximum(np.abs(normals), 1e-12)
        normals = fresh
        still = bool(change.max() < _STILL)
    m = normals if normals[0] <= normals[2] else normals[[2, 3, 0, 1]]
    inside = float(p.sum(dtype=np.float64))
    mean, std = (float(m[0]), float(m[2])), (float(m[1]), float(m[3]))
    return NoiseFit(neighbour, distance, mean, std, (inside, len(p) - inside), cut, rounds)


def _normals(distance: np.ndarray, p: np.ndarray, s: float) -> np.ndarray:
    """Weighted means and deviations of the two kinds: (mean, std, mean, std)."""
    out = np.empty(4)
    for kind, weight in enumerate((p.astype(np.float64), 1.0 - p)):
        total = max(float(weight.sum()), 1e-12)
        mean = float(weight @ distance) / total
        out[2 * kind] = mean
        out[2 * kind + 1] = max(math.sqrt(float(weight @ (distance - mean) ** 2) / total), 1e-3 * s)
    return out


@njit(cache=True, nogil=True)
def _normal(e, mean, std):
    u = (e - mean) / std
    return math.exp(-0.5 * u * u) / std


@njit(cache=True, nogil=True)
def _first(distance, normals, cut, p):
    for i in range(len(p)):
        a, b = _normal(distance[i], normals[0], normals[1]), _normal(distance[i], normals[2], normals[3])
        p[i] = a / max(a + b, 1e-300) if distance[i] <= cut else 0.0


@njit(cache=True, nogil=True)
def _sweep(distance, graph, normals, weights, cut, least, p):
    """One pass in place: each probability given those of its neighbours."""
    for i in range(len(p)):
        if distance[i] > cut:
            continue
        inside, outside = 0.0, 0.0
        for e in range(graph.start[i], graph.start[i + 1]):
            j = graph.neighbour[e]
            if j < len(p):
                w = graph.weight[e] / FULL
                inside += w * p[j]
                outside += w * (1 - p[j])
        a = weights[0] * math.exp(inside) * _normal(distance[i], normals[0], normals[1])
        b = weights[1] * math.exp(outside) * _normal(distance[i], normals[2], normals[3])
        value = a / max(a + b, 1e-20)
        if len(least):
            value = least[i] + value * (1 - least[i])
        p[i] = value


def _believed(fit: NoiseFit, distance: np.ndarray, least: np.ndarray, monotone: bool) -> np.ndarray:
    e = np.maximum(distance, np.float32(fit.mean[0])) if monotone else distance
    out = np.empty(len(e), np.float32)

    def one(low: int, high: int) -> None:
        part = e[low:high].astype(np.float64)
        a = np.exp(-0.5 * ((part - fit.mean[0]) / fit.std[0]) ** 2) * fit.weight[0] / fit.std[0]
        b = np.exp(-0.5 * ((part - fit.mean[1]) / fit.std[1]) ** 2) * fit.weight[1] / fit.std[1]
        value = np.where(part > fit.cut, 0.0, a / np.maximum(a + b, 1e-300))
        if monotone and fit.std[0] > fit.std[1]:
            # Beyond the mean of noise the wider normal would win again.
            value = np.where(part > fit.mean[1], np.minimum(value, 0.5), value)
        if len(least):
            value = least[low:high] + value * (1 - least[low:high])
        out[low:high] = value

    on_chunks(one, len(e), 1)
    return out
