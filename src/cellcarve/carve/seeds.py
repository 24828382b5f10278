"""New cells where the prior missed them, with pseudo-nuclei of the transcripts in their middle."""

import math

import numpy as np
from numba import njit
from scipy.spatial import cKDTree

from cellcarve.carve.missed import nearest_nucleus
from cellcarve.carve.model import Model
from cellcarve.carve.recipe import Recipe
from cellcarve.carve.scene import Scene, measure_scene
from cellcarve.data.sorting import rows_of

# A new cell's core reaches this many nuclear radii, and new cells are at least this far apart.
_CORE, _APART = 0.8, 1.3


def add_cells(
    scene: Scene, model: Model, recipe: Recipe, first: int, weighed: tuple[np.ndarray, np.ndarray]
) -> np.ndarray:
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
    place, odds = weighed
    odds = odds + model.missing
    good = odds > recipe.seed_odds
    place = _best_around(place[good], odds[good], _APART * radius)
    if len(place) == 0:
        return place
    order, start = rows_of(scene.pixel, len(scene.lattice))
    nearest = nearest_nucleus(scene, model)
    free = (scene.core == 0) & (nearest > 1.2)
    lattice = np.array([scene.lattice.x0, scene.lattice.y0, scene.lattice.pixel, scene.lattice.nx])
    owner = _claim(place, scene.view.x, scene.view.y, free, order, start, lattice, _CORE * radius)
    place, owner = _drop_poor(place, owner, fewest=4)
    if len(place) == 0:
        return place
    scene.core[owner > 0] = len(scene.cell) + owner[owner > 0] - 1
    scene.cell = np.concatenate([scene.cell, first + np.arange(len(place))])
    scene.radius = np.concatenate([scene.radius, np.full(len(place), radius, np.float32)])
    measure_scene(scene, model.scale, model.geometry, recipe)
    return place


def _best_around(place: np.ndarray, gain: np.ndarray, apart: float) -> np.ndarray:
    """Places whose gain is the largest within `apart` µm."""
    if len(place) < 2:
        return place
    pair = cKDTree(place).query_pairs(apart, output_type="ndarray")
    loser = np.where(gain[pair[:, 0]] < gain[pair[:, 1]], pair[:, 0], pair[:, 1])
    keep = np.ones(len(place), bool)
    keep[loser] = False
    return place[keep]


@njit(cache=True, nogil=True)
def _claim(place, x, y, free, order, start, lattice, radius):
    """Number (from 1) of the nearest place within `radius` of each free transcript, else 0; (V,) int32."""
    owner = np.zeros(len(x), np.int32)
    nearest = np.full(len(x), radius)
    nx = int(lattice[3])
    ny = (len(start) - 1) // nx
    for s in range(len(place)):
        px, py = (place[s, 0] - lattice[0]) / lattice[2], (place[s, 1] - lattice[1]) / lattice[2]
        span = radius / lattice[2] + 1
        for v in range(max(int(py - span), 0), min(int(py + span) + 1, ny)):
            for u in range(max(int(px - span), 0), min(int(px + span) + 1, nx)):
                for i in range(start[v * nx + u], start[v * nx + u + 1]):
                    t = order[i]
                    d = math.sqrt((x[t] - place[s, 0]) ** 2 + (y[t] - place[s, 1]) ** 2)
                    if free[t] and d < nearest[t]:
                        nearest[t] = d
                        owner[t] = s + 1
    return owner


def _drop_poor(place: np.ndarray, owner: np.ndarray, fewest: int) -> tuple[np.ndarray, np.ndarray]:
    """Leave out places with fewer than `fewest` core transcripts, and number the others anew from 1."""
    rich = np.bincount(owner, minlength=len(place) + 1) >= fewest
    rich[0] = False
    number = np.where(rich, np.cumsum(rich), 0).astype(np.int32)
    return place[rich[1:]], number[owner]
