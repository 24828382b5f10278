"""New cells: places that no known nucleus explains, by how far off they are and by what is expressed there.

A candidate's score is a log odds: a_1 times the log likelihood ratio of its transcripts under the best single type
against the types of the cells around, plus a_2 times their mean scaled distance to the nearest nucleus in units of the
tissue's own upper quartile, minus a constant. The three numbers were fitted by logistic regression on simulated tissue
(``docs/model.md``); expression counts damped, since transcripts of a cell are not independent.
"""

import math

import numpy as np
from numba import njit
from scipy import ndimage
from scipy.spatial import cKDTree

from cellcarve.carve import labels as kernel
from cellcarve.carve.geometry import nuclear_types
from cellcarve.carve.lattice import Lattice
from cellcarve.carve.model import Model
from cellcarve.carve.recipe import Recipe
from cellcarve.carve.scene import Scene, measure_scene, scaled, units
from cellcarve.carve.types import proportions, split_counts
from cellcarve.data.sorting import rows_of

# A new cell's core reaches this many nuclear radii, and its candidates' places are at least this far apart.
_CORE, _APART = 0.8, 1.3
# Share of a transcript's probability that comes from its cell's profile; the rest stands for leaks of any origin.
_CLEAR = 0.8


def add_cells(scene: Scene, model: Model, recipe: Recipe, first: int) -> np.ndarray:
    """Add new cells with pseudo-nuclei to a scene, in place.

    Every decision depends on the surroundings alone, so that neighbouring tiles agree.

    Parameters
    ----------
    first
        Number given to the first new cell in ``scene.cell``; the next follow.

    Returns
    -------
    numpy.ndarray
        (S, 2) float64, where the new cells lie, µm.
    """
    radius = model.scale.radius
    place, odds = weigh_places(scene, model, recipe)
    odds = odds + model.missing
    good = odds > recipe.seed_odds
    place = _best_around(place[good], odds[good], _APART * radius)
    if len(place) == 0:
        return place
    order, start = rows_of(scene.pixel, len(scene.lattice))
    nearest = _nearest(scene, model)
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


def weigh_places(scene: Scene, model: Model, recipe: Recipe) -> tuple[np.ndarray, np.ndarray]:
    """Places (S, 2) µm where a cell may have been missed, and the log odds of it at the usual rate of misses."""
    nearest = _nearest(scene, model)
    place = _candidates(scene, nearest, model, recipe)
    if len(place) == 0:
        return place, np.empty(0)
    return place, _scores(scene, nearest, place, model, recipe, rows_of(scene.pixel, len(scene.lattice)))


def shift_of_rate(odds: np.ndarray, usual: float) -> float:
    """What to add to log odds in a tissue where misses are rarer or commoner than the usual rate.

    EM over the unknown rate, the odds' own evidence held fixed (Saerens, Latinne and Decaestecker 2002).
    """
    rate = usual
    for _ in range(100):
        shift = np.log(rate / (1 - rate)) - np.log(usual / (1 - usual))
        rate = float(np.clip(np.mean(1 / (1 + np.exp(-odds - shift))), 1e-3, 0.9)) if len(odds) else usual
    return float(np.clip(np.log(rate / (1 - rate)) - np.log(usual / (1 - usual)), -4, 0.5))


def _nearest(scene: Scene, model: Model) -> np.ndarray:
    """Scaled distance of each transcript to the nearest nucleus, (V,) float32."""
    unit = units(scene.radius, model.scale.radius, model.geometry.power)
    return scaled(scene, unit, np.zeros(len(unit), np.float32)).min(1, initial=1e3)


def _candidates(scene: Scene, nearest: np.ndarray, model: Model, recipe: Recipe) -> np.ndarray:
    """Maxima (S, 2) of the density of transcripts that lie far from every nucleus, µm."""
    lattice, radius = scene.lattice, model.scale.radius
    far = 1 + recipe.far * (model.scale.quartile - 1)
    weight = 1 / (1 + np.exp(np.clip((far - nearest) / 0.1, -50, 50)))
    image = np.bincount(scene.pixel, weight, len(lattice)).reshape(lattice.ny, lattice.nx) / lattice.pixel**2
    image = ndimage.gaussian_filter(image, 0.7 * radius / lattice.pixel, mode="constant", truncate=3)
    reach = int(np.ceil(_APART * radius / lattice.pixel))
    across = np.arange(-reach, reach + 1)
    disc = np.hypot(*np.meshgrid(across, across)) * lattice.pixel <= _APART * radius
    high = image > 0.5 * model.scale.inside
    if not high.any():
        return np.empty((0, 2))
    row, column = np.nonzero(high & (image == ndimage.maximum_filter(image, footprint=disc)))
    return np.c_[_middle(column, lattice.x0, lattice), _middle(row, lattice.y0, lattice)]


def _middle(index: np.ndarray, corner: float, lattice: Lattice) -> np.ndarray:
    return corner + (index + 0.5) * lattice.pixel


def _explained(scene: Scene, model: Model, recipe: Recipe) -> np.ndarray:
    """Share (V,) float32 of each transcript's gene in the known cells around it, the nearer counting more."""
    weight, _ = nuclear_types(scene, model.types)
    share = np.zeros(scene.gap_here.shape, np.float32)
    one = np.ones(len(scene.cell), np.float32)
    kernel.expected_rates(
        scene.view.gene, scene.pixel, scene.candidate, weight, model.types.profile, one, share
    )
    near = np.exp(-np.minimum(scene.gap_here, 60) / recipe.leak_um) * (share > 0)
    overall = model.types.overall[scene.view.gene].astype(np.float32)
    total = near.sum(1)
    known = np.where(total > 0, (near * share).sum(1) / np.maximum(total, 1e-9), overall)
    return (_CLEAR * known + (1 - _CLEAR) * overall).astype(np.float32)


def _scores(
    scene: Scene, nearest: np.ndarray, place: np.ndarray, model: Model, recipe: Recipe, by_pixel: tuple
) -> np.ndarray:
    """Log odds that a cell was missed at each place, (S,) float64."""
    lattice, view = scene.lattice, scene.view
    nearest = np.minimum(nearest, recipe.farthest).astype(np.float32)
    numbers = np.array(
        [lattice.x0, lattice.y0, lattice.pixel, lattice.nx, lattice.ny, 1.6 * model.scale.radius]
    )
    owner, transcript = _surroundings(place, view.x, view.y, nearest, *by_pixel, numbers)
    gene = view.gene[transcript]
    profile = model.types.profile
    weight = np.tile(model.types.share, (len(place), 1)).astype(np.float32)
    one = np.ones(len(owner), np.float32)
    for _ in range(6):
        gained = np.zeros(weight.shape)
        split_counts(owner, gene, one, weight, profile, gained, np.empty((0, profile.shape[1])))
        weight = proportions(gained, model.types.share)
    new = _CLEAR * (weight[owner] * profile[gene]).sum(1) + (1 - _CLEAR) * model.types.overall[gene]
    known = _explained(scene, model, recipe)[transcript]
    ratio = np.bincount(owner, np.log(new / known), len(place))
    distance = np.bincount(owner, nearest[transcript], len(place)) / np.maximum(
        np.bincount(owner, minlength=len(place)), 1
    )
    far = np.clip((distance - 1) / (model.scale.quartile - 1), 0, 6)
    # Where genes do not tell the sides of a border, they do not tell a missed cell either.
    telling = recipe.seed_expression * (1 - model.geometry.blur)
    return telling * np.clip(ratio, -30, 60) + recipe.seed_distance * far - recipe.seed_cost


@njit(cache=True, nogil=True)
def _surroundings(place, x, y, nearest, order, start, numbers):
    """Pairs of a place and a transcript outside nuclei within reach of it: two (n,) int32 arrays."""
    x0, y0, pixel, nx, ny, reach = numbers
    owner, transcript = [], []
    for s in range(len(place)):
        px, py = (place[s, 0] - x0) / pixel, (place[s, 1] - y0) / pixel
        span = reach / pixel + 1
        for v in range(max(int(py - span), 0), min(int(py + span) + 1, int(ny))):
            for u in range(max(int(px - span), 0), min(int(px + span) + 1, int(nx))):
                w = v * int(nx) + u
                for i in range(start[w], start[w + 1]):
                    t = order[i]
                    if (
                        nearest[t] < 1.3
                        or (x[t] - place[s, 0]) ** 2 + (y[t] - place[s, 1]) ** 2 > reach * reach
                    ):
                        continue
                    owner.append(s)
                    transcript.append(t)
    return np.array(owner, np.int32), np.array(transcript, np.int32)


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
