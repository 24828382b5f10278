"""From a fitted view to answers: best cell, calibrated probability, runner-up, and the purity threshold."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from cellcarve.carve.fit import Fit, leak_share
from cellcarve.carve.labels import shares
from cellcarve.carve.model import Model
from cellcarve.carve.recipe import Recipe
from cellcarve.carve.scene import Scene
from cellcarve.data.exclusion import rare_partners
from cellcarve.settings import Purity


class Threshold(NamedTuple):
    """Probability that a transcript needs. What each setting gives is measured in docs/model.md.

    Attributes
    ----------
    cut
        In any case.
    unexpected
        More where the cell shows the gene by this transcript alone, for every nat by which its share there falls short
        of e times its share overall.
    rare
        More where the cell shows the gene by this transcript alone, for as many rare partners as a usual transcript
        has in its cell.
    """

    cut: float
    unexpected: float
    rare: float


THRESHOLDS: dict[Purity, Threshold] = {
    "complete": Threshold(0.30, 0.0, 0.0),
    "balanced": Threshold(0.342, 0.082, 0.058),
    "pure": Threshold(0.36, 0.09, 0.08),
}
# A transcript as sure as this is given whatever it would change.
_ENOUGH = 0.97
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
    alone
        (V,) float32 chance that no other transcript of the gene is in `best`.
    rare
        (V,) float32 expected number of genes in `best` that the transcript's gene is rarely seen with.
    belief
        (V, K) float32 probability of each candidate.
    """

    best: np.ndarray
    second: np.ndarray
    probability: np.ndarray
    surprise: np.ndarray
    alone: np.ndarray
    rare: np.ndarray
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
    surprise, alone, rare = _fitting(scene, fit, model, best, probability)
    return Answer(best, second.astype(np.int32), probability, surprise, alone, rare, cells)


def _fitting(
    scene: Scene, fit: Fit, model: Model, best: np.ndarray, probability: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """How each transcript fits what else is in its cell: surprise, alone and rare of `Answer`; (V,) float32.

    The gene's share in the cell is the mean of the cell's profile and of its own other transcripts: a single
    transcript of a gene that nothing else in the cell supports is what a stray looks like.
    """
    gene = scene.view.gene
    profile = shares(best, gene, fit.weight, model.types.profile)
    genes = len(model.types.overall)
    key, entry = np.unique(best.astype(np.int64) * genes + gene, return_inverse=True)
    amount = np.bincount(entry, probability, len(key))
    others = amount[entry] - probability
    size = np.bincount(best, probability)[best] - probability
    weight = _PROFILE_WEIGHT * model.scale.cell_transcripts
    share = (others + weight * profile) / (size + weight)
    surprise = np.log(np.maximum(share, 1e-12) / model.types.overall[gene]).astype(np.float32)
    pairs = model.exclusion
    rare = rare_partners(key // genes, key % genes, amount, pairs.start, pairs.partner)
    return surprise, np.exp(-others).astype(np.float32), rare[entry]


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


def sure_enough(answer_: Answer, purity: Purity, model: Model) -> np.ndarray:
    """Which transcripts are given to their best cell, (V,) bool.

    A transcript needs the more certainty the more it alone would change what the cell seems to express: a gene that is
    not expected there, or genes together that hardly ever are. What a purer setting gives, every less pure one gives
    too.
    """
    lonely = answer_.alone * np.maximum(0, 1 - answer_.surprise)
    strange = answer_.alone * answer_.rare / max(model.usual_rare, 1e-6)
    needed = np.zeros(len(answer_.best))
    for name, level in THRESHOLDS.items():
        asked = level.cut + level.unexpected * lonely + level.rare * strange
        needed = np.maximum(needed, asked * (1 - model.geometry.blur / 8))
        if name == purity:
            break
    needed = np.minimum(needed, _ENOUGH)
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
