"""The global model, learned from sample windows of the tissue that do not depend on how it is tiled."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from scipy.sparse import csr_matrix

from cellcarve.carve import labels as kernel
from cellcarve.carve.assign import answer
from cellcarve.carve.fit import finish, fit_scene
from cellcarve.carve.geometry import learn_geometry
from cellcarve.carve.missed import weigh_places
from cellcarve.carve.model import Geometry, Model, Scale
from cellcarve.carve.nuclei import Nuclei
from cellcarve.carve.overlap import learn_overlap, weigh_pairs
from cellcarve.carve.rate import shift_of_rate
from cellcarve.carve.recipe import Recipe
from cellcarve.carve.scene import Scene, even_out, measure_scene, nearest_nucleus, prepare, settle, units
from cellcarve.carve.seeds import add_cells
from cellcarve.carve.types import keep_to_nuclei, learn_types, overall_shares, refresh, whole_cell
from cellcarve.data.exclusion import find_exclusion
from cellcarve.data.tiles import View, count_squares, view_box
from cellcarve.data.tissue import Tissue

# Side of a window, µm: some twenty cells across, so that few lie at its rim. Transcripts in all windows, and in those of them
# that geometries are tried on, each of which is fitted dozens of times: neither grows with the tissue.
_WINDOW = 250.0
_SAMPLE = 300_000
_GEOMETRY_SAMPLE = 100_000


def sample_windows(tissue: Tissue, halo: float, most: int) -> list[View]:
    """Square windows of 250 µm spread evenly over the tissue, with about `most` transcripts in all."""
    grid = tissue.grid
    column, row, count = count_squares(tissue, _WINDOW)
    fullest = np.flatnonzero(count >= 0.2 * np.quantile(count, 0.9))
    number = max(1, min(len(fullest), round(len(fullest) * most / count[fullest].sum())))
    chosen = fullest[np.unique(np.linspace(0, len(fullest) - 1, number).round().astype(np.int64))]
    views = []
    for i, j in zip(column[chosen].tolist(), row[chosen].tolist(), strict=True):
        x, y = grid.centre_x + i * _WINDOW, grid.centre_y + j * _WINDOW
        box = (x, y, x + _WINDOW, y + _WINDOW)
        views.append(view_box(tissue, box, halo, _touching(tissue, box, halo)))
    return views


def _touching(tissue: Tissue, box: tuple[float, float, float, float], halo: float) -> list[int]:
    grid = tissue.grid
    first_x, last_x = (
        int(np.clip((v - grid.x0) // grid.side, 0, grid.nx - 1)) for v in (box[0] - halo, box[2] + halo)
    )
    first_y, last_y = (
        int(np.clip((v - grid.y0) // grid.side, 0, grid.ny - 1)) for v in (box[1] - halo, box[3] + halo)
    )
    return [r * grid.nx + c for r in range(first_y, last_y + 1) for c in range(first_x, last_x + 1)]


def tissue_scale(tissue: Tissue, nuclei: Nuclei) -> Scale:
    """Pixel and smoothing from the local density of transcripts: fine where there are many."""
    count = np.sort(count_squares(tissue, 10.0)[2])
    # Median over transcripts, not over area: empty surroundings do not count.
    typical = float(count[np.searchsorted(np.cumsum(count), len(tissue.transcripts) // 2, "right")]) / 100
    sigma = float(np.clip(np.sqrt(8 / (4 * np.pi * typical)), 0.8, 4.0))
    return Scale(
        pixel=float(np.clip(round(1.25 * sigma * 4) / 4, 1.0, 4.0)), sigma=sigma, radius=nuclei.usual
    )


def nuclear_counts(tissue: Tissue, cells: int) -> csr_matrix:
    """Transcripts of each gene in each nucleus, (cells, G)."""
    t = tissue.transcripts
    core = np.flatnonzero(t.core & (t.cell > 0))
    one = np.ones(len(core), np.float32)
    return csr_matrix((one, (t.cell[core] - 1, t.gene[core])), shape=(cells, tissue.genes))


def learn(
    tissue: Tissue,
    nuclei: Nuclei,
    recipe: Recipe,
    new_cells: bool,
    tell: Callable[[str], None],
) -> Model:
    """Types from all nuclei; geometry, densities, background and refreshed types from sample windows."""
    t = tissue.transcripts
    overall = overall_shares(t.gene, tissue.genes)
    counts = nuclear_counts(tissue, len(nuclei.x) - 1)
    types = learn_types(counts, overall, recipe.types)
    every = np.bincount(t.gene, minlength=tissue.genes)
    nuclear = np.asarray(counts.sum(0)).ravel()
    types = whole_cell(types, nuclear, every)
    scale = tissue_scale(tissue, nuclei)
    views = sample_windows(tissue, recipe.halo, _SAMPLE)
    scenes = [prepare(view, nuclei, scale, Geometry(power=0.5), recipe) for view in views]
    share = max(1, len(scenes) * _GEOMETRY_SAMPLE // max(sum(int(v.inside.sum()) for v in views), 1))
    stride = max(1, len(scenes) // share)
    geometry = learn_geometry(scenes[::stride], types, scale, recipe, tell)
    for scene in scenes:
        measure_scene(scene, scale, geometry, recipe)
    scale = _measure_scale(scenes, scale, geometry)
    apart = keep_to_nuclei(nuclear, every), find_exclusion(counts)
    model = Model(types, geometry, scale, *_levels(scenes, overall, recipe), *apart)
    if new_cells:
        weighed = [weigh_places(scene, model, recipe) for scene in scenes]
        odds = np.concatenate([places.odds for places in weighed])
        model = replace(model, missing=shift_of_rate(odds, recipe.seed_rate))
        for scene, places in zip(scenes, weighed, strict=True):
            add_cells(scene, model, recipe, 1 << 40, places)
    for scene in scenes:
        settle(scene)
    for _ in range(recipe.refits):
        model = _refine(scenes, model, recipe, stride)
    return model


def _measure_scale(scenes: list[Scene], scale: Scale, geometry: Geometry) -> Scale:
    """Quartile of the scaled distance, usual number of transcripts of a cell and density close to nuclei."""
    outside, sizes, close, close_area, cells = [], [], 0, 0.0, 0
    for scene in scenes:
        unit = units(scene.radius, scale.radius, geometry.power)
        rho = nearest_nucleus(scene, scale, geometry)
        inside = scene.view.inside
        # All transcripts count, those beyond reach with the largest distance.
        outside.append(np.minimum(rho[inside], 10.0))
        _, log_size = even_out(scene, unit, geometry.balance, None)
        sizes.append(log_size)
        near = (
            np.where(scene.candidate[:, 0] > 0, 1 + scene.gap[:, 0] / unit[scene.candidate[:, 0]], 1e3) < 1.8
        )
        close += int(near[scene.pixel].sum())
        close_area += float(near.sum()) * scale.pixel**2
        cells += len(np.unique(scene.core[inside & (scene.core > 0)]))
    rho = np.concatenate(outside)
    return replace(
        scale,
        quartile=float(np.clip(np.quantile(rho, 0.75), 1.2, 3.0)),
        log_size=float(np.median(sizes)),
        cell_transcripts=len(rho) / max(cells, 1),
        inside=close / max(close_area, 1.0),
    )


def _levels(scenes: list[Scene], overall: np.ndarray, recipe: Recipe) -> tuple[float, np.ndarray]:
    """Ln of the mean density of cells, and the background (G,) per µm², at the start."""
    number = sum(len(s.view) for s in scenes)
    area = sum(float((s.candidate[:, 0] > 0).sum()) * s.lattice.pixel**2 for s in scenes)
    density = number / max(area, 1.0)
    level = float(np.log((1 - recipe.background) * density))
    return level, (recipe.background * density * overall).astype(np.float32)


def _refine(scenes: list[Scene], model: Model, recipe: Recipe, stride: int) -> Model:
    """One full fit of the windows; types, mean density, background, overlap and usual rare partners from it."""
    genes, number = model.types.profile.shape
    totals, back = np.zeros((genes, number)), np.zeros(genes)
    share = np.zeros(number)
    level_sum, level_weight = 0.0, 0.0
    pairs, rare = [], []
    for i, scene in enumerate(scenes):
        fit = fit_scene(scene, model, recipe)
        if i % stride == 0:
            pairs.append(weigh_pairs(scene, fit, model, recipe))
        finish(scene, fit, model, recipe)
        if i % stride == 0:
            answers = answer(scene, fit, model, recipe)
            rare.append(answers.rare[scene.view.inside & (answers.best > 0)])
        kernel.total_types(
            scene.pixel, scene.view.gene, scene.candidate, fit.mine, fit.weight, model.types.profile, totals
        )
        back += fit.back
        share += (fit.count[1:, None] * fit.weight[1:]).sum(0)
        measured = np.log((fit.count[1:] + 20) / (fit.area[1:] + 20 / np.exp(model.level)))
        level_sum += float((measured * fit.count[1:]).sum())
        level_weight += float(fit.count[1:].sum())
    usual = np.concatenate(rare)
    model = replace(
        model,
        overlap=learn_overlap(np.concatenate(pairs), recipe.leak_last),
        usual_rare=float(usual.mean()) if len(usual) else 1.0,
    )
    types = model.types
    profile = (back + 50 * types.overall) / (back.sum() + 50)
    background = (model.background.sum() * profile).astype(np.float32)
    if level_weight == 0:
        return replace(model, background=background)
    types = refresh(totals, share / max(share.sum(), 1e-9), types.overall)
    return replace(model, types=types, level=level_sum / level_weight, background=background)
