"""Nuclei put right, for methods that take nuclei for given: what carve repairs and adds, without its assignments."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from cellcarve.carve.gather import named
from cellcarve.carve.learn import learn
from cellcarve.carve.method import DEFAULT_TILE, measured, on_threads, recipe_for, repaired_nuclei, seeded
from cellcarve.carve.places import same_places
from cellcarve.data.prior import Prior
from cellcarve.data.segmentation import Origin
from cellcarve.data.table import Table
from cellcarve.data.tiles import cut
from cellcarve.progress import Progress
from cellcarve.settings import CarveSettings, ComputeSettings

_FEWEST = 5


class Mended(NamedTuple):
    """A prior of C cells made of one of P.

    Attributes
    ----------
    prior
        The nuclei as they are now. Transcripts of the given cells that lie in no nucleus are as they were.
    origin
        (C,) uint8 of `Origin`.
    parent
        (C,) int32 given cell of each, its number from 1; 0 = none.
    """

    prior: Prior
    origin: np.ndarray
    parent: np.ndarray


def untouched(prior: Prior) -> Mended:
    """Nuclei as they were given."""
    count = len(prior.names)
    return Mended(prior, np.full(count, Origin.PRIOR, np.uint8), np.arange(1, count + 1, dtype=np.int32))


def mend(table: Table, prior: Prior, compute: ComputeSettings, progress: Progress) -> Mended:
    """Cut merged nuclei, join split ones, and add cells with pseudo-nuclei where nuclei were missed.

    Parameters
    ----------
    table
        N rows of input.
    prior
        P nuclei laid over them.
    compute
        Threads.
    progress
        Who is told how far it is.
    """
    recipe, settings = recipe_for(prior), CarveSettings()
    tissue = cut(table, prior.cell, prior.core, len(prior.names), DEFAULT_TILE)
    progress.stage("looking at nuclei", len(tissue.transcripts), "transcripts")
    repaired = repaired_nuclei(tissue, settings, recipe, progress)
    nuclei = measured(tissue)
    model = learn(tissue, nuclei, recipe, True, progress.note)
    core = np.zeros(len(table), np.int32)
    t = tissue.transcripts
    core[t.row[t.core]] = t.cell[t.core]

    def one(tile: int) -> tuple[np.ndarray, np.ndarray]:
        scene, seeds = seeded(tissue, tile, nuclei, model, recipe, settings)
        progress.advance(int(np.count_nonzero(scene.view.inside)))
        return seeds, scene.cell[scene.core[scene.view.inside]]

    own: list[np.ndarray] = []
    seeds: list[np.ndarray] = []

    def take(found: tuple[np.ndarray, np.ndarray]) -> None:
        seeds.append(found[0])
        own.append(found[1])

    tiles = np.flatnonzero(np.diff(t.start)).tolist()
    on_threads(one, tiles, compute.threads, take)
    # Neighbouring tiles find the same new cells.
    places, number = same_places(seeds, 0.6 * model.scale.radius)
    for tile, cell, new in zip(tiles, own, number, strict=True):
        row = t.row[t.start[tile] : t.start[tile + 1]]
        added = cell > tissue.cells
        core[row[added]] = tissue.cells + 1 + new[cell[added] - tissue.cells - 1]
    held = np.bincount(core, minlength=tissue.cells + len(places) + 1)
    alive = held > 0
    alive[tissue.cells + 1 :] = held[tissue.cells + 1 :] >= _FEWEST
    alive[0] = False
    live = np.flatnonzero(alive)
    rank = np.zeros(len(held), np.int32)
    rank[live] = np.arange(1, len(live) + 1)
    names, origin, parent = named(prior, repaired, live, tissue.cells)
    core = rank[core]
    progress.note(f"{int((origin == Origin.NEW).sum()):,} cells added where nuclei are missing")
    return Mended(
        replace(prior, cell=_around(prior, core, parent), core=core > 0, names=names), origin, parent
    )


def _around(prior: Prior, core: np.ndarray, parent: np.ndarray) -> np.ndarray:
    """(N,) int32 cell of every row: that of its nucleus, else the one that its given cell has become, where it is one."""
    heirs = np.bincount(parent, minlength=len(prior.names) + 1)
    heir = np.zeros(len(heirs), np.int32)
    heir[parent] = np.arange(1, len(parent) + 1)
    heir[heirs != 1] = 0
    heir[0] = 0
    return np.where(core > 0, core, heir[prior.cell]).astype(np.int32)
