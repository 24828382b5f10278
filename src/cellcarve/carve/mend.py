"""Nuclei put right, for methods that take nuclei for given: what carve repairs and adds, without its assignments."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from cellcarve.carve.gather import named
from cellcarve.carve.hollows import TRUST, find_hollows
from cellcarve.carve.learn import learn
from cellcarve.carve.method import DEFAULT_TILE, measured, recipe_for, repaired_nuclei, seeded
from cellcarve.carve.model import Model
from cellcarve.carve.nuclei import Nuclei, moments
from cellcarve.carve.recipe import Recipe
from cellcarve.carve.seeds import FEWEST, same_cells
from cellcarve.carve.threads import on_threads
from cellcarve.data.prior import Prior
from cellcarve.data.segmentation import Origin, Segmentation, existence_of
from cellcarve.data.table import Table
from cellcarve.data.tiles import cut
from cellcarve.data.tissue import Tissue
from cellcarve.progress import Progress
from cellcarve.settings import CarveSettings, ComputeSettings

# Nuclei whose spread in depth is a smaller part of that of all of them lie over each other.
_LAYER = 1 / 3
# Transcripts from which the spread of a nucleus is measured.
_MEASURED = 5


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
    trust
        Share of a cell's transcripts that stem from the one that its nucleus stands for.
    """

    prior: Prior
    origin: np.ndarray
    parent: np.ndarray
    trust: float = 1.0


def trace_back(found: Segmentation, mended: Mended) -> Segmentation:
    """A segmentation that started from the mended nuclei, with its cells' origins and the cells that were given.

    Added cells are no surer to exist than their transcripts make them. Probabilities change in place.
    """
    known = found.prior > 0
    origin, parent = found.origin.copy(), found.prior.copy()
    origin[known] = mended.origin[found.prior[known] - 1]
    parent[known] = mended.parent[found.prior[known] - 1]
    added = known & (origin == Origin.NEW)
    amount = np.asarray(found.expected.sum(1)).ravel() * mended.trust
    existence = np.where(added, existence_of(amount, 1.0), found.existence)
    if mended.trust < 1:
        found.probability *= np.float32(mended.trust)
    return replace(found, origin=origin, prior=parent, existence=existence)


def can_mend(prior: Prior, settings: CarveSettings) -> bool:
    """Whether it is asked for and there are nuclei by row; what is told by pixel, or may not change, stays as it is."""
    asked = settings.repair or settings.new_cells
    return asked and prior.raster is None and prior.fixed is None and bool(prior.core.any())


def mend(
    table: Table, prior: Prior, settings: CarveSettings, compute: ComputeSettings, progress: Progress
) -> Mended:
    """Cut merged nuclei, join split ones, and add cells with pseudo-nuclei where nuclei were missed.

    Parameters
    ----------
    table
        N rows of input.
    prior
        P nuclei laid over them.
    settings
        Which of these to do.
    compute
        Threads.
    progress
        Who is told how far it is.
    """
    recipe = recipe_for(prior)
    tissue = cut(table, prior.cell, prior.core, len(prior.names), DEFAULT_TILE)
    if not _one_layer(tissue):
        progress.note("nuclei lie over each other in depth: they are left as they are")
        given = np.arange(1, len(prior.names) + 1, dtype=np.int32)
        return Mended(prior, np.full(len(given), Origin.PRIOR, np.uint8), given)
    progress.stage("looking at nuclei", len(tissue.transcripts), "transcripts")
    repaired = repaired_nuclei(tissue, settings, recipe, progress)
    nuclei = measured(tissue)
    model = learn(tissue, nuclei, recipe, settings.new_cells, progress.note)
    # The nucleus of every row, 0 = none.
    core = np.zeros(len(table), np.int32)
    t = tissue.transcripts
    core[t.row[t.core]] = t.cell[t.core]
    held = _add_missed(core, tissue, (nuclei, model, recipe, settings), compute.threads, progress)
    alive = held > 0
    alive[tissue.cells + 1 :] = held[tissue.cells + 1 :] >= FEWEST
    alive[1 : len(prior.names) + 1] |= _without_nucleus(prior)
    alive[0] = False
    live = np.flatnonzero(alive)
    rank = np.zeros(len(held), np.int32)
    rank[live] = np.arange(1, len(live) + 1)
    names, origin, parent = named(prior, repaired, live, tissue.cells)
    core = rank[core]
    progress.note(f"{np.count_nonzero(origin == Origin.NEW):,} cells added where nuclei are missing")
    cell = np.where(core > 0, core, _heirs(prior, core, rank)[prior.cell])
    return Mended(replace(prior, cell=cell, core=core > 0, names=names, whole=True), origin, parent)


def from_hollows(
    table: Table,
    prior: Prior,
    radius: float,
    settings: CarveSettings,
    compute: ComputeSettings,
    progress: Progress,
) -> Mended | None:
    """Nuclei for cells of a radius (µm) where no prior tells of any, if empty spots are nuclei; else None."""
    cell = find_hollows(table, radius, DEFAULT_TILE, compute.threads, progress)
    if cell is None:
        return None
    found = replace(prior, cell=cell, core=cell > 0, names=_fresh_names(int(cell.max())), kind="nuclei")
    if can_mend(found, settings):
        found = mend(table, found, settings, compute, progress).prior
    count = len(found.names)
    origin, parent = np.full(count, Origin.NEW, np.uint8), np.zeros(count, np.int32)
    return Mended(replace(found, names=_fresh_names(count)), origin, parent, TRUST)


def _fresh_names(count: int) -> list[str]:
    return [f"new-{n}" for n in range(1, count + 1)]


def _one_layer(tissue: Tissue) -> bool:
    """Whether nuclei lie side by side: nuclei that are looked at from above alone are else cut and joined wrongly."""
    t = tissue.transcripts
    core = np.flatnonzero(t.core & (t.cell > 0))
    held, *_, spread, _, _ = moments(t.cell[core], t.z[core], t.z[core], tissue.cells)
    sound = held >= _MEASURED
    return not sound.any() or float(np.median(spread[sound])) >= _LAYER**2 * float(t.z[core].var())


def _add_missed(
    core: np.ndarray,
    tissue: Tissue,
    learned: tuple[Nuclei, Model, Recipe, CarveSettings],
    threads: int,
    progress: Progress,
) -> np.ndarray:
    """Give the rows of pseudo-nuclei to new cells, numbered from the tissue's cells on; `core` (N,) changes.

    Returns
    -------
    numpy.ndarray
        (cells + 1,) int64 rows in the nucleus of each cell, new ones included.
    """
    t, places = tissue.transcripts, []
    rows, cells = [], []

    def one(tile: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        scene, seeds = seeded(tissue, tile, *learned)
        cell = scene.cell[scene.core[scene.view.inside]]
        progress.advance(len(cell))
        new = np.flatnonzero(cell > tissue.cells)
        return seeds, t.row[t.start[tile] + new], cell[new] - tissue.cells - 1

    def take(found: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
        places.append(found[0])
        rows.append(found[1])
        cells.append(found[2])

    on_threads(one, np.flatnonzero(np.diff(t.start)).tolist(), threads, take)
    # Neighbouring tiles find the same new cells.
    place, numbers = same_cells(places, learned[1].scale.radius)
    for row, cell, number in zip(rows, cells, numbers, strict=True):
        core[row] = tissue.cells + 1 + number[cell]
    return np.bincount(core, minlength=tissue.cells + len(place) + 1)


def _without_nucleus(prior: Prior) -> np.ndarray:
    """(P,) bool: the cell has transcripts, but none in a nucleus."""
    count = len(prior.names) + 1
    rows, core = (
        np.bincount(prior.cell, minlength=count),
        np.bincount(prior.cell[prior.core], minlength=count),
    )
    return ((rows > 0) & (core == 0))[1:]


def _heirs(prior: Prior, core: np.ndarray, rank: np.ndarray) -> np.ndarray:
    """Cell that each given cell, 0 .. P, has become, (P + 1,) int32; 0 where its nucleus was cut."""
    low, high = rank[: len(prior.names) + 1].copy(), np.zeros(len(prior.names) + 1, np.int32)
    own = prior.core & (core > 0)
    np.maximum.at(high, prior.cell[own], core[own])
    low[high > 0] = np.iinfo(np.int32).max
    np.minimum.at(low, prior.cell[own], core[own])
    heir = np.where((high == 0) | (low == high), low, 0)
    heir[0] = 0
    return heir.astype(np.int32)
