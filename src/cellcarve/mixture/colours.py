"""Colours of neighbourhood compositions: alike surroundings, alike colours."""

from typing import TYPE_CHECKING

import numpy as np

from cellcarve.mixture.compositions import blend
from cellcarve.mixture.layout import curve, lay_out, neighbour_weights
from cellcarve.mixture.molecules import on_chunks

if TYPE_CHECKING:
    from scipy.spatial import cKDTree

# More points or rounds tell types of simulated tissues apart no better.
_SAMPLE = 5_000
_ROUNDS = 100
_SURE = 0.95
_FEWEST = 50
# Principal directions of the vectors that hold what tells types apart; neighbours are found several times sooner in them.
_DIMS = 8
_LAID_BY, _NEAR = 15, 5
# Neighbours in the sample may be this much further than the nearest, relatively: half the time, and no other colours.
_LAX = 1.0
_AT_ONCE = 1 << 15
# The curve of the layout: wide, so that types fill the space of colours.
_SPREAD, _TOUCH = 2.0, 0.1
_LOW, _HIGH = 0.0125, 0.9875
# Extent of the colour axes of CIELAB in use; with 200 twice as many colours lie beyond what screens show.
_VIVID = 140


def colours(vectors: np.ndarray, confidence: np.ndarray, seed: int, threads: int) -> np.ndarray:
    """A colour per transcript: a layout of some of them in three dimensions, in which the others lie between their likes.

    Parameters
    ----------
    vectors
        (N, d) float32 from `compositions.reduce`.
    confidence
        (N,) float32.
    seed
        Of the run.
    threads
        How many, 0 = all; colours do not depend on it.

    Returns
    -------
    numpy.ndarray
        (N, 3) uint8 RGB.
    """
    from scipy.spatial import cKDTree

    index = _sample(vectors, confidence)
    vectors = _turned(vectors, index)
    chosen = vectors[index]
    tree = cKDTree(chosen)
    place = _layout(tree, chosen, seed)
    spread = np.empty((len(vectors), 3))

    def one(low: int, high: int) -> None:
        k = min(_NEAR, len(index))
        distance, found = (part.reshape(-1, k) for part in tree.query(vectors[low:high], k=k, eps=_LAX))
        blend(found, distance, place, spread[low:high])

    on_chunks(one, len(vectors), threads, _AT_ONCE)
    return _rgb(spread)


def _sample(vectors: np.ndarray, confidence: np.ndarray) -> np.ndarray:
    """Indices spread evenly over the sum of the first two numbers; sure transcripts, or the surest where few are."""
    sure = np.flatnonzero(confidence >= _SURE)
    if len(sure) < min(_FEWEST, len(vectors)):
        sure = np.argsort(-confidence, kind="stable")[: max(_FEWEST, len(vectors) // 10)]
    order = sure[np.argsort(vectors[sure, :2].sum(1), kind="stable")]
    return order[np.unique(np.linspace(0, len(order) - 1, min(_SAMPLE, len(order))).astype(np.int64))]


def _turned(vectors: np.ndarray, index: np.ndarray) -> np.ndarray:
    """(N, up to 8) float32 along the principal directions of a sample."""
    middle = vectors[index].mean(0)
    _, _, axes = np.linalg.svd(vectors[index].astype(np.float64) - middle, full_matrices=False)
    axes = axes[:_DIMS] * np.sign(axes[:_DIMS].sum(1) + 1e-12)[:, None]
    return (vectors - middle) @ axes.T.astype(np.float32)


def _layout(tree: "cKDTree", chosen: np.ndarray, seed: int) -> np.ndarray:
    """(S, 3) places of the sample, from its leading directions on."""
    k = min(_LAID_BY, len(chosen) - 1)
    distance, found = (part.reshape(-1, k + 1)[:, 1:] for part in tree.query(chosen, k + 1))
    first = np.zeros((len(chosen), 3))
    first[:, : chosen.shape[1]] = chosen[:, :3]
    weights = neighbour_weights(found.astype(np.int32), np.ascontiguousarray(distance))
    return lay_out(weights, first, curve(_SPREAD, _TOUCH), _ROUNDS, seed)


def _rgb(place: np.ndarray) -> np.ndarray:
    """(N, 3) uint8 of places in a map of three dimensions, by way of CIELAB; each direction is stretched to its own extent."""
    value = np.maximum(place - np.quantile(place, _LOW, axis=0), 0)
    value = np.minimum(value / np.maximum(np.quantile(value, _HIGH, axis=0), 1e-12), 1)
    lightness, a, b = 10 + 80 * value[:, 0], _VIVID * (value[:, 1] - 0.5), _VIVID * (value[:, 2] - 0.5)
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
