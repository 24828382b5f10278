"""How sharp borders between nuclei are, told from how densely transcripts lie on their two sides.

Cells differ in how densely transcripts lie in them. Where borders are sharp, density changes at once half way between
two nuclei; where cells overlap, or transcripts drift, little by little. Of several degrees of sharpness that one is taken
under which one half of the transcripts tells best where the other half lies. Genes take no part: this is all that is to be
had where they do not tell neighbours apart.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numba import njit

from cellcarve.chain.compiled import LEAF, MAKER
from cellcarve.mixture.intensity import strew
from cellcarve.mixture.molecules import Molecules, select
from cellcarve.mixture.reach import KEPT, STEP, Anchors, reach
from cellcarve.mixture.state import Rules
from cellcarve.mixture.ways import Ways

# Transcripts that are looked at, about, and runs along the curve that they are taken from; fewer than the least say nothing.
_MOST, _RUNS, _FEWEST = 40_000, 8, 1_000
# Width of a step of distance to the nearest nucleus (scales), and how many there are. Steps are filled as far as they hold
# this share of what is usual; what lies in a nucleus or at its edge is left out of account there.
_WIDE, _STEPS, _FILLED, _BESIDE = 0.15, 40, 0.7, 2
# Points that a step must hold to be measured.
_POINTS = 20
# Densities are pulled towards their mean by so many transcripts; they are found in so many rounds.
_KEPT, _ROUNDS = 5.0, 10
# Steepness is sought by factors of two from the usual one, and the log of it is this usual (standard deviation).
_FACTORS, _USUAL = (-2, -1, 0, 1, 2, 3), 1.0
# Standard deviations are taken to be no less than this times the usual one.
_LEAST = 0.5
# How much further cells reach into each other than densities show: nuclei may be faulty, and transcripts drift.
BEYOND_SEEN = 1.33
# Places with two nuclei within so many scales, and the share of these that is filled, at which densities tell nothing of
# borders, and all: where there are gaps between cells, density falls off at the edges of large cells later than at those of
# small ones.
_BETWEEN, _GAPS, _WHOLE = 1.5, 0.75, 0.85


class Between(NamedTuple):
    """n transcripts, or points strewn, among nuclei.

    Attributes
    ----------
    owner
        (n, 3) int32 nearest components, numbered from 0.
    away
        (n, 3) float64 half squares of the distances to their middles, in usual standard deviations, less that of the first.
    step
        (n,) int32 step of distance to the edge of the first.
    middle
        (n,) bool: the second is near, too.
    """

    owner: np.ndarray
    away: np.ndarray
    step: np.ndarray
    middle: np.ndarray


def steps_of(gap: np.ndarray) -> np.ndarray:
    """(n,) int32 step of each distance (whole numbers of `STEP` scales) to a nucleus: 0 in it."""
    return np.minimum(np.ceil(gap * (STEP / _WIDE)), _STEPS).astype(np.int32)


def between(owner: np.ndarray, gap: np.ndarray, rules: Rules) -> Between:
    """What `reach` found, as it is compared."""
    away = (gap * STEP + rules.rim / rules.scale) / rules.width
    away = np.where(owner > 0, 0.5 * away * away, np.inf)
    middle = (owner[:, 1] > 0) & (gap[:, 1] * STEP < _BETWEEN)
    return Between(owner, away - away[:, :1], steps_of(gap[:, 0]), middle)


def filled_steps(here: np.ndarray, there: np.ndarray) -> int:
    """How many steps from nuclei are filled, by the steps of transcripts and of points strewn."""
    mine, points = (np.bincount(step, minlength=_STEPS + 1)[:_STEPS] for step in (here, there))
    level, outside = mine / np.maximum(points, 1), np.cumsum(mine[1:])
    usual = level[1 + np.searchsorted(outside, outside[-1] / 2)]
    poor = (level < _FILLED * usual) | (points < _POINTS)
    poor[:_BESIDE] = False
    return int(poor.argmax()) if poor.any() else _STEPS


@njit(**LEAF)
def _shares(away, owner, steep, out):
    """Share of each component in what lies at a place, but for its density."""
    for i in range(len(owner)):
        total = 0.0
        for s in range(KEPT):
            out[i, s] = np.exp(-steep * away[i, s])
            total += out[i, s]
        for s in range(KEPT):
            out[i, s] /= total


@njit(**LEAF)
def _density(share, owner, rate, i):
    total = 0.0
    for s in range(KEPT):
        total += share[i, s] * rate[owner[i, s]]
    return total


@njit(**MAKER)
def _told(steep, here, half, there, size):
    """Log likelihood of the places of either half of the transcripts by densities learned from the other half.

    `size` is number of components, number of steps, and area that a strewn point stands for.
    """
    many, steps, area = size
    mine, theirs = np.empty(here.away.shape), np.empty(there.away.shape)
    _shares(here.away, here.owner, steep, mine)
    _shares(there.away, there.owner, steep, theirs)
    rate, made, room = np.empty(many), np.empty(many), np.empty(many)
    fill, seen, wanted = np.empty(steps), np.empty(steps), np.empty(steps)
    total = 0.0
    for side in range(2):
        rate[:], fill[:], seen[:] = 1.0, 1.0, 0.0
        for i in range(len(half)):
            seen[here.step[i]] += half[i] == side
        whole = 0.0
        for _ in range(_ROUNDS):
            made[:], room[:], wanted[:] = 0.0, 0.0, 0.0
            for i in range(len(half)):
                if half[i] == side:
                    density = _density(mine, here.owner, rate, i)
                    for s in range(KEPT):
                        k = here.owner[i, s]
                        made[k] += mine[i, s] * rate[k] / density
            for j in range(len(there.step)):
                for s in range(KEPT):
                    room[there.owner[j, s]] += theirs[j, s] * fill[there.step[j]] * area
            mean = made.sum() / room.sum()
            for k in range(many):
                rate[k] = (made[k] + _KEPT) / (room[k] + _KEPT / mean)
            for j in range(len(there.step)):
                wanted[there.step[j]] += _density(theirs, there.owner, rate, j) * area
            whole = 0.0
            for b in range(steps):
                fill[b] = seen[b] / max(wanted[b], 1e-9)
                whole += fill[b] * wanted[b]
        for i in range(len(half)):
            if half[i] != side:
                density = fill[here.step[i]] * _density(mine, here.owner, rate, i)
                total += np.log(max(density, 1e-12) / whole)
    return total


def steepest(told: Callable[[float], float]) -> float:
    """Log of the likeliest steepness by a log likelihood, the usual one being likelier by itself."""

    def value(log: float) -> float:
        return told(float(np.exp(log))) - 0.5 * (log / _USUAL) ** 2

    unit = np.log(2)
    rough = [value(unit * factor) for factor in _FACTORS]
    best = unit * _FACTORS[int(np.argmax(rough))]
    low, top, high = value(best - unit / 2), max(rough), value(best + unit / 2)
    bend = low - 2 * top + high
    # The top of the parabola through the three.
    return float(best + np.clip(0.25 * unit * (low - high) / bend, -unit, unit)) if bend < 0 else float(best)


def learn_sharpness(
    molecules: Molecules,
    reached: tuple[np.ndarray, np.ndarray],
    nuclei: tuple[Anchors, tuple[np.ndarray, Ways], float],
    rules: Rules,
    generator: np.random.Generator,
    threads: int,
) -> float:
    """Standard deviation, over the scale, of the normal by which anchored components compete in place.

    Parameters
    ----------
    molecules
        N transcripts.
    reached
        Their nearest components and the distances to them.
    nuclei
        Anchors, their edges and what ways cost, and the furthest distance at which any is looked for: as in `reach`.
    rules
        The model's numbers.
    generator
        Source of the strewn points.
    threads
        Threads to use.
    """
    anchors, edges, furthest = nuclei
    index = _some(reached[0][:, 0])
    if len(index) < _FEWEST:
        return rules.near
    here = between(reached[0][index], reached[1][index], rules)
    chosen = np.zeros(len(edges[0]), bool)
    chosen[reached[0][index, 0]] = True
    strewn, density = strew(select(molecules.at, index), rules.scale, generator)
    found = reach(strewn, anchors, edges, rules.scale, furthest, threads)
    inside = chosen[found[0][:, 0]]
    there = between(found[0][inside], found[1][inside], rules)
    steps = filled_steps(here.step, there.step)
    kept, near = here.step < steps, there.step < steps
    if kept.sum() < _FEWEST or not near.any() or not there.middle.any():
        return rules.near
    sure = float(np.clip((near[there.middle].mean() - _GAPS) / (_WHOLE - _GAPS), 0, 1))
    if sure == 0:
        return rules.near
    half = (molecules.place[index[kept]] % 2).astype(np.uint8)
    here, there = Between(*(a[kept] for a in here)), Between(*(a[near] for a in there))
    present, number = np.unique(np.concatenate([here.owner, there.owner]), return_inverse=True)
    number = number.reshape(-1, KEPT).astype(np.int32)
    here, there = here._replace(owner=number[: len(half)]), there._replace(owner=number[len(half) :])
    size = (len(present), steps, 1 / density)
    log = steepest(lambda steep: _told(steep, here, half, there, size))
    return float(rules.near * max(np.exp(-0.5 * sure * log), _LEAST))


def _some(nearest: np.ndarray) -> np.ndarray:
    """Transcripts that have the same nearest components as those of a few runs; all where they are few."""
    if len(nearest) <= _MOST:
        return np.flatnonzero(nearest)
    first = np.linspace(0, len(nearest) - _MOST // _RUNS, _RUNS).astype(np.int64)
    runs = np.concatenate([nearest[f : f + _MOST // _RUNS] for f in first])
    chosen = np.zeros(int(nearest.max()) + 1, bool)
    chosen[runs] = True
    chosen[0] = False
    return np.flatnonzero(chosen[nearest])
