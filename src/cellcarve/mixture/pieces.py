"""Connected pieces of components: a cell keeps its largest, the others go to what surrounds them."""

import numpy as np
from numba import njit

from cellcarve.mixture.graph import FULL
from cellcarve.mixture.state import State


@njit(cache=True, nogil=True)
def _root(parent, i):
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


@njit(cache=True, nogil=True)
def connect(label, graph):
    """(N,) int32 lowest index of each transcript's piece: neighbours of one label are in one piece."""
    parent = np.arange(len(label), dtype=np.int32)
    for i in range(len(label)):
        if label[i] == 0:
            continue
        for e in range(graph.start[i], graph.start[i] + graph.near[i]):
            j = graph.neighbour[e]
            if j < i and label[j] == label[i] and graph.weight[e] > 0:
                a, b = _root(parent, i), _root(parent, j)
                parent[max(a, b)] = min(a, b)
    for i in range(len(label)):
        parent[i] = _root(parent, i)
    return parent


@njit(cache=True, nogil=True)
def largest(label, piece, held, owners):
    """(C,) int32 piece that each component keeps: the one with most held transcripts, then the largest, then the first.

    `held` is (N,) bool, transcripts that a prior fastens to their component.
    """
    size = np.zeros(len(label), np.int32)
    fast = np.zeros(len(label), np.int32)
    for i in range(len(label)):
        size[piece[i]] += 1
        fast[piece[i]] += held[i]
    best = np.full(owners, -1, np.int32)
    for i in range(len(label)):
        k = label[i]
        if k == 0 or piece[i] != i:
            continue
        b = best[k]
        if b < 0 or fast[i] > fast[b] or (fast[i] == fast[b] and size[i] > size[b]):
            best[k] = i
    return best


@njit(cache=True, nogil=True)
def _loose(label, piece, best, held):
    """Transcripts of pieces that their component does not keep."""
    who = np.empty(len(label), np.int32)
    many = 0
    for i in range(len(label)):
        if label[i] > 0 and best[label[i]] != piece[i] and not held[i]:
            who[many] = i
            many += 1
    return who[:many]


@njit(cache=True, nogil=True)
def _border(who, label, piece, graph):
    """Edges from loose pieces to other components: piece, component and weight of each."""
    total = 0
    for i in who:
        total += graph.near[i]
    part, to, weight = np.empty(total, np.int32), np.empty(total, np.int32), np.empty(total, np.float64)
    many = 0
    for i in who:
        for e in range(graph.start[i], graph.start[i] + graph.near[i]):
            k = label[graph.neighbour[e]]
            if k != label[i] and k > 0:
                part[many], to[many], weight[many] = piece[i], k, graph.weight[e] / FULL
                many += 1
    return part[:many], to[:many], weight[:many]


def loose_pieces(state: State, held: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where the transcripts of loose pieces go.

    Parameters
    ----------
    state
        The chain.
    held
        (N,) bool, transcripts that stay with their component however far away.

    Returns
    -------
    tuple
        (M,) int32 transcripts and (M,) int32 components: under classic rules noise, else the component that
        touches the piece most, or noise where none does.
    """
    label, graph = state.scene.label, state.graph
    piece = connect(label, graph)
    best = largest(label, piece, held, len(state.cells.n))
    who = _loose(label, piece, best, held)
    if state.rules.classic or len(who) == 0:
        return who, np.zeros(len(who), np.int32)
    part, to, weight = _border(who, label, piece, graph)
    goal = np.zeros(len(label), np.int32)
    if len(part):
        key, inverse = np.unique(part.astype(np.int64) << 32 | to, return_inverse=True)
        total = np.bincount(inverse, weight)
        order = np.lexsort((total, key >> 32))
        # The last of each piece's pairs has the largest weight.
        goal[key[order] >> 32] = key[order] & 0xFFFFFFFF
    return who, goal[piece[who]]
