"""New cells where the prior missed them, with pseudo-nuclei of the transcripts in their middle."""

import numpy as np
from scipy.spatial import cKDTree

from cellcarve.carve.missed import Places, within_reach
from cellcarve.carve.model import Model
from cellcarve.carve.places import same_places
from cellcarve.carve.recipe import Recipe
from cellcarve.carve.scene import Scene, measure_scene

# A new cell's core reaches this many nuclear radii, and new cells are at least this far apart.
_CORE, _APART = 0.8, 1.3
# Those that several tiles find no farther apart than this are one.
_SAME = 0.6
# A new cell of fewer transcripts is none.
FEWEST = 5


def add_cells(scene: Scene, model: Model, recipe: Recipe, first: int, weighed: Places) -> np.ndarray:
    """Add new cells with pseudo-nuclei to a scene, in place.

    Every decision depends on the surroundings alone, so that neighbouring tiles agree.

    Parameters
    ----------
    first
        Number given to the first new cell in ``scene.cell``; the next follow.
    weighed
        What `weigh_places` said of the scene.

    Returns
    -------
    numpy.ndarray
        (S, 2) float64, where the new cells lie, µm.
    """
    radius = model.scale.radius
    odds = weighed.odds + model.missing
    good = odds > recipe.seed_odds
    place = _best_around(weighed.at[good], odds[good], _APART * radius)
    if len(place) == 0:
        return place
    free = (scene.core == 0) & (weighed.nearest > 1.2)
    owner = _claim(scene, place, free, _CORE * radius)
    place, owner = _drop_poor(place, owner, fewest=4)
    if len(place) == 0:
        return place
    scene.core[owner > 0] = len(scene.cell) + owner[owner > 0] - 1
    scene.cell = np.concatenate([scene.cell, first + np.arange(len(place))])
    scene.radius = np.concatenate([scene.radius, np.full(len(place), radius, np.float32)])
    measure_scene(scene, model.scale, model.geometry, recipe)
    return place


def same_cells(places: list[np.ndarray], radius: float) -> tuple[np.ndarray, list[np.ndarray]]:
    """`same_places` of the new cells of all tiles; `radius` is that of the usual nucleus, µm."""
    return same_places(places, _SAME * radius)


def _best_around(place: np.ndarray, gain: np.ndarray, apart: float) -> np.ndarray:
    """Places whose gain is the largest within `apart` µm."""
    if len(place) < 2:
        return place
    pair = cKDTree(place).query_pairs(apart, output_type="ndarray")
    loser = np.where(gain[pair[:, 0]] < gain[pair[:, 1]], pair[:, 0], pair[:, 1])
    keep = np.ones(len(place), bool)
    keep[loser] = False
    return place[keep]


def _claim(scene: Scene, place: np.ndarray, free: np.ndarray, radius: float) -> np.ndarray:
    """Number (from 1) of the nearest place within `radius` of each free transcript, else 0; (V,) int32."""
    who, transcript, away = within_reach(scene, place, radius)
    near = free[transcript] & (away < radius)
    who, transcript, away = who[near], transcript[near], away[near]
    order = np.lexsort((who, away, transcript))
    first = order[np.flatnonzero(np.diff(transcript[order], prepend=-1))]
    owner = np.zeros(len(free), np.int32)
    owner[transcript[first]] = who[first] + 1
    return owner


def _drop_poor(place: np.ndarray, owner: np.ndarray, fewest: int) -> tuple[np.ndarray, np.ndarray]:
    """Leave out places with fewer than `fewest` core transcripts, and number the others anew from 1."""
    rich = np.bincount(owner, minlength=len(place) + 1) >= fewest
    rich[0] = False
    number = np.where(rich, np.cumsum(rich), 0).astype(np.int32)
    return place[rich[1:]], number[owner]
