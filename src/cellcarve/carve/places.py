"""Places that several tiles see: in the strip that both look at, neighbours find the same ones."""

import numpy as np
from scipy.spatial import cKDTree


def same_places(places: list[np.ndarray], apart: float) -> tuple[np.ndarray, list[np.ndarray]]:
    """Places (n, 2) of all tiles together, and for each tile the number of each of its own among them.

    Parameters
    ----------
    places
        (S, 2) float64 of each tile, µm.
    apart
        Places that lie no farther apart than this (µm) are one.
    """
    place = np.concatenate(places) if places else np.empty((0, 2))
    split = np.cumsum([len(own) for own in places])[:-1]
    if len(place) == 0:
        return place, [np.empty(0, np.int64) for _ in places]
    order = np.lexsort((place[:, 0], place[:, 1]))
    group = np.arange(len(place))
    pairs = cKDTree(place[order]).query_pairs(apart, output_type="ndarray")
    if len(pairs):
        low, high = np.sort(pairs, axis=1).T
        # Three tiles or four may see a place: two passes carry the lowest number to all of them.
        for _ in range(2):
            np.minimum.at(group, high, group[low])
            np.minimum.at(group, low, group[high])
    kept, compact = np.unique(group, return_inverse=True)
    number = np.empty(len(place), np.int64)
    number[order] = compact
    return place[order][kept], np.split(number, split)
