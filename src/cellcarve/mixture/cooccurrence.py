"""Which genes lie beside each other, and independent components of that: where molecule clusters start from."""

import numpy as np
from numba import njit
from scipy.sparse import csr_matrix

from cellcarve.data import flat
from cellcarve.mixture.graph import FULL, Graph

_SURE = 0.95
_ROUNDS = 10_000
_STILL = 1e-4
_FLAT = 0.05
# Transcripts that suffice to see which genes lie together.
_SAMPLE = 1_000_000
# Of them, and of pairs of genes, those that are looked at at once.
_PIECE = 1 << 16


@njit(cache=True, nogil=True)
def _pairs(graph, sure, low, high, step):
    """Neighbours (i, j) and weights of every `step`-th transcript from `low` on where both are sure."""
    total = 0
    for i in range(low, high, step):
        total += graph.start[i + 1] - graph.start[i] if sure[i] else 0
    a, b, w = np.empty(total, np.int32), np.empty(total, np.int32), np.empty(total, np.int64)
    many = 0
    for i in range(low, high, step):
        if not sure[i]:
            continue
        for e in range(graph.start[i], graph.start[i + 1]):
            if sure[graph.neighbour[e]]:
                a[many], b[many], w[many] = i, graph.neighbour[e], graph.weight[e]
                many += 1
    return a[:many], b[:many], w[:many]


def cooccurrence(gene: np.ndarray, genes: int, graph: Graph, confidence: np.ndarray) -> csr_matrix:
    """(G, G) float64 weight with which genes are neighbours, over the root of what each has in all."""
    sure, step = confidence >= _SURE, max(1, len(gene) // _SAMPLE)
    # Whole numbers add up to the same sums whatever the pieces.
    together = csr_matrix((genes, genes), dtype=np.int64)
    for low in range(0, len(gene), _PIECE * step):
        a, b, w = _pairs(graph, sure, low, min(low + _PIECE * step, len(gene)), step)
        together = together + csr_matrix((w, (gene[a], gene[b])), shape=(genes, genes))
        flat.relax()
    shares = together / FULL
    del together
    total = np.asarray(shares.sum(1)).ravel() + np.asarray(shares.sum(0)).ravel()
    # With many genes there are more pairs than all else here holds: their sizes are not held at once.
    for first in range(0, shares.nnz, _PIECE):
        part = slice(first, min(first + _PIECE, shares.nnz))
        row = np.searchsorted(shares.indptr, np.arange(part.start, part.stop), side="right") - 1
        shares.data[part] /= np.maximum(np.sqrt(total[row] * total[shares.indices[part]]), 0.1)
    return shares


def first_profiles(
    together: csr_matrix, share: np.ndarray, clusters: int, generator: np.random.Generator
) -> tuple[np.ndarray, bool]:
    """Start of the clusters' profiles.

    Parameters
    ----------
    together
        (G, G) from `cooccurrence`.
    share
        (G,) share of each gene among all transcripts.
    clusters
        K.
    generator
        For starting points.

    Returns
    -------
    tuple
        (K, G) float64 profiles, and whether independent components were found: else they are the tissue's profile,
        a little disturbed.
    """
    weights = _independent(together, clusters, generator)
    if weights is None:
        noisy = share * (1 + _FLAT * (2 * generator.random((clusters, len(share))) - 1))
        return noisy / noisy.sum(1, keepdims=True), False
    size = np.abs(weights)
    return size / np.maximum(size.sum(1, keepdims=True), 1e-300), True


def _independent(together: csr_matrix, many: int, generator: np.random.Generator) -> np.ndarray | None:
    """(K, G) unmixing weights by FastICA (Hyvärinen 1999) on the K leading directions; None without convergence."""
    found = _whitened(together, many, generator)
    if found is None:
        return None
    white, directions = found
    turn = _decorrelated(generator.standard_normal((many, many)))
    for _ in range(_ROUNDS):
        value = np.tanh(turn @ white)
        fresh = value @ white.T / white.shape[1] - (1 - value**2).mean(1)[:, None] * turn
        fresh = _decorrelated(fresh)
        moved = np.max(np.abs(np.abs(np.sum(fresh * turn, axis=1)) - 1))
        turn = fresh
        if moved < _STILL:
            return turn @ directions
    return None


def _whitened(
    together: csr_matrix, many: int, generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray] | None:
    """(K, G) whitened data and the (K, G) directions that whiten; None where there are too few genes."""
    from scipy.sparse.linalg import LinearOperator, svds

    genes = together.shape[0]
    mean = np.asarray(together.mean(1)).ravel()
    if together.nnz == 0 or genes <= many + 1:
        return None
    centred = LinearOperator(
        together.shape,
        matvec=lambda v: together @ np.ravel(v) - mean * np.sum(v),
        rmatvec=lambda v: together.T @ np.ravel(v) - np.sum(mean * np.ravel(v)),
        dtype=np.float64,
    )
    left, size, _ = svds(centred, k=many, v0=generator.standard_normal(genes))
    if size.min() <= 1e-9 * size.max():
        return None
    sign = np.sign(left[np.abs(left).argmax(0), np.arange(many)])
    directions = (left * sign / size).T * np.sqrt(genes)
    white = directions @ together - np.outer(directions @ mean, np.ones(genes))
    return np.asarray(white), directions


def _decorrelated(rows: np.ndarray) -> np.ndarray:
    """The nearest matrix with orthonormal rows."""
    left, _, right = np.linalg.svd(rows)
    return left @ right
