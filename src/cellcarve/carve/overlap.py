"""How far to trust the fitted labels: the leak share of the last step, learned from the genes of pairs.

Labels are smooth and therefore surer of a place than its transcripts are: cells overlap in depth, and transcripts are
displaced. In the last step both count as leak. Between two cells of clearly different type the genes tell how much of
it there is, without any truth: each transcript's own say in its label is taken out again, and the share is chosen that
predicts its gene best from the nuclear profiles of the two.
"""

import numpy as np
from scipy.optimize import minimize

from cellcarve.carve.fit import Fit, leak_share
from cellcarve.carve.geometry import Pairs, find_pairs
from cellcarve.carve.model import Model
from cellcarve.carve.recipe import Recipe
from cellcarve.carve.scene import Scene, units

# Pairs of which fewer teach nothing.
_FEWEST = 1_000
# What is learned where transcripts lie where they were made is about 0.5, and 0.75 with a blur of 1.5 µm: bounds around.
_LEAST, _MOST = 0.45, 0.9


def weigh_pairs(scene: Scene, fit: Fit, model: Model, recipe: Recipe) -> np.ndarray:
    """What place and genes say of each transcript between two cells of clearly different type.

    Returns
    -------
    numpy.ndarray
        (n, 7) float64: soft label of the first and of the second cell without the transcript's own say; the same
        after the leak; share of its gene in the first cell, in the second, and overall.
    """
    pairs = find_pairs(scene, model.types, units(scene.radius, model.scale.radius, model.geometry.power))
    label = _without_own(scene, fit, model, recipe, pairs.index)
    place = label[:, :-1] * fit.within[pairs.index]
    place /= (place.sum(1) + label[:, -1] + 1e-12)[:, None]
    leaked = fit.leaked[scene.pixel[pairs.index]]
    parts = [
        _of(scene, pairs, cell, part) for part in (place, leaked) for cell in (pairs.first, pairs.second)
    ]
    return np.column_stack([*parts, pairs.chance]).astype(np.float64)


def _without_own(scene: Scene, fit: Fit, model: Model, recipe: Recipe, index: np.ndarray) -> np.ndarray:
    """Soft labels (n, K + 1) of some transcripts' pixels, their own evidence taken out."""
    share = leak_share(recipe, model.geometry.blur)
    pixel, rate = scene.pixel[index], fit.rate[index]
    rest = model.background[scene.view.gene[index]] + share * (fit.leaked[pixel] * rate).sum(1)
    label = fit.label[pixel].astype(np.float64)
    label[:, :-1] *= (1 + (1 - share) * rate / rest[:, None]) ** -recipe.temper
    return label / np.maximum(label.sum(1, keepdims=True), 1e-12)


def _of(scene: Scene, pairs: Pairs, cell: np.ndarray, part: np.ndarray) -> np.ndarray:
    """The column (n,) of `part` (n, K) that belongs to one cell of each pair."""
    return np.where(scene.candidate[scene.pixel[pairs.index]] == cell[:, None], part, 0).sum(1)


def learn_overlap(pairs: np.ndarray, usual: float) -> float:
    """Leak share of the last step that predicts the pairs' genes best; `usual` where there are too few.

    gene ~ w overall + (1 - w) [p first + (1 - p) second], p / (1 - p) = (1 - pi) q_first + pi leaked_first over the same
    of the second; (pi, w) by maximum likelihood.
    """
    if len(pairs) < _FEWEST:
        return usual

    def loss(theta: np.ndarray) -> float:
        share, other = theta
        first = (1 - share) * pairs[:, 0] + share * pairs[:, 2] + 1e-6
        second = (1 - share) * pairs[:, 1] + share * pairs[:, 3] + 1e-6
        mix = (first * pairs[:, 4] + second * pairs[:, 5]) / (first + second)
        return float(-np.log(other * pairs[:, 6] + (1 - other) * mix).mean())

    bounds = [(_LEAST, _MOST), (0.001, 0.95)]
    return float(minimize(loss, np.array([usual, 0.1]), method="L-BFGS-B", bounds=bounds).x[0])
