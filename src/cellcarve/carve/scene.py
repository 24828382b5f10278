"""A view made ready for fitting: its cells, its lattice, and how far each place is from each nucleus."""

from dataclasses import dataclass

import numpy as np

from cellcarve.carve.distance import (
    Anchors,
    Fields,
    density,
    gaps_of,
    join,
    measure_distance,
    nearest_cells,
    no_fields,
    price,
    scale_gaps,
)
from cellcarve.carve.lattice import Lattice, lay_lattice, pixels_of
from cellcarve.carve.model import Geometry, Scale
from cellcarve.carve.nuclei import Nuclei
from cellcarve.carve.recipe import Recipe
from cellcarve.data.sorting import rows_of
from cellcarve.data.tiles import View


@dataclass
class Scene:
    """V transcripts, P pixels, K candidates, C cells of the view (entry 0 unused).

    Attributes
    ----------
    view, lattice
        The transcripts and their pixels.
    pixel
        (V,) int32 pixel of each transcript.
    relative
        Relative density of transcripts on fine pixels.
    cell
        (C + 1,) int64 cells of the whole tissue behind the view's cells.
    core
        (V,) int32 the view's cell that a transcript anchors, 0 = none.
    radius
        (C + 1,) float32 nuclear radius, µm.
    candidate
        (P, K) int32 nearest cells of each pixel, 0 = none.
    gap
        (P, K) float32 distance from their nuclear surfaces, µm.
    gap_here
        (V, K) float32 the same at the transcript itself.
    fields, valley
        Distances from the cells measured so far, and the geometry's valley at which they were measured.
    """

    view: View
    lattice: Lattice
    pixel: np.ndarray
    relative: np.ndarray
    cell: np.ndarray
    core: np.ndarray
    radius: np.ndarray
    candidate: np.ndarray
    gap: np.ndarray
    gap_here: np.ndarray
    fields: Fields
    valley: float


def settle(scene: Scene) -> None:
    """Let go of what only serves to measure cells: no more will be added."""
    scene.fields, scene.relative = no_fields(), np.empty((0, 0), np.float32)


def units(radius: np.ndarray, usual: float, power: float) -> np.ndarray:
    """Unit of the scaled distance of each cell, µm float32."""
    return (radius**power * usual ** (1 - power)).astype(np.float32)


def prepare(view: View, nuclei: Nuclei, scale: Scale, geometry: Geometry, recipe: Recipe) -> Scene:
    """Lattice, density, cells and distances of a view."""
    lattice = lay_lattice(view, scale.pixel)
    anchored = np.flatnonzero(view.core & (view.cell > 0))
    cell, local = np.unique(view.cell[anchored], return_inverse=True)
    core = np.zeros(len(view), np.int32)
    core[anchored] = local + 1
    cell = np.concatenate([[0], cell]).astype(np.int64)
    scene = Scene(
        view=view,
        lattice=lattice,
        pixel=pixels_of(lattice, view.x, view.y),
        relative=density(lattice, view.x, view.y, scale.sigma),
        cell=cell,
        core=core,
        radius=nuclei.radius[cell],
        candidate=np.empty((0, 0), np.int32),
        gap=np.empty((0, 0), np.float32),
        gap_here=np.empty((0, 0), np.float32),
        fields=no_fields(),
        valley=geometry.valley,
    )
    measure_scene(scene, scale, geometry, recipe)
    return scene


def measure_scene(scene: Scene, scale: Scale, geometry: Geometry, recipe: Recipe) -> None:
    """(Re)compute candidates and gaps of a scene for its present cores, in place."""
    view, lattice, cells = scene.view, scene.lattice, len(scene.cell) - 1
    _measure_fields(scene, geometry.valley, recipe.reach)
    fields = scene.fields
    unit = units(scene.radius, scale.radius, geometry.power)
    limits = np.array([recipe.neighbours, recipe.farthest], np.float32)
    level = np.zeros(cells + 1, np.float32)
    scene.candidate, scene.gap = nearest_cells(
        fields.box, fields.start, fields.value, unit, level, lattice.nx, lattice.ny, limits
    )
    fine = lattice.pixel / 2
    column = ((view.x - lattice.x0) / fine - 0.5).astype(np.float32)
    row = ((view.y - lattice.y0) / fine - 0.5).astype(np.float32)
    scene.gap_here = gaps_of(
        fields.box, fields.start, fields.value, scene.candidate, scene.pixel, column, row
    )


def _measure_fields(scene: Scene, valley: float, reach: float) -> None:
    """Bring the distances up to date: those from cells that are new, or all of them for another valley."""
    if valley != scene.valley:
        scene.fields, scene.valley = no_fields(), valley
    known = len(scene.fields.box) - 1
    new = np.flatnonzero(scene.core > known)
    order, start = rows_of(scene.core[new] - known, len(scene.cell) - known)
    view = scene.view
    anchors = Anchors(view.x[new][order], view.y[new][order], start)
    found = measure_distance(scene.lattice, price(scene.relative, valley), anchors, reach)
    scene.fields = join(scene.fields, found)


def scaled(scene: Scene, unit: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """Scaled distance rho of each transcript to its pixel's candidates, (V, K) float32; 1000 where there is none."""
    return scale_gaps(scene.candidate, scene.pixel, scene.gap_here, unit, shift)


def nearest_nucleus(scene: Scene, scale: Scale, geometry: Geometry) -> np.ndarray:
    """Scaled distance of each transcript to the nearest nucleus, (V,) float32; 1000 where none is in reach."""
    unit = units(scene.radius, scale.radius, geometry.power)
    return scaled(scene, unit, np.zeros(len(unit), np.float32)).min(1, initial=1e3)


def even_out(
    scene: Scene, unit: np.ndarray, balance: float, log_size: float | None
) -> tuple[np.ndarray, float]:
    """Shift of each cell's scaled distance that evens out (balance > 0) the sizes of cells.

    Three rounds of giving each transcript to the nearest cell; a cell with more transcripts than the median moves
    away by balance * ln(ratio), at most 1.

    Returns
    -------
    tuple
        shift (C + 1,) float32, and the median of ln(transcripts + 10) that was used (`log_size` where given).
    """
    shift = np.zeros(len(unit), np.float32)
    middle = 0.0 if log_size is None else log_size
    if balance == 0 and log_size is not None:
        return shift, middle
    cell = scene.candidate[scene.pixel]
    free = scaled(scene, unit, shift)
    each = np.arange(len(cell))
    for _ in range(3):
        nearest = cell[each, (free + shift[cell]).argmin(1)] if len(each) else np.empty(0, np.int64)
        size = np.log(np.bincount(nearest, minlength=len(unit)) + 10.0)
        middle = float(np.median(size[1:])) if log_size is None and len(size) > 1 else middle
        shift = np.clip(balance * (size - middle), -1, 1).astype(np.float32)
        shift[0] = 0
    return shift, middle
