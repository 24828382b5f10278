"""What speaks for a cell that the prior missed, at places that lie off the known nuclei.

Three things do, as parts of a log odds fitted by logistic regression on simulated tissue (``docs/model.md``): how much
better one more mix of programmes explains the genes around a place than the best blend of the cells around does; how
much the genes in the middle are those that keep to nuclei; and how far off the nuclei the place is, in units of the
tissue's own upper quartile.
"""

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from scipy import ndimage

from cellcarve.carve.geometry import nuclear_types
from cellcarve.carve.labels import share_of, shares
from cellcarve.carve.lattice import Lattice
from cellcarve.carve.model import Model
from cellcarve.carve.recipe import Recipe
from cellcarve.carve.scene import Scene, nearest_nucleus
from cellcarve.carve.types import proportions, split_counts
from cellcarve.data.sorting import rows_of

# In nuclear radii: how far a place's nucleus would reach, its cell, and the gap that it leaves between nuclei.
_NUCLEUS, _CELL, _AROUND = 0.9, 1.7, 2.2
# Candidates are at least this many nuclear radii apart.
_APART = 0.9
# Share of a transcript's probability that comes from its cell's profile; the rest stands for leaks of any origin. The
# weights of the log odds were fitted with it; 0.7 and 0.9 change F1 by less than 0.001.
_CLEAR = 0.8
# Of EM. With four, 0.005 fewer of the cells are recovered; twice as many change hardly anything.
_ROUNDS = 7


class Places(NamedTuple):
    """S places of a scene where a cell may have been missed.

    Attributes
    ----------
    at
        (S, 2) float64 µm.
    odds
        (S,) float64 log odds of it at the usual rate of misses.
    nearest
        (V,) float32 scaled distance of each transcript of the scene to the nearest known nucleus.
    """

    at: np.ndarray
    odds: np.ndarray
    nearest: np.ndarray


def weigh_places(scene: Scene, model: Model, recipe: Recipe) -> Places:
    """Places of a scene where a cell may have been missed, and what speaks for it."""
    nearest = nearest_nucleus(scene, model.scale, model.geometry)
    place = _candidates(scene, nearest, model, recipe)
    if len(place) == 0:
        return Places(place, np.empty(0), nearest)
    gain, nuclear, far = evidence(scene, nearest, place, model, recipe).T
    # Where genes do not tell the sides of a border, they do not tell a missed cell either. Few places lie
    # beyond the bounds: without those of the genes, F1 and the cells found are the same on simulated tissue.
    telling = 1 - model.geometry.blur
    genes = recipe.seed_expression * np.clip(gain, -5, 40) + recipe.seed_nuclear * np.clip(nuclear, -15, 15)
    odds = telling * genes + recipe.seed_distance * np.minimum(far, 6) - recipe.seed_cost
    return Places(place, odds, nearest)


def _candidates(scene: Scene, nearest: np.ndarray, model: Model, recipe: Recipe) -> np.ndarray:
    """Maxima (S, 2) of the density of transcripts that lie off every nucleus, µm."""
    lattice, radius = scene.lattice, model.scale.radius
    far = 1 + recipe.far * (model.scale.quartile - 1)
    # Off and near pass into each other, so that places do not jump with small errors of the distance.
    weight = 1 / (1 + np.exp(np.clip((far - nearest) / 0.15, -50, 50)))
    image = np.bincount(scene.pixel, weight, len(lattice)).reshape(lattice.ny, lattice.nx) / lattice.pixel**2
    image = ndimage.gaussian_filter(image, 0.6 * radius / lattice.pixel, mode="constant", truncate=3)
    reach = int(np.ceil(_APART * radius / lattice.pixel))
    across = np.arange(-reach, reach + 1)
    disc = np.hypot(*np.meshgrid(across, across)) * lattice.pixel <= _APART * radius
    high = image > recipe.full * model.scale.inside
    if not high.any():
        return np.empty((0, 2))
    row, column = np.nonzero(high & (image == ndimage.maximum_filter(image, footprint=disc)))
    return np.c_[_middle(column, lattice.x0, lattice), _middle(row, lattice.y0, lattice)]


def _middle(index: np.ndarray, corner: float, lattice: Lattice) -> np.ndarray:
    return corner + (index + 0.5) * lattice.pixel


def evidence(
    scene: Scene, nearest: np.ndarray, place: np.ndarray, model: Model, recipe: Recipe
) -> np.ndarray:
    """What speaks for a cell at each place, (S, 3) float64: gain of one more mix, genes of nuclei, distance."""
    view, radius = scene.view, model.scale.radius
    owner, transcript, away = within_reach(scene, place, _AROUND * radius)
    off = (np.minimum(nearest[transcript], recipe.farthest) - 1) / (model.scale.quartile - 1)
    far = np.bincount(owner, off, len(place)) / np.maximum(np.bincount(owner, minlength=len(place)), 1)
    free = (scene.core[transcript] == 0) & (away < _CELL * radius)
    owner, transcript, away, off = owner[free], transcript[free], away[free], off[free]
    middle = away < _NUCLEUS * radius
    nuclear = np.bincount(owner[middle], model.nuclear[view.gene[transcript[middle]]], len(place))
    # A cell's share of the transcripts around its middle: most inside its nucleus, fewer farther out or near others.
    own = _CLEAR * np.exp(-((np.maximum(away / radius - 1, 0) / 0.5) ** 2)) * np.minimum(off, 1)
    known = _known(scene, model, recipe, (owner, transcript))
    gain = _gain(view.gene[transcript], owner, own.astype(np.float32), known, model, len(place))
    return np.column_stack([gain, nuclear, far])


def _gain(
    gene: np.ndarray, owner: np.ndarray, own: np.ndarray, known: np.ndarray, model: Model, places: int
) -> np.ndarray:
    """Log likelihood ratio of the best mix of programmes, as a share `own` of each transcript, against `known`."""
    types = model.types
    weight = np.tile(types.share, (places, 1)).astype(np.float32)
    for turn in range(_ROUNDS):
        new = own * shares(owner, gene, weight, types.profile)
        if turn == _ROUNDS - 1:
            break
        gained = np.zeros(weight.shape)
        amount = (new / (new + (1 - own) * known)).astype(np.float32)
        split_counts(
            owner, gene, amount, weight, types.profile, gained, np.empty((0, types.profile.shape[1]))
        )
        weight = proportions(gained, types.share)
    return np.bincount(owner, np.log(new / known + 1 - own), places)


def _known(scene: Scene, model: Model, recipe: Recipe, pairs: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Share of each transcript's gene in the blend of the known cells around that suits its place best, (n,) float32."""
    weight, _ = nuclear_types(scene, model.types)
    around = np.exp(-np.minimum(scene.gap_here, 60) / recipe.leak_um) * (scene.candidate[scene.pixel] > 0)
    return _blend(
        pairs,
        (scene.view.gene, scene.pixel, scene.candidate),
        around.astype(np.float32),
        weight,
        model.types.profile,
        (model.types.overall.astype(np.float32), np.float32(_CLEAR)),
    )


@njit(cache=True, nogil=True)
def _blend(pairs, where, around, weight, profile, rest):
    """What `_known` says; a place's pairs follow each other."""
    owner, transcript = pairs
    gene, pixel, candidate = where
    K = candidate.shape[1]
    cell = np.empty((len(owner), K), np.int32)
    near, chance = np.zeros((len(owner), K), np.float32), np.zeros((len(owner), K), np.float32)
    common = np.empty(len(owner), np.float32)
    for i in range(len(owner)):
        t = transcript[i]
        common[i] = rest[0][gene[t]]
        for k in range(K):
            cell[i, k] = candidate[pixel[t], k]
            if cell[i, k]:
                near[i, k] = around[t, k]
                chance[i, k] = share_of(weight, profile, cell[i, k], gene[t])
    known = np.empty(len(owner), np.float32)
    level, held, due = np.ones((3, len(weight)), np.float32)
    first = 0
    while first < len(owner):
        last = first
        while last < len(owner) and owner[last] == owner[first]:
            last += 1
        part = slice(first, last)
        _settle(
            (cell[part], near[part], chance[part], common[part]), rest[1], (level, held, due), known[part]
        )
        first = last
    return known


@njit(cache=True, nogil=True)
def _settle(transcripts, clear, cells, known):
    """EM over how much each cell around one place leaks into it, from the same for all; fills `known`."""
    cell, near, chance, common = transcripts
    level, held, due = cells
    number, K = cell.shape
    for i in range(number):
        for k in range(K):
            level[cell[i, k]], held[cell[i, k]], due[cell[i, k]] = 1, 0, 0
    part = np.empty(K, np.float32)
    for _ in range(_ROUNDS):
        for i in range(number):
            total = np.float32(1e-12)
            for k in range(K):
                part[k] = near[i, k] * level[cell[i, k]]
                total += part[k]
            # Where no known cell is near, the tissue's mix stands for all that might leak in.
            known[i] = (1 - clear) * common[i] if total > 1e-9 else common[i]
            for k in range(K):
                part[k] *= clear / total
                known[i] += part[k] * chance[i, k]
            for k in range(K):
                held[cell[i, k]] += part[k] * chance[i, k] / known[i]
                due[cell[i, k]] += part[k]
        for i in range(number):
            for k in range(K):
                c = cell[i, k]
                if due[c] > 0:
                    # Two transcripts' worth of trust in what the distance says.
                    level[c] *= (held[c] + 2) / (due[c] + 2)
                    held[c], due[c] = 0, 0


def within_reach(scene: Scene, place: np.ndarray, reach: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pairs of a place (S, 2) and a transcript within reach (µm): numbers of both, (n,) int32, and their distance.

    Places come in turn, and the transcripts of one row by row of the lattice.
    """
    lattice, view = scene.lattice, scene.view
    order, start = rows_of(scene.pixel, len(lattice))
    numbers = np.array([lattice.x0, lattice.y0, lattice.pixel, lattice.nx, lattice.ny, reach])
    return _surroundings(place, view.x, view.y, order, start, numbers)


@njit(cache=True, nogil=True)
def _surroundings(place, x, y, order, start, numbers):
    """Places and transcripts within reach of them, (n,) int32 each, and their distance (µm)."""
    x0, y0, pixel, nx, ny, reach = numbers
    owner, transcript, away = [], [], []
    for s in range(len(place)):
        px, py = (place[s, 0] - x0) / pixel, (place[s, 1] - y0) / pixel
        span = reach / pixel + 1
        for v in range(max(int(py - span), 0), min(int(py + span) + 1, int(ny))):
            for u in range(max(int(px - span), 0), min(int(px + span) + 1, int(nx))):
                w = v * int(nx) + u
                for i in range(start[w], start[w + 1]):
                    t = order[i]
                    d = math.sqrt((x[t] - place[s, 0]) ** 2 + (y[t] - place[s, 1]) ** 2)
                    if d <= reach:
                        owner.append(s)
                        transcript.append(t)
                        away.append(d)
    return np.array(owner, np.int32), np.array(transcript, np.int32), np.array(away, np.float32)
