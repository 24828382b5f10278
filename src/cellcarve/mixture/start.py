"""Where the sampler begins: first components, their transcripts and their shapes."""

import math
from dataclasses import dataclass

import numpy as np

from cellcarve.mixture.change import regather
from cellcarve.mixture.graph import Graph
from cellcarve.mixture.kinds import overall
from cellcarve.mixture.missed import missed
from cellcarve.mixture.molecules import Molecules, Points, select
from cellcarve.mixture.near import nearest_of
from cellcarve.mixture.shape import refit
from cellcarve.mixture.state import Counts, Rules, Scene, State, empty_cells
from cellcarve.mixture.tally import NONE

_SURE_ENOUGH = 0.25


@dataclass
class Seeds:
    """Places of the first components; those of prior segments come first, in the segments' order.

    Attributes
    ----------
    at
        Places; several may belong to one component.
    component
        (Q,) int32 component of each place.
    count
        Components.
    owner
        (S + 1,) int32 component of each prior segment, 0 = none.
    """

    at: Points
    component: np.ndarray
    count: int
    owner: np.ndarray


def even_seeds(molecules: Molecules, candidates: np.ndarray, wanted: int, classic: bool) -> np.ndarray:
    """Indices of `wanted` of the candidates (all, where there are fewer), spread evenly over the tissue.

    Classic rules go along the diagonal; else the way is the Morton curve, which keeps them apart as well as can be.
    """
    order = candidates
    if classic:
        at = molecules.at
        along = at.x[candidates].astype(np.float64) + at.y[candidates] + at.z[candidates]
        order = candidates[np.lexsort((molecules.place[candidates], along))]
    many = min(wanted, len(order))
    return (
        order[np.unique(np.rint(np.linspace(0, len(order) - 1, many)).astype(np.int64))]
        if many
        else order[:0]
    )


def choose_seeds(
    molecules: Molecules,
    graph: Graph,
    confidence: np.ndarray,
    segment: np.ndarray,
    rules: Rules,
    wanted: int,
) -> Seeds:
    """First components.

    Parameters
    ----------
    molecules, graph
        N transcripts and their neighbours.
    confidence
        (N,) float32; unlikely transcripts begin no component.
    segment
        (N,) int32 prior segments that begin one component each; all 0 where the prior does not.
    rules
        The model's numbers.
    wanted
        Components to begin with, if there were no prior; 0 = those of the prior alone.
    """
    at = molecules.at
    candidates = np.flatnonzero(confidence >= _SURE_ENOUGH)
    inside = np.flatnonzero(segment > 0)
    owner = np.zeros(int(segment.max(initial=0)) + 1, np.int32)
    count = 0
    if len(inside):
        there = np.unique(segment[inside])
        count = len(there)
        owner[there] = np.arange(1, count + 1)
    if len(inside) and wanted:
        free = missed(molecules, graph, candidates, owner[segment], rules.scale)
        wanted = round(wanted * len(free) / max(len(candidates), 1))
        candidates = free
    seeds = even_seeds(molecules, candidates, wanted, rules.classic)
    index = np.concatenate([inside, seeds])
    component = np.concatenate([owner[segment[inside]], count + 1 + np.arange(len(seeds))])
    return Seeds(select(at, index), component.astype(np.int32), count + len(seeds), owner)


def begin(
    molecules: Molecules, graph: Graph, scene: Scene, seeds: Seeds, segment_size: np.ndarray, rules: Rules
) -> State:
    """The chain at its start: every transcript in the component nearest to it, every component a ball."""
    scene = scene._replace(label=_nearest_seed(seeds, molecules.at))
    cells = empty_cells(seeds.count)
    cells.anchor[seeds.owner] = np.arange(len(seeds.owner))
    cells.anchor[0] = 0
    cells.covariance[:, [0, 3]] = rules.scale**2
    cells.covariance[:, 5] = rules.scale**2 if rules.dims == 3 else 1.0
    counts = Counts(NONE, NONE, segment_size, seeds.owner)
    profile = overall(molecules.gene, molecules.genes)[None, :].astype(np.float32)
    state = State(molecules.at, graph, scene, cells, counts, rules, profile, np.zeros(0))
    regather(state)
    refit(state.cells, rules, state.gamma)
    return state


def _nearest_seed(seeds: Seeds, at: Points) -> np.ndarray:
    """(N,) int32 component of the seed nearest to each transcript; 0 where there are no seeds."""
    if not seeds.count:
        return np.zeros(len(at.x), np.int32)
    return seeds.component[nearest_of(seeds.at, at, 1)[0][:, 0]]


def place_noise(dims: int, scale: float) -> float:
    """Log density of noise in place: that of a round cell of one transcript, three scales off along each axis."""
    return -4.5 * dims - dims * (0.5 * math.log(2 * math.pi) + math.log(scale))
