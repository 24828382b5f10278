"""New cells where transcripts lie far from every nucleus."""

import numpy as np
from scipy import ndimage
from scipy.spatial import cKDTree

from cellcarve.carve.lattice import Lattice
from cellcarve.carve.model import Model
from cellcarve.carve.recipe import Recipe
from cellcarve.carve.scene import Scene, measure_scene, scaled, units


def add_cells(scene: Scene, model: Model, recipe: Recipe, first: int) -> np.ndarray:
    """Add pseudo-nuclei to a scene, in place.

    A place becomes a new cell where the density of transcripts far from every nucleus is highest within 1.3 nuclear
    radii and at least half of that close to nuclei; the free transcripts within 0.8 radii become its core. "Far" is
    set by the tissue's own distances. Every decision is local, so that neighbouring tiles agree.

    Parameters
    ----------
    first
        Number given to the first new cell in ``scene.cell``; the next follow.

    Returns
    -------
    numpy.ndarray
        (S, 2) float64, where the new cells lie, µm.
    """
    scale, radius = model.scale, model.scale.radius
    unit = units(scene.radius, radius, model.geometry.power)
    rho = scaled(scene, unit, np.zeros(len(unit), np.float32)).min(1, initial=1e3)
    far = 1 + recipe.far * (scale.quartile - 1)
    place = _peaks(scene, rho, far, model)
    x, y = scene.view.x, scene.view.y
    free = np.flatnonzero((scene.core == 0) & (rho > 1 + 0.5 * (far - 1)))
    lone = np.flatnonzero(rho > far)
    if len(place) == 0 or len(free) == 0:
        return np.empty((0, 2))
    enough = _within(place, x[lone], y[lone], 2 * radius) >= recipe.seed_share * scale.cell_transcripts
    enough &= _within(place, x[free], y[free], 0.8 * radius) >= 6
    place = place[enough]
    if len(place) == 0:
        return place
    distance, owner = cKDTree(place).query(np.c_[x[free], y[free]], distance_upper_bound=0.8 * radius)
    taken = np.isfinite(distance)
    scene.core[free[taken]] = len(scene.cell) + owner[taken]
    scene.cell = np.concatenate([scene.cell, first + np.arange(len(place))])
    scene.radius = np.concatenate([scene.radius, np.full(len(place), radius, np.float32)])
    measure_scene(scene, scale, model.geometry, recipe)
    return place


def _peaks(scene: Scene, rho: np.ndarray, far: float, model: Model) -> np.ndarray:
    """Maxima (S, 2) of the density of transcripts that lie far from every nucleus, µm."""
    lattice, radius = scene.lattice, model.scale.radius
    weight = 1 / (1 + np.exp(np.clip((far - rho) / 0.1, -50, 50)))
    image = np.bincount(scene.pixel, weight, len(lattice)).reshape(lattice.ny, lattice.nx) / lattice.pixel**2
    image = ndimage.gaussian_filter(image, 0.7 * radius / lattice.pixel, mode="constant", truncate=3)
    reach = int(np.ceil(1.3 * radius / lattice.pixel))
    across = np.arange(-reach, reach + 1)
    disc = np.hypot(*np.meshgrid(across, across)) * lattice.pixel <= 1.3 * radius
    # The filter costs disc size times pixels; most of the image is empty, so look only where there is something.
    high = image > 0.5 * model.scale.inside
    if not high.any():
        return np.empty((0, 2))
    row, column = np.nonzero(high & (image == ndimage.maximum_filter(image, footprint=disc)))
    return np.c_[_middle(column, lattice.x0, lattice), _middle(row, lattice.y0, lattice)]


def _middle(index: np.ndarray, corner: float, lattice: Lattice) -> np.ndarray:
    return corner + (index + 0.5) * lattice.pixel


def _within(place: np.ndarray, x: np.ndarray, y: np.ndarray, radius: float) -> np.ndarray:
    """Number of points within `radius` of each place."""
    if len(x) == 0:
        return np.zeros(len(place), np.int64)
    return np.asarray(cKDTree(np.c_[x, y]).query_ball_point(place, radius, return_length=True))
