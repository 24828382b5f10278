"""The method carve from prior nuclei to a segmentation: repair, learn, fit tile by tile, put together."""

import numpy as np

from cellcarve.carve.agreement import doubt
from cellcarve.carve.assign import answer, expected_pairs, sure_enough
from cellcarve.carve.blank import find_cells
from cellcarve.carve.fit import finish, fit_scene
from cellcarve.carve.gather import Answers, TileAnswer, gather
from cellcarve.carve.hollows import TRUST, find_hollows
from cellcarve.carve.learn import learn, nuclear_counts
from cellcarve.carve.missed import weigh_places
from cellcarve.carve.model import Model
from cellcarve.carve.nuclei import Nuclei, measure
from cellcarve.carve.recipe import Recipe
from cellcarve.carve.repair import Repaired, repair
from cellcarve.carve.scene import Scene, prepare, settle
from cellcarve.carve.seeds import add_cells
from cellcarve.carve.threads import on_threads
from cellcarve.carve.types import learn_types, overall_shares
from cellcarve.data import flat
from cellcarve.data.prior import Prior
from cellcarve.data.segmentation import Segmentation
from cellcarve.data.table import Table
from cellcarve.data.tiles import cut, view_tile
from cellcarve.data.tissue import Tissue
from cellcarve.progress import Progress
from cellcarve.settings import CarveSettings, ComputeSettings

DEFAULT_TILE = 400.0


def carve(
    table: Table, prior: Prior, settings: CarveSettings, compute: ComputeSettings, progress: Progress
) -> Segmentation:
    """Assign every kept transcript to a cell, or to none.

    Parameters
    ----------
    table
        N rows of input.
    prior
        Nuclei laid over them.

    Returns
    -------
    Segmentation
        Of all N rows, in input order.
    """
    recipe = recipe_for(prior)
    again, known = None, bool(prior.core.any())
    hollow = None if known else _hollows(table, settings, compute.threads, progress)
    tissue = hollow or cut(table, prior.cell, prior.core, len(prior.names), settings.tile or DEFAULT_TILE)
    progress.stage("looking at nuclei", len(tissue.transcripts), "transcripts")
    if not (known or hollow):
        again = find_cells(tissue, settings.cell_diameter, recipe.types, recipe.halo, compute.threads)
        progress.note(f"no prior: {tissue.cells} cells found from density and expression")
    repaired = repaired_nuclei(tissue, settings, recipe, progress)
    nuclei = measured(tissue)
    progress.stage("learning from sample windows")
    model = learn(tissue, nuclei, recipe, settings.new_cells, progress.note)
    progress.stage("assigning transcripts", len(tissue.transcripts), "transcripts")

    def one(tile: int) -> TileAnswer:
        result = _fit_tile(tissue, tile, nuclei, model, recipe, settings)
        progress.advance(len(result.best))
        flat.relax()
        return result

    answers = Answers(table, tissue)
    tiles = np.flatnonzero(np.diff(tissue.transcripts.start)).tolist()
    on_threads(one, tiles, compute.threads, answers.add)
    found = gather(table, prior, repaired, model, answers)
    if again is not None:
        doubt(found, tissue, again, model.geometry.blur, recipe)
    if hollow:
        found.probability *= np.float32(TRUST)
        found.expected.data *= np.float32(TRUST)
    return found


def _hollows(table: Table, settings: CarveSettings, threads: int, progress: Progress) -> Tissue | None:
    """The tissue with empty spots as its nuclei, if they are; else None."""
    side = settings.tile or DEFAULT_TILE
    cell = find_hollows(table, settings.cell_diameter / 2, side, threads, progress)
    return None if cell is None else cut(table, cell, cell > 0, int(cell.max()), side)


def recipe_for(prior: Prior) -> Recipe:
    """The recipe for nuclei that are trusted as a prior's are.

    The log prior of a pixel in which a core transcript lies is what the chance of an error, 1 - confidence, amounts to.
    """
    return Recipe(bonus=float(min(-1.3 * np.log(max(1 - prior.confidence, 1e-4)), 12.0)))


def repaired_nuclei(tissue: Tissue, settings: CarveSettings, recipe: Recipe, progress: Progress) -> Repaired:
    """Repair the tissue's nuclei, in place; tells how many were cut and joined."""
    t = tissue.transcripts
    t.core &= t.cell > 0
    core = np.flatnonzero(t.core)
    cells = tissue.cells
    if not settings.repair or len(core) == 0:
        keep = np.zeros(cells + 1, bool)
        return Repaired(t.cell[core], cells, np.arange(cells + 1, dtype=np.int32), keep, keep.copy())
    overall = overall_shares(t.gene, tissue.genes)
    types = learn_types(nuclear_counts(tissue, cells), overall, recipe.types)
    repaired = repair(t.cell[core], t.x[core], t.y[core], t.gene[core], cells, types)
    t.cell[core] = repaired.label
    tissue.cells = repaired.cells
    progress.note(
        f"nuclei: {repaired.cells - cells} merged ones cut in two, {int(repaired.joined.sum())} split ones joined"
    )
    return repaired


def measured(tissue: Tissue) -> Nuclei:
    """The tissue's nuclei as they are."""
    t = tissue.transcripts
    core = np.flatnonzero(t.core)
    return measure(t.cell[core], t.x[core], t.y[core], tissue.cells)


def seeded(
    tissue: Tissue, tile: int, nuclei: Nuclei, model: Model, recipe: Recipe, settings: CarveSettings
) -> tuple[Scene, np.ndarray]:
    """A tile with its surroundings and the cells that are new there; where these lie, (S, 2) float64 µm."""
    view = view_tile(tissue, tile, recipe.halo)
    scene = prepare(view, nuclei, model.scale, model.geometry, recipe)
    if not settings.new_cells:
        return scene, np.empty((0, 2))
    return scene, add_cells(scene, model, recipe, tissue.cells + 1, weigh_places(scene, model, recipe))


def _fit_tile(
    tissue: Tissue,
    tile: int,
    nuclei: Nuclei,
    model: Model,
    recipe: Recipe,
    settings: CarveSettings,
) -> TileAnswer:
    """Fit a tile with its surroundings and keep what concerns its own transcripts."""
    scene, seeds = seeded(tissue, tile, nuclei, model, recipe, settings)
    settle(scene)
    fit = fit_scene(scene, model, recipe)
    finish(scene, fit, model, recipe, recipe.gene_weight)
    result = answer(scene, fit, model, recipe)
    own = scene.view.inside
    sure = sure_enough(result, settings.purity, model)
    cells, genes, total = expected_pairs(scene, result, own)
    anchored = np.bincount(scene.core[own], minlength=len(scene.cell))
    number = scene.cell.astype(np.int32)
    return TileAnswer(
        tile=tile,
        best=number[result.best[own]],
        second=number[result.second[own]],
        probability=result.probability[own],
        sure=sure[own],
        seeds=seeds,
        expected=(number[cells], genes, total),
        cluster=(number[1:], fit.weight[1:].argmax(1).astype(np.int32), anchored[1:]),
    )
