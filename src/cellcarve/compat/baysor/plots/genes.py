"""Genes in the plane, those that lie beside each other in the tissue close together."""

import numpy as np
from scipy.sparse import csr_matrix

from cellcarve.mixture.layout import curve, lay_out, neighbour_weights

_HIGH, _LOW = 0.99, 0.001
# Rounds of the layout: fewer of more genes, so that it takes two to four seconds. Of 340 genes, 500 rounds keep 15 % of
# the ten nearest beside each gene, 1,500 keep 17 %, and the axes that it starts from 5 %.
_FEWEST, _MOST, _MOVES = 100, 1_000, 340_000
_NEIGHBOURS = 15
# What finds the leading axes of the distances of thousands of genes, exactly where they are few.
_WIDE, _TURNS = 8, 10


def gene_distance(together: csr_matrix) -> np.ndarray:
    """(G, G) float64 distances, 0 .. 1, from how much genes lie beside each other.

    Parameters
    ----------
    together
        (G, G) from `cellcarve.mixture.cooccurrence`.
    """
    value = np.asarray(together.todense(), np.float64)
    value = (value + value.T) / 2
    high = float(np.quantile(value, _HIGH)) or float(value.max()) or 1.0
    above = value[value > 0]
    low = float(np.quantile(above, _LOW)) / 5 if len(above) else 0.0
    distance = 1 - np.clip(value, low, high) / high
    np.fill_diagonal(distance, 0)
    return distance


def gene_structure(together: csr_matrix, seed: int) -> np.ndarray:
    """Places of genes in the plane: the nearest near each other, from classical scaling on.

    Parameters
    ----------
    together
        (G, G) from `cellcarve.mixture.cooccurrence`.
    seed
        Of the run.

    Returns
    -------
    numpy.ndarray
        (G, 2) float64.
    """
    distance = gene_distance(together)
    first = _scaled(distance)
    if len(distance) <= _NEIGHBOURS:
        return first
    np.fill_diagonal(distance, np.inf)
    index = np.argsort(distance, axis=1, kind="stable")[:, :_NEIGHBOURS].astype(np.int32)
    weights = neighbour_weights(index, np.take_along_axis(distance, index, axis=1))
    rounds = min(max(_MOVES // len(distance), _FEWEST), _MOST)
    return lay_out(weights, first, curve(1.0, 0.1), rounds, seed)


def _scaled(distance: np.ndarray) -> np.ndarray:
    """(G, 2) along two leading axes of classical multidimensional scaling, by subspace iteration."""
    genes = len(distance)
    square = distance**2
    centred = -0.5 * (square - square.mean(0) - square.mean(1)[:, None] + square.mean())
    base = np.random.Generator(np.random.Philox(key=[0, 0])).standard_normal((genes, min(_WIDE, genes)))
    for _ in range(_TURNS):
        base, _ = np.linalg.qr(centred @ base)
    size, axes = np.linalg.eigh(base.T @ centred @ base)
    place = np.zeros((genes, 2))
    kept = min(2, len(size))
    place[:, :kept] = (base @ axes)[:, ::-1][:, :kept] * np.sqrt(np.maximum(size[::-1][:kept], 0))
    return place
