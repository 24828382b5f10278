"""Join neighbouring components that are better explained as one cell."""

import numpy as np
from numba import njit

from cellcarve.mixture.evidence import gains, margins
from cellcarve.mixture.state import State

# Neighbours across a border that two components share at least to be thought of as one cell.
_CONTACTS = 3
# Largest cells, in standard deviations above the usual size: in even tissue places do not tell two cells from one, while
# what lies apart from all others may well be a large one.
_LARGEST, _LARGEST_ALONE = 1.5, 2.5
# Edges between two components over those with all others from which on the two lie apart from the others.
_AMONG = 0.5
# Margins, in nats per transcript, beyond which two cells are not told better or worse from one.
BLURRED, CLEAR = 0.1, 2.0


@njit(cache=True, nogil=True)
def _contacts(label, graph, owners):
    """Keys (lower component * owners + higher) of all edges between components."""
    total = 0
    for i in range(len(label)):
        total += graph.near[i]
    key = np.empty(total, np.int64)
    many = 0
    for i in range(len(label)):
        for e in range(graph.start[i], graph.start[i] + graph.near[i]):
            j = graph.neighbour[e]
            a, b = label[i], label[j]
            if j > i and a != b and a > 0 and b > 0 and graph.weight[e] > 0:
                key[many] = np.int64(min(a, b)) * owners + max(a, b)
                many += 1
    return key[:many]


def touching(state: State) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of components that share enough edges.

    Returns
    -------
    tuple
        (P, 2) int64 pairs, and (P,) bool: they share at least half as many edges as they have with all others together.
    """
    owners = len(state.cells.n)
    key, count = np.unique(_contacts(state.scene.label, state.graph, owners), return_counts=True)
    pair = np.column_stack([key // owners, key % owners])
    total = np.bincount(pair.ravel(), np.repeat(count, 2), owners)
    among = count >= _AMONG * (total[pair].sum(1) - 2 * count)
    enough = count >= _CONTACTS
    return pair[enough], among[enough]


@njit(cache=True, nogil=True)
def _members(label, into):
    """Transcripts whose component goes into another one."""
    who = np.empty(len(label), np.int32)
    many = 0
    for i in range(len(label)):
        if into[label[i]] != label[i]:
            who[many] = i
            many += 1
    return who[:many]


def joins(state: State, least: float) -> tuple[np.ndarray, np.ndarray, int]:
    """Components that are each other's best partner and gain by being one.

    Parameters
    ----------
    state
        The chain.
    least
        Log evidence that must be gained.

    Returns
    -------
    tuple
        (M,) int32 transcripts that move, (M,) int32 where to, and how many components end. Anchors stay.
    """
    pairs, among = touching(state)
    cells = state.cells
    free = (cells.anchor[pairs[:, 0]] == 0) | (cells.anchor[pairs[:, 1]] == 0)
    pairs, largest = pairs[free], np.where(among[free], _LARGEST_ALONE, _LARGEST)
    gain = gains(pairs, largest, cells, state.counts.genes, state.profile, state.rules)
    pairs, gain = pairs[gain > least], gain[gain > least]
    chosen = _mutual(pairs, gain, len(cells.n))
    # The anchored or larger one stays, the lower number of two alike.
    first, second = chosen[:, 0], chosen[:, 1]
    stay = np.where(
        (cells.anchor[second] > 0) | ((cells.anchor[first] == 0) & (cells.n[second] > cells.n[first])),
        second,
        first,
    )
    go = first + second - stay
    into = np.arange(len(cells.n), dtype=np.int32)
    into[go] = stay
    who = _members(state.scene.label, into)
    return who, into[state.scene.label[who]], len(go)


def distinctness(state: State) -> float:
    """How well cells are told from their neighbours, in nats per transcript.

    It is the mean over transcripts in cells of the margin by which their cell and the neighbour that it could best be
    one with are better explained as two, their usual size left out.

    Returns
    -------
    float
        From the lower to the upper of `BLURRED` and `CLEAR`, between which each margin is held.
    """
    cells = state.cells
    pairs, _ = touching(state)
    margin = margins(pairs, cells, state.counts.genes, state.profile, state.rules)
    least = np.full(len(cells.n), CLEAR)
    for side in range(2):
        np.minimum.at(least, pairs[:, side], margin)
    inside = cells.n[1:]
    return float(np.average(np.clip(least[1:], BLURRED, CLEAR), weights=inside)) if inside.any() else CLEAR


def _mutual(pairs: np.ndarray, gain: np.ndarray, owners: int) -> np.ndarray:
    """The pairs of which both sides have no better one."""
    best = np.full(owners, -np.inf)
    for side in range(2):
        np.maximum.at(best, pairs[:, side], gain)
    return pairs[(gain >= best[pairs[:, 0]]) & (gain >= best[pairs[:, 1]])]
