"""Genes in the plane, those that lie beside each other in the tissue close together."""

import warnings

import numpy as np
from scipy.sparse import csr_matrix

_HIGH, _LOW = 0.99, 0.001
_ROUNDS = 5000
_NEIGHBOURS = 15


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
    """Places of genes in the plane: by UMAP where it is installed, else by classical scaling.

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
    number = len(distance)
    if number > _NEIGHBOURS:
        try:
            return _umap(distance, seed)
        except ImportError:
            pass
    return _scaled(distance)


def _umap(distance: np.ndarray, seed: int) -> np.ndarray:
    with warnings.catch_warnings():
        # It warns that distances given as such have no inverse, and the like: nothing a user could act on.
        warnings.simplefilter("ignore")
        from umap import UMAP

        near = max(min(_NEIGHBOURS, len(distance) // 2), 2)
        made = UMAP(
            n_components=2,
            n_neighbors=near,
            metric="precomputed",
            spread=1.0,
            min_dist=0.1,
            n_epochs=_ROUNDS,
            random_state=seed,
            n_jobs=1,
        )
        return np.asarray(made.fit_transform(distance), np.float64)


def _scaled(distance: np.ndarray) -> np.ndarray:
    """Two leading axes of classical multidimensional scaling."""
    place = np.zeros((len(distance), 2))
    square = distance**2
    centred = -0.5 * (square - square.mean(0) - square.mean(1)[:, None] + square.mean())
    size, axes = np.linalg.eigh(centred)
    kept = min(2, len(size))
    place[:, :kept] = axes[:, ::-1][:, :kept] * np.sqrt(np.maximum(size[::-1][:kept], 0))
    return place
