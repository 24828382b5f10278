"""Join neighbouring components that are better explained as one cell."""

import numpy as np
from numba import njit

from cellcarve.mixture.evidence import gains
from cellcarve.mixture.state import State

# Neighbours across a border that two components share at least to be thought of as one cell.
_CONTACTS = 3


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


def touching(state: State) -> np.ndarray:
    """(P, 2) int64 pairs of components that share enough edges."""
    owners = len(state.cells.n)
    key, count = np.unique(_contacts(state.scene.label, state.graph, owners), return_counts=True)
    key = key[count >= _CONTACTS]
    return np.column_stack([key // owners, key % owners])


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
    pairs = touching(state)
    cells = state.cells
    pairs = pairs[(cells.anchor[pairs[:, 0]] == 0) | (cells.anchor[pairs[:, 1]] == 0)]
    gain = gains(pairs, cells, state.counts.genes, state.profile, state.rules)
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


def _mutual(pairs: np.ndarray, gain: np.ndarray, owners: int) -> np.ndarray:
    """The pairs of which both sides have no better one."""
    best = np.full(owners, -np.inf)
    for side in range(2):
        np.maximum.at(best, pairs[:, side], gain)
    return pairs[(gain >= best[pairs[:, 0]]) & (gain >= best[pairs[:, 1]])]
