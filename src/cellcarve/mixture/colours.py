"""Colours of neighbourhood compositions: alike surroundings, alike colours."""

import warnings

import numpy as np

from cellcarve.mixture.compositions import blend

_SAMPLE = 10_000
_SURE = 0.95
_FEWEST = 50
# Below this many, loading and compiling UMAP takes far longer than all of the rest.
_ENOUGH = 5_000
_NEAR = 5
_LOW, _HIGH = 0.0125, 0.9875


def colours(
    vectors: np.ndarray, confidence: np.ndarray, seed: int, embedding: str
) -> tuple[np.ndarray, bool]:
    """A colour per transcript.

    Parameters
    ----------
    vectors
        (N, d) float32 from `compositions.reduce`.
    confidence
        (N,) float32.
    seed
        Of the run.
    embedding
        "pca", or "umap": it takes a minute.

    Returns
    -------
    tuple
        (N, 3) uint8 RGB, and whether UMAP made the map (else three principal components did).
    """
    index = _sample(vectors, confidence)
    chosen = vectors[index]
    made = _umap(chosen, seed) if embedding == "umap" and len(chosen) >= _ENOUGH else None
    place = _axes(chosen) if made is None else made
    from scipy.spatial import cKDTree

    k = min(_NEAR, len(index))
    spread = np.empty((len(vectors), 3))
    tree = cKDTree(vectors[index])
    for low in range(0, len(vectors), 1 << 17):
        distance, found = tree.query(vectors[low : low + (1 << 17)], k=k)
        shape = (len(distance), k)
        blend(found.reshape(shape), distance.reshape(shape), place, spread[low : low + len(distance)])
    return _rgb(spread), made is not None


def _sample(vectors: np.ndarray, confidence: np.ndarray) -> np.ndarray:
    """Indices spread evenly over the sum of the first two numbers; sure transcripts, or the surest where few are."""
    sure = np.flatnonzero(confidence >= _SURE)
    if len(sure) < min(_FEWEST, len(vectors)):
        sure = np.argsort(-confidence, kind="stable")[: max(_FEWEST, len(vectors) // 10)]
    order = sure[np.argsort(vectors[sure, :2].sum(1), kind="stable")]
    return order[np.unique(np.linspace(0, len(order) - 1, min(_SAMPLE, len(order))).astype(np.int64))]


def _umap(vectors: np.ndarray, seed: int) -> np.ndarray | None:
    """(S, 3) map of the sample; None where UMAP is not installed."""
    try:
        with warnings.catch_warnings():
            # It warns of one thread because of the seed, of its own compiler, and of what is no concern of users.
            warnings.simplefilter("ignore")
            from umap import UMAP

            shape = UMAP(
                n_components=3,
                n_neighbors=15,
                spread=2.0,
                min_dist=0.1,
                n_epochs=300,
                random_state=seed,
                n_jobs=1,
            )
            return np.asarray(shape.fit_transform(vectors), np.float64)
    except ImportError:
        return None


def _axes(vectors: np.ndarray) -> np.ndarray:
    """(S, 3) principal components of the sample."""
    centred = vectors.astype(np.float64) - vectors.mean(0)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    out = np.zeros((len(vectors), 3))
    axes = axes[:3] * np.sign(axes[:3].sum(1) + 1e-12)[:, None]
    out[:, : len(axes)] = centred @ axes.T
    return out


def _rgb(place: np.ndarray) -> np.ndarray:
    """(N, 3) uint8 of places in a map of three dimensions, by way of CIELAB."""
    value = np.maximum(place - np.quantile(place, _LOW, axis=0), 0)
    value = np.minimum(value / max(float(np.quantile(value, _HIGH)), 1e-12), 1)
    lightness, a, b = 10 + 80 * value[:, 0], 200 * (value[:, 1] - 0.5), 200 * (value[:, 2] - 0.5)
    return _srgb(lightness, a, b)


def _srgb(lightness: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """CIELAB (D65) to sRGB (IEC 61966-2-1), out-of-gamut values clipped."""
    fy = (lightness + 16) / 116
    f = np.column_stack([fy + a / 500, fy, fy - b / 200])
    xyz = np.where(f > 6 / 29, f**3, 3 * (6 / 29) ** 2 * (f - 4 / 29)) * np.array([0.95047, 1.0, 1.08883])
    linear = xyz @ np.array(
        [[3.2406, -0.9689, 0.0557], [-1.5372, 1.8758, -0.2040], [-0.4986, 0.0415, 1.0570]]
    )
    linear = np.clip(linear, 0, 1)
    value = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.rint(255 * value).astype(np.uint8)
