"""Nucleus, cytoplasm or neither: the part of the cell in which each transcript lies, from genes known to stay in one."""

import math

import numpy as np
from numba import njit

from cellcarve.errors import SettingsError, nearest
from cellcarve.mixture.graph import FULL, Graph
from cellcarve.mixture.molecules import Molecules, Points, select
from cellcarve.mixture.near import nearest_of
from cellcarve.mixture.result import Convergence

_MOST_ROUNDS = 500
_PATIENCE = 20
_STILL = 0.01
_LOCKED, _OUTSIDE = 0.99, 0.01
_NUCLEAR, _CUT = 0.25, 0.01


def gene_codes(words: tuple[str, ...], genes: list[str], name: str) -> np.ndarray:
    """Codes of the named genes, ascending; those that the data lack are left out.

    Raises
    ------
    SettingsError
        None of them is in the data.
    """
    code = {gene: i for i, gene in enumerate(genes)}
    found = sorted(code[word] for word in set(words) if word in code)
    if not found:
        raise SettingsError(f"none of {name} ({', '.join(words)}) is in the data{nearest(words[0], genes)}")
    return np.array(found, np.int32)


def compartments(
    molecules: Molecules,
    graph: Graph,
    confidence: np.ndarray,
    markers: tuple[np.ndarray, np.ndarray],
    scale: float,
) -> tuple[np.ndarray, Convergence]:
    """Beliefs about the compartment of every transcript.

    Parameters
    ----------
    molecules, graph, confidence
        N transcripts, their neighbours (all count) and confidences.
    markers
        Codes of the genes of nuclei and of cytoplasm.
    scale
        Radius of cells, µm.

    Returns
    -------
    tuple
        (N, 3) float64 probabilities of nucleus, cytoplasm and neither, and the course.
    """
    marked = [np.isin(molecules.gene, codes) for codes in markers]
    inside = _inside(molecules.at, marked, scale)
    belief = np.zeros((len(molecules), 3))
    belief[:, :2] = 0.5
    for kind, flags in enumerate(marked):
        belief[flags] = 0
        belief[flags, kind] = 1
    belief[:, :2] *= inside[:, None]
    belief[:, 2] = 1 - inside
    locked = ((marked[0] | marked[1]) & (inside > _LOCKED)) | (inside < _OUTSIDE)
    course = []
    for _ in range(_MOST_ROUNDS):
        course.append(_sweep(graph, confidence, locked, belief))
        latest = course[-_PATIENCE:]
        if len(latest) == _PATIENCE and max(change for change, _ in latest) < _STILL:
            break
    trace = np.array(course).reshape(-1, 2)
    return belief, Convergence(trace[:, 0], trace[:, 1] / max(len(molecules), 1))


def _inside(at: Points, marked: list[np.ndarray], scale: float) -> np.ndarray:
    """1 up to one scale from the second nearest marker of both compartments, 0 beyond three."""
    away = np.zeros(len(at.x))
    for flags in marked:
        index = np.flatnonzero(flags)
        if len(index) < 2:
            away[:] = np.inf
            continue
        # A marker finds itself first, at distance 0.
        _, distance = nearest_of(select(at, index), at, 2)
        away = np.maximum(away, distance[:, 1])
    return 1 - np.clip((away / scale - 1) / 2, 0, 1)


@njit(cache=True, nogil=True)
def _sweep(graph, confidence, locked, belief):
    """One pass in place; the largest weighted change, and how many changed their likeliest compartment."""
    largest, moved = 0.0, 0
    field = np.empty(3)
    for i in range(len(belief)):
        if locked[i]:
            continue
        field[:] = 0
        for e in range(graph.start[i], graph.start[i + 1]):
            j = graph.neighbour[e]
            w = graph.weight[e] / FULL * confidence[j]
            for r in range(3):
                field[r] += w * belief[j, r]
        top = max(field[0], field[1], field[2])
        total, before = 0.0, belief[i].argmax()
        for r in range(3):
            field[r] = math.exp(field[r] - top)
            total += field[r]
        for r in range(3):
            value = field[r] / total
            largest = max(largest, confidence[i] * abs(value - belief[i, r]))
            belief[i, r] = value
        moved += before != belief[i].argmax()
    return largest, moved


@njit(cache=True, nogil=True)
def _weaken(graph, belief, weight):
    for i in range(len(belief)):
        if belief[i, 0] <= _NUCLEAR:
            continue
        for e in range(graph.start[i], graph.start[i + 1]):
            factor = 1 - belief[graph.neighbour[e], 1] * belief[i, 0]
            value = weight[e] * factor
            weight[e] = 0 if value <= _CUT * FULL else np.uint8(value + 0.5)


def weakened(graph: Graph, belief: np.ndarray) -> Graph:
    """The graph in which a nucleus holds less to cytoplasm beside it: another cell's, as likely as not."""
    weight = graph.weight.copy()
    _weaken(graph, belief, weight)
    return graph._replace(weight=weight)


def confidences(label: np.ndarray, nuclear: np.ndarray, owners: int) -> np.ndarray:
    """(C,) float64, 0.9-quantile of the chances to lie in a nucleus of each component's transcripts; 1 for small ones."""
    order = np.lexsort((nuclear, label))
    count = np.bincount(label, minlength=owners)
    first = np.cumsum(count) - count
    out = np.ones(owners)
    large = np.flatnonzero(count > 1)
    at = first[large] + 0.9 * (count[large] - 1)
    low = np.floor(at).astype(np.int64)
    value = nuclear[order]
    step = at - low
    out[large] = value[low] * (1 - step) + value[np.minimum(low + 1, len(value) - 1)] * step
    return out
