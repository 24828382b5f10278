"""Fit one view given the global model: soft labels of pixels, posteriors of transcripts, types of cells.

Mean field: labels and transcripts take turns, each given the other's present beliefs; nothing is drawn at random.
"""

from dataclasses import dataclass

import numpy as np

from cellcarve.carve import labels as kernel
from cellcarve.carve.geometry import nuclear_types
from cellcarve.carve.model import Model
from cellcarve.carve.recipe import Recipe
from cellcarve.carve.scene import Scene, even_out, scaled, units
from cellcarve.carve.types import proportions
from cellcarve.data.sorting import rows_of


@dataclass
class Fit:
    """A fitted view; V transcripts, P pixels, K candidates, C cells, Q types.

    Attributes
    ----------
    label
        (P, K + 1) float32 soft label of each pixel; the last column is "no cell".
    leaked
        (P, K) float32 the same after the leak.
    within
        (V, K) float32 correction for the place of a transcript within its pixel.
    rate
        (V, K) float32 D_c lambda_cg.
    mine
        (V, K + 1) float32 posterior of each transcript.
    weight
        (C + 1, Q) float32 types of each cell.
    density
        (C + 1,) float32 transcripts per µm².
    count, area
        (C + 1,) float64 soft transcripts and µm² of each cell.
    back
        (G,) float64 soft background transcripts of each gene.
    """

    label: np.ndarray
    leaked: np.ndarray
    within: np.ndarray
    rate: np.ndarray
    mine: np.ndarray
    weight: np.ndarray
    density: np.ndarray
    count: np.ndarray
    area: np.ndarray
    back: np.ndarray


def leak_share(recipe: Recipe, blur: float) -> float:
    """Share of transcripts taken to have left their cell while labels are fitted."""
    return recipe.leak + (1 - recipe.leak) * blur


def fit_scene(scene: Scene, model: Model, recipe: Recipe) -> Fit:
    """Fit a scene: labels, posteriors, proportions and densities take turns."""
    prior, fit = _start(scene, model, recipe)
    nx, view = scene.lattice.nx, scene.view
    share = leak_share(recipe, model.geometry.blur)
    lists = _by_cell(scene)
    decay = np.float32(np.exp(-scene.lattice.pixel / recipe.leak_um))
    area = np.float32(scene.lattice.pixel**2)
    score = np.empty_like(prior)
    kernel.leak(fit.label, *lists, decay, fit.leaked)
    for _ in range(recipe.sweeps):
        cost = np.float32(recipe.temper * (1 - share)) * area * fit.density
        kernel.subtract_cost(prior, cost, scene.candidate, score)
        kernel.gather_evidence(
            (scene.pixel, view.gene),
            fit.rate,
            fit.leaked,
            model.background,
            (np.float32(share), np.float32(recipe.temper)),
            score,
        )
        for colour in (0, 1):
            kernel.relabel(colour, nx, scene.candidate, score, np.float32(recipe.smooth), fit.label)
        kernel.leak(fit.label, *lists, decay, fit.leaked)
        _choose(scene, fit, model, share, fit.rate)
        _refit_cells(scene, fit, model, recipe)
    return fit


def finish(scene: Scene, fit: Fit, model: Model, recipe: Recipe, gene_weight: float = 1.0) -> None:
    """Last posterior of the transcripts, with the leak share that also stands for overlap in depth.

    Parameters
    ----------
    scene, fit, model, recipe
        See there.
    gene_weight
        Exponent of a gene's rate in a cell in the last posterior: below 1 the gene says less, since profiles of cells
        are estimates.
    """
    for _ in range(2):
        _choose(scene, fit, model, model.overlap, fit.rate)
        _refit_cells(scene, fit, model, recipe)
    rate = fit.rate
    if gene_weight < 1:
        usual = np.exp(model.level) * model.types.overall[scene.view.gene]
        rate = rate ** np.float32(gene_weight) * (usual ** (1 - gene_weight)).astype(np.float32)[:, None]
    _choose(scene, fit, model, model.overlap, rate)


def _start(scene: Scene, model: Model, recipe: Recipe) -> tuple[np.ndarray, Fit]:
    """Prior scores of the labels, and a fit at its starting point: labels by geometry, types by nuclei."""
    geometry, scale = model.geometry, model.scale
    unit = units(scene.radius, scale.radius, geometry.power)
    shift, _ = even_out(scene, unit, geometry.balance, scale.log_size)
    P, K = scene.candidate.shape
    V, C = len(scene.view), len(scene.cell)
    at_core = np.zeros((P, K), np.float32)
    core = np.flatnonzero(scene.core)
    row, column = np.nonzero(scene.candidate[scene.pixel[core]] == scene.core[core][:, None])
    at_core[scene.pixel[core[row]], column] = recipe.bonus
    nothing = np.float32(1 + recipe.nothing * (scale.quartile - 1))
    prior = np.empty((P, K + 1), np.float32)
    kernel.prior_scores(
        scene.candidate, scene.gap, unit, shift, np.float32(recipe.softness), nothing, at_core, prior
    )
    fit = Fit(
        label=np.empty((P, K + 1), np.float32),
        leaked=np.zeros((P, K), np.float32),
        within=_within(scene, unit, shift, recipe),
        rate=np.zeros((V, K), np.float32),
        mine=np.zeros((V, K + 1), np.float32),
        weight=np.zeros((C, model.types.profile.shape[1]), np.float32),
        density=np.full(C, np.exp(model.level), np.float32),
        count=np.zeros(C),
        area=np.zeros(C),
        back=np.zeros(len(model.background)),
    )
    fit.density[0] = 0
    kernel.normalise(prior, fit.label)
    fit.mine[core[row], column] = 1
    fit.weight[:], _ = nuclear_types(scene, model.types)
    kernel.expected_rates(
        scene.view.gene, scene.pixel, scene.candidate, fit.weight, model.types.profile, fit.density, fit.rate
    )
    return prior, fit


def _within(scene: Scene, unit: np.ndarray, shift: np.ndarray, recipe: Recipe) -> np.ndarray:
    """exp(w beta (rho^2 at the pixel's middle - rho^2 at the transcript)), (V, K) float32."""
    strength = np.float32(recipe.within * recipe.softness)
    return kernel.correct(
        scene.candidate, scene.pixel, scene.gap, scaled(scene, unit, shift), unit, shift, strength
    )


def _by_cell(scene: Scene) -> tuple[tuple[np.ndarray, ...], np.ndarray, np.ndarray]:
    """What `labels.leak` has to know of where each cell is a candidate: lists, their starts, and boxes."""
    K = scene.candidate.shape[1]
    order, start = rows_of(scene.candidate.ravel(), len(scene.cell))
    place, slot = order // K, (order % K).astype(np.int8)
    inside, box = kernel.frame(place, start, scene.lattice.nx)
    return (place, slot, inside), start, box


def _choose(scene: Scene, fit: Fit, model: Model, share: float, rate: np.ndarray) -> None:
    kernel.choose_cells(
        (scene.pixel, scene.view.gene),
        rate,
        fit.within,
        (fit.label, fit.leaked),
        model.background,
        np.float32(share),
        fit.mine,
    )


def _types_of_cells(scene: Scene, fit: Fit, model: Model) -> None:
    """Counts, background and proportions of programmes from the present posteriors: one EM step."""
    gained = np.zeros(fit.weight.shape)
    fit.back[:] = 0
    kernel.recount(
        scene.pixel,
        scene.view.gene,
        scene.candidate,
        fit.mine,
        fit.weight,
        model.types.profile,
        gained,
        fit.back,
    )
    fit.count[:] = gained.sum(1)
    fit.weight[:] = proportions(gained, model.types.share)


def _refit_cells(scene: Scene, fit: Fit, model: Model, recipe: Recipe) -> None:
    """Types, densities (shrunk towards the mean on the log scale) and rates of the view's cells."""
    _types_of_cells(scene, fit, model)
    fit.area[:] = 0
    kernel.territory(scene.candidate, fit.label, fit.area)
    fit.area *= scene.lattice.pixel**2
    own = max(0.0, recipe.density * (1 - 2 * model.geometry.blur))
    measured = np.log((fit.count + 20) / (fit.area + 20 / np.exp(model.level)))
    fit.density[:] = np.exp(model.level + own * (measured - model.level))
    fit.density[0] = 0
    kernel.expected_rates(
        scene.view.gene, scene.pixel, scene.candidate, fit.weight, model.types.profile, fit.density, fit.rate
    )
