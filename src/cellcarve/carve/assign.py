"""From a fitted view to answers: best cell, calibrated probability, runner-up, and the purity threshold."""

from dataclasses import dataclass

import numpy as np

from cellcarve.carve.fit import Fit, leak_share
from cellcarve.carve.labels import shares
from cellcarve.carve.model import Model
from cellcarve.carve.recipe import Recipe
from cellcarve.carve.scene import Scene
from cellcarve.settings import Purity

# Probability needed by a transcript that is as likely in the cell as anywhere, and how much less (more) is needed for
# every nat that it is likelier (less likely) than that. What each gives is measured in docs/model.md.
THRESHOLDS: dict[Purity, tuple[float, float]] = {
    "complete": (0.30, 0.04),
    "balanced": (0.40, 0.09),
    "pure": (0.40, 0.19),
}
# Weight of the profile against the cell's own other transcripts, as a share of a usual cell's transcripts.
_PROFILE_WEIGHT = 0.5


@dataclass
class Answer:
    """What is said of each transcript of a view; V transcripts, cells numbered as in the view, 0 = none.

    Attributes
    ----------
    best, second
        (V,) int32 likeliest and second likeliest cell; `best` is 0 where "no cell" is likelier.
    probability
        (V,) float32 of `best`, 0 where `best` is 0.
    surprise
        (V,) float32 ln(share of the gene in `best` / share of the gene in all transcripts); low = unexpected.
    belief
        (V, K) float32 probability of each candidate.
    """

    best: np.ndarray
    second: np.ndarray
    probability: np.ndarray
    surprise: np.ndarray
    belief: np.ndarray


def answer(scene: Scene, fit: Fit, model: Model, recipe: Recipe) -> Answer:
    """Read the answers off a finished fit."""
    belief = _belief(scene, fit, model, recipe)
    cells, nothing = belief[:, :-1], belief[:, -1]
    candidate = scene.candidate[scene.pixel]
    each = np.arange(len(cells))
    top = cells.argmax(1)
    probability = cells[each, top]
    rest = cells.copy()
    rest[each, top] = -1
    next_best = rest.argmax(1)
    settled = (probability > nothing) & (probability > 0)
    best = np.where(settled, candidate[each, top], 0).astype(np.int32)
    second = np.where(rest[each, next_best] > 0.01, candidate[each, next_best], 0)
    second = np.where(settled, second, np.where(probability > 0.01, candidate[each, top], 0))
    probability = np.where(settled, probability, 0).astype(np.float32)
    surprise = _surprise(scene, fit, model, best, probability)
    return Answer(best, second.astype(np.int32), probability, surprise, cells)


def _surprise(scene: Scene, fit: Fit, model: Model, best: np.ndarray, probability: np.ndarray) -> np.ndarray:
    """ln(share of the gene in the cell / share overall), the transcript itself left out; (V,) float32.

    The cell's share is the mean of its profile and of its own other transcripts: a single transcript of a gene that
    nothing else in the cell supports is what a stray looks like.
    """
    gene = scene.view.gene
    profile = shares(best, gene, fit.weight, model.types.profile)
    genes = len(model.types.overall)
    _, entry = np.unique(best.astype(np.int64) * genes + gene, return_inverse=True)
    others = np.bincount(entry, probability)[entry] - probability
    size = np.bincount(best, probability)[best] - probability
    weight = _PROFILE_WEIGHT * model.scale.cell_transcripts
    share = (others + weight * profile) / (size + weight)
    return np.log(np.maximum(share, 1e-12) / model.types.overall[gene]).astype(np.float32)


def _belief(scene: Scene, fit: Fit, model: Model, recipe: Recipe) -> np.ndarray:
    """Probability of each candidate and of "no cell", (V, K + 1) float32.

    In clear tissue: whose transcript it is. The more blur, the more: in whose territory it lies, a leaked transcript
    then counting for the cell in which it is seen.
    """
    blur = model.geometry.blur
    weight = np.float32(min(1.0, 2 * blur))
    if weight < 0.05:
        return fit.mine
    share = np.float32(leak_share(recipe, blur))
    label = fit.label[scene.pixel]
    place = label[:, :-1] * fit.within
    place /= (place.sum(1) + label[:, -1] + 1e-12)[:, None]
    rest = model.background[scene.view.gene] + share * (fit.leaked[scene.pixel] * fit.rate).sum(1)
    inside = np.empty_like(fit.mine)
    inside[:, :-1] = place * ((1 - share) * fit.rate + rest[:, None]) * (fit.rate > 0)
    inside[:, -1] = label[:, -1] * rest
    inside **= np.float32(recipe.calm)
    inside /= np.maximum(inside.sum(1, keepdims=True), 1e-12)
    return (1 - weight) * fit.mine + weight * inside


def sure_enough(answer_: Answer, purity: Purity, blur: float) -> np.ndarray:
    """Which transcripts are given to their best cell, (V,) bool.

    A transcript that the cell's profile makes unlikely needs more certainty than one that it expects. What a purer
    setting gives, every less pure one gives too.
    """
    needed = np.full(len(answer_.best), 0.25)
    for name, (cut, slope) in THRESHOLDS.items():
        needed = np.maximum(needed, (cut - slope * answer_.surprise) * (1 - blur / 8))
        if name == purity:
            break
    needed = np.minimum(needed, 0.97)
    return (answer_.best > 0) & (answer_.probability >= needed)


def expected_pairs(
    scene: Scene, answer_: Answer, inside: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cells of the view, genes and summed probabilities of the transcripts `inside`, one entry per cell and gene."""
    belief = answer_.belief[inside]
    candidate = scene.candidate[scene.pixel[inside]]
    row, column = np.nonzero(belief > 0.01)
    genes = np.int64(scene.view.gene.max(initial=0)) + 1
    key = candidate[row, column].astype(np.int64) * genes + scene.view.gene[inside][row]
    key, place = np.unique(key, return_inverse=True)
    total = np.bincount(place, belief[row, column], len(key)).astype(np.float32)
    return (key // genes).astype(np.int32), (key % genes).astype(np.int32), total
