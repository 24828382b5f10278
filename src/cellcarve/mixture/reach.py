"""How far every transcript is from the nuclei around it: from their nearest transcripts, not from their middles.

A nucleus tells more of its cell than a centre does: where it is clipped or drawn out, so is the cell.
"""

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from cellcarve.chain.compiled import LEAF, MAKER, PART
from cellcarve.data import flat
from cellcarve.mixture.molecules import Points, on_chunks, select
from cellcarve.mixture.near import Grid, lay_grid
from cellcarve.mixture.ways import Ways, mean_cost

KEPT = 3
# Gaps are whole numbers of this share of the scale.
STEP = 1 / 1024
_MOST = 65_535


@njit(**LEAF)
def _offer(best, who, foot, found):
    """Keep the nearest transcript of each of the nearest components, in order of distance.

    `found` is (squared distance, component, anchor).
    """
    d, k, j = found
    slot = 0
    while slot < KEPT - 1 and who[slot] != k:
        slot += 1
    if who[slot] == k:
        if d >= best[slot]:
            return
    elif d > best[slot] or (d == best[slot] and k > who[slot]):
        return
    while slot > 0 and (best[slot - 1] > d or (best[slot - 1] == d and who[slot - 1] > k)):
        best[slot], who[slot], foot[slot] = best[slot - 1], who[slot - 1], foot[slot - 1]
        slot -= 1
    best[slot], who[slot], foot[slot] = d, k, j


@njit(**LEAF)
def _search(anchors, grid, component, here, best, who, foot):
    best[:], who[:] = np.inf, 0
    column = min(max(int((here[0] - grid.x0) / grid.side), 0), grid.nx - 1)
    row = min(max(int((here[1] - grid.y0) / grid.side), 0), grid.ny - 1)
    for ring in range(max(grid.nx, grid.ny)):
        seen = (ring - 1) * grid.side
        if ring > 1 and (best[KEPT - 1] < seen * seen or seen > here[3]):
            return
        for r in range(max(row - ring, 0), min(row + ring, grid.ny - 1) + 1):
            step = 1 if abs(r - row) == ring or ring == 0 else 2 * ring
            for c in range(column - ring, column + ring + 1, step):
                if c < 0 or c >= grid.nx:
                    continue
                for m in range(grid.start[r * grid.nx + c], grid.start[r * grid.nx + c + 1]):
                    j = grid.member[m]
                    dx, dy, dz = anchors.x[j] - here[0], anchors.y[j] - here[1], anchors.z[j] - here[2]
                    _offer(best, who, foot, (dx * dx + dy * dy + dz * dz, component[j], j))


@njit(**LEAF)
def _sort(best, who):
    """Components in order of their distances again, once ways have their costs."""
    for s in range(1, KEPT):
        for t in range(s, 0, -1):
            if best[t] < best[t - 1]:
                best[t], best[t - 1] = best[t - 1], best[t]
                who[t], who[t - 1] = who[t - 1], who[t]


@njit(**MAKER)
def _reach(anchors, grid, component, edges, at, span, owner, gap):
    """Fill `owner` and `gap`; `edges` is insets and ways, `span` first, last, furthest distance and unit of gaps."""
    inset, ways = edges
    best, who, foot = np.empty(KEPT, np.float64), np.empty(KEPT, np.int32), np.empty(KEPT, np.int32)
    for i in range(span[0], span[1]):
        _search(anchors, grid, component, (at.x[i], at.y[i], at.z[i], span[2]), best, who, foot)
        for s in range(KEPT):
            best[s] = max(math.sqrt(best[s]) - inset[who[s]], 0.0)
            if who[s] > 0 and ways.cost.size > 1:
                best[s] *= mean_cost(ways, at.x[i], at.y[i], anchors.x[foot[s]], anchors.y[foot[s]])
        if ways.cost.size > 1:
            _sort(best, who)
        for s in range(KEPT):
            owner[i, s] = who[s]
            gap[i, s] = min(best[s] / span[3], _MOST) if who[s] > 0 else _MOST


class Anchors(NamedTuple):
    """The A transcripts that lie in nuclei.

    Attributes
    ----------
    at
        Where they lie.
    component
        (A,) int32 component whose anchor each is.
    grid
        Buckets of them.
    """

    at: Points
    component: np.ndarray
    grid: Grid


def anchors_of(at: Points, component: np.ndarray) -> Anchors:
    """Those of N transcripts that are anchors; `component` is (N,) int32, 0 = of none."""
    index = np.flatnonzero(component)
    held = select(at, index)
    return Anchors(held, component[index], lay_grid(held))


def reach(
    at: Points,
    anchors: Anchors,
    edges: tuple[np.ndarray, Ways],
    scale: float,
    furthest: float,
    threads: int,
) -> tuple[np.ndarray, np.ndarray]:
    """The nearest anchored components of each transcript, or of any other point.

    Parameters
    ----------
    at
        N points.
    anchors
        Transcripts in nuclei.
    edges
        (C,) float64 distance by which the transcripts of each component's anchor stay short of its edge (µm), and what
        ways there cost: distances are multiplied by the mean cost of the straight way.
    scale
        Radius of cells, µm.
    furthest
        Distance beyond which nothing is looked for, µm.
    threads
        Threads to use.

    Returns
    -------
    tuple
        (N, 3) int32 components by distance to their nearest anchor, 0 where there are fewer, and (N, 3) uint16 distances
        to their anchors' edges in units of `STEP` scales.
    """
    many, unit = len(at.x), scale * STEP
    owner = flat.empty(KEPT * many, np.int32).reshape(-1, KEPT)
    gap = flat.empty(KEPT * many, np.uint16).reshape(-1, KEPT)
    on_chunks(
        lambda low, high: _reach(
            anchors.at,
            anchors.grid,
            anchors.component,
            edges,
            at,
            (low, high, float(furthest), unit),
            owner,
            gap,
        ),
        many,
        threads,
    )
    return owner, gap


@njit(**PART)
def log_reach(i, k, scene, rules):
    """Log density of an anchored component by the distance to its nucleus' edge.

    For the nearest nucleus it is a normal around a usual nucleus; of the others it falls off as steeply as genes say.
    """
    gap, step = float(scene.gap[i, KEPT - 1]) + 1.0 / STEP, STEP * rules.scale
    for s in range(KEPT):
        if scene.beside[i, s] == k:
            gap = float(scene.gap[i, s])
    usual = rules.width * rules.scale
    first = (scene.gap[i, 0] * step + rules.rim) / usual
    r = (gap * step + rules.rim) / usual
    steep = (rules.width / rules.near) ** 2
    most = -rules.dims * (0.5 * math.log(2 * math.pi) + math.log(usual))
    return most - 0.5 * (first * first + steep * (r * r - first * first))
