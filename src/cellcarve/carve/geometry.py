"""Learn from the transcripts themselves how borders run, without any truth.

Where two neighbouring cells are of clearly different type, the gene of a transcript tells from which of the two it
comes. The geometry that predicts this best is taken. How far place fails to predict it is the blur.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numba import njit
from scipy.optimize import minimize

from cellcarve.carve.model import Geometry, Scale
from cellcarve.carve.recipe import Recipe
from cellcarve.carve.scene import Scene, even_out, measure_scene, scaled, units
from cellcarve.carve.types import Types, proportions, split_counts

# What is tried for `power` (0: nuclei of any size reach equally far; 1: in proportion to their radius), for `balance` (how
# much unusually large cells hold back) and for `valley` (below 0 transcripts gather along borders, above 0 they thin out).
_POWERS = (0.2, 0.35, 0.5, 0.7, 0.85, 1.0)
_BALANCES = (-0.1, 0.0, 0.1, 0.2, 0.3)
_VALLEYS = (-1.2, -0.6, 0.0, 0.5, 1.0, 1.5)
# What suits tissue of even cells, taken where genes hardly tell the sides of a border; see `_search`.
_EVEN = Geometry(power=0.35, balance=0.2)
# Transcripts between unlike cells: about so many are taken of more, which bounds the time of a trial; of fewer than the
# second nothing is learned.
_MOST_PAIRS = 40_000
_FEWEST_PAIRS = 1_000


@dataclass
class Pairs:
    """Transcripts between two cells of clearly different type, in one scene; n transcripts.

    Attributes
    ----------
    index
        (n,) int64 transcript of the scene.
    first, second
        (n,) the nearest and the second nearest cell of the scene.
    chance
        (n, 3) float64 probability of the gene in the first cell, in the second, and overall.
    size
        (n,) float64 ln ratio of the two nuclei's transcripts: a cell with more RNA also leaks more.
    """

    index: np.ndarray
    first: np.ndarray
    second: np.ndarray
    chance: np.ndarray
    size: np.ndarray


def nuclear_types(scene: Scene, types: Types, rounds: int = 8) -> tuple[np.ndarray, np.ndarray]:
    """Proportions of programmes in the scene's cells by their nuclear transcripts, (C + 1, Q), and the transcripts."""
    core = np.flatnonzero(scene.core)
    cells, number = len(scene.cell), types.profile.shape[1]
    weight = np.tile(types.share, (cells, 1)).astype(np.float32)
    one = np.ones(len(core), np.float32)
    for _ in range(rounds):
        gained = np.zeros((cells, number))
        split_counts(
            scene.core[core],
            scene.view.gene[core],
            one,
            weight,
            types.profile,
            gained,
            np.empty((0, number)),
        )
        weight = proportions(gained, types.share)
    return weight, np.bincount(scene.core[core], minlength=cells)


def find_pairs(scene: Scene, types: Types, unit: np.ndarray) -> Pairs:
    """Transcripts outside nuclei whose two nearest cells differ clearly and whose third is well farther off."""
    weight, count = nuclear_types(scene, types)
    rho = scaled(scene, unit, np.zeros(len(unit), np.float32))
    order = np.argsort(rho, axis=1, kind="stable")[:, :3]
    near = np.take_along_axis(rho, order, 1)
    cell = np.take_along_axis(scene.candidate[scene.pixel], order, 1)
    usable = (scene.core == 0) & scene.view.inside & (near[:, 1] < 900) & (near[:, 2] - near[:, 0] > 0.5)
    usable &= (count[cell[:, 0]] >= 10) & (count[cell[:, 1]] >= 10)
    index = np.flatnonzero(usable)
    a, b = cell[index, 0], cell[index, 1]
    profile = types.profile.astype(np.float64)
    entropy = profile.T @ np.log(profile)
    apart = (np.diag(entropy)[:, None] + np.diag(entropy)[None, :] - entropy - entropy.T) / 2
    clear = np.einsum("nq,qr,nr->n", weight[a], apart, weight[b]) > 0.4
    index, a, b = index[clear], a[clear], b[clear]
    gene = scene.view.gene[index]
    chance = np.stack(
        [(weight[a] * profile[gene]).sum(1), (weight[b] * profile[gene]).sum(1), types.overall[gene]], axis=1
    )
    return Pairs(index, a, b, chance, np.log((count[a] + 5) / (count[b] + 5)))


@njit(cache=True, nogil=True)
def pair_loss(theta, lead, size, chance):
    """Mean negative log likelihood and its gradient.

    gene ~ w overall + (1 - w) [p first + (1 - p) second], p = e sigmoid(v size) + (1 - e) sigmoid(s lead);
    theta = (ln s, logit e, logit w, v).
    """
    s, e, w = np.exp(theta[0]), 1 / (1 + np.exp(-theta[1])), 1 / (1 + np.exp(-theta[2]))
    loss = 0.0
    slope = np.zeros(4)
    for i in range(len(lead)):
        q = 1 / (1 + np.exp(-s * lead[i]))
        h = 1 / (1 + np.exp(-theta[3] * size[i]))
        p = e * h + (1 - e) * q
        mix = p * chance[i, 0] + (1 - p) * chance[i, 1]
        total = w * chance[i, 2] + (1 - w) * mix
        loss -= np.log(total)
        dp = (1 - w) * (chance[i, 0] - chance[i, 1]) / total
        slope[0] -= dp * (1 - e) * q * (1 - q) * s * lead[i]
        slope[1] -= dp * (h - q) * e * (1 - e)
        slope[2] -= (chance[i, 2] - mix) / total * w * (1 - w)
        slope[3] -= dp * e * h * (1 - h) * size[i]
    return loss / len(lead), slope / len(lead)


class _Trial:
    """Scenes and their pairs, and how well a geometry predicts the pairs' genes."""

    def __init__(self, scenes: list[Scene], pairs: list[Pairs], scale: Scale, recipe: Recipe) -> None:
        self.scenes, self.scale, self.recipe = scenes, scale, recipe
        stride = max(1, sum(len(p.index) for p in pairs) // _MOST_PAIRS)
        self.pairs = [
            Pairs(
                p.index[::stride], p.first[::stride], p.second[::stride], p.chance[::stride], p.size[::stride]
            )
            for p in pairs
        ]
        self.chance = np.concatenate([p.chance for p in self.pairs])
        self.size = np.concatenate([p.size for p in self.pairs])
        self.valley = 0.0
        self.theta = np.array([1.0, -1.0, -0.5, 0.0])

    def lead(self, geometry: Geometry) -> np.ndarray:
        """How much farther the second cell is than the first, in scaled distance."""
        if geometry.valley != self.valley:
            for scene in self.scenes:
                measure_scene(scene, self.scale, geometry, self.recipe)
            self.valley = geometry.valley
        return np.concatenate(
            [self._lead_in(s, p, geometry) for s, p in zip(self.scenes, self.pairs, strict=True)]
        )

    def _lead_in(self, scene: Scene, pairs: Pairs, geometry: Geometry) -> np.ndarray:
        unit = units(scene.radius, self.scale.radius, geometry.power)
        shift, _ = even_out(scene, unit, geometry.balance, None)
        cell = scene.candidate[scene.pixel[pairs.index]]
        rho = scaled(scene, unit, shift)[pairs.index]
        first = np.where(cell == pairs.first[:, None], rho, self.recipe.farthest).min(1)
        second = np.where(cell == pairs.second[:, None], rho, self.recipe.farthest).min(1)
        return np.clip(second - first, -5, 5).astype(np.float64)

    def fit(self, geometry: Geometry, least_slope: float) -> tuple[float, np.ndarray]:
        """Total loss in nats and the fitted parameters."""
        bounds = [(np.log(least_slope), 3), (-6, 6), (-6, 6), (-5, 5)]
        found = minimize(
            pair_loss,
            self.theta,
            (self.lead(geometry), self.size, self.chance),
            "L-BFGS-B",
            jac=True,
            bounds=bounds,
        )
        self.theta = found.x
        return float(found.fun) * len(self.size), found.x


def learn_geometry(
    scenes: list[Scene], types: Types, scale: Scale, recipe: Recipe, tell: Callable[[str], None]
) -> Geometry:
    """Choose power, balance and valley, and measure the blur.

    Parameters
    ----------
    scenes
        Prepared with the default power and no valley; left measured with the geometry that is returned.
    """
    start = Geometry(power=0.5)
    unit = [units(s.radius, scale.radius, start.power) for s in scenes]
    pairs = [find_pairs(s, types, u) for s, u in zip(scenes, unit, strict=True)]
    number = sum(len(p.index) for p in pairs)
    shape = border_slope(scenes, unit)
    if number < _FEWEST_PAIRS:
        tell(f"only {number:,} transcripts lie between cells of clearly different type; geometry not learned")
        chosen = Geometry()
    else:
        chosen = _search(_Trial(scenes, pairs, scale, recipe), start, shape)
        tell(
            f"geometry learned from {number:,} transcripts between cells of clearly different type: nuclear size counts "
            f"{chosen.power:.2f}, balance {chosen.balance:.2f}, valley {chosen.valley:.2f}, blur {chosen.blur:.2f}"
        )
    for scene in scenes:
        measure_scene(scene, scale, chosen, recipe)
    return chosen


def _search(trial: _Trial, start: Geometry, shape: float) -> Geometry:
    """Coordinate descent over the grids of valley, power and balance; then the blur, for borders no softer than 2."""
    best = start
    losses = [trial.fit(replace(best, valley=v), 0.05)[0] for v in _VALLEYS]
    best = replace(best, valley=_VALLEYS[int(np.argmin(losses))])
    blur = _logistic(trial.fit(best, 2.0)[1][1])
    # Where genes hardly tell the sides of a border, its shape in the density of transcripts must, and the likelihood
    # is too flat to choose the rest: what suits tissue of even cells is taken.
    trust = float(np.clip((blur - 0.25) / 0.25, 0, 1))
    best = replace(best, valley=_blend(best.valley, float(np.clip(-5 * shape, -1.3, 1.3)), trust))
    for name, grid in (("power", _POWERS), ("balance", _BALANCES), ("power", _POWERS)):
        losses = [trial.fit(replace(best, **{name: v}), 0.05)[0] for v in grid]
        best = replace(best, **{name: grid[int(np.argmin(losses))]})
    best = replace(
        best, power=_blend(best.power, _EVEN.power, trust), balance=_blend(best.balance, _EVEN.balance, trust)
    )
    # A blur of a few tenths cannot be told from a soft border: what is below counts as none.
    return replace(best, blur=trust * float(_logistic(trial.fit(best, 2.0)[1][1])))


def _blend(learned: float, usual: float, trust: float) -> float:
    return (1 - trust) * learned + trust * usual


def _logistic(v: float) -> float:
    return 1 / (1 + np.exp(-v))


def border_slope(scenes: list[Scene], unit: list[np.ndarray]) -> float:
    """ln(density of transcripts at borders / density half way to them), over all scenes; 0 where nothing is known."""
    total = np.zeros((2, 2))
    for scene, u in zip(scenes, unit, strict=True):
        cell = scene.candidate[:, :2]
        rho = scene.gap[:, :2] / u[cell]
        valid = (cell > 0).all(1) & (rho.max(1) < 3) & (scene.gap[:, :2].max(1) < 900)
        place = 2 * rho[:, 0] / np.maximum(rho.sum(1), 1e-6)
        here = scene.relative[::2, ::2].ravel()
        for i, (low, high) in enumerate(((0.25, 0.5), (0.75, 1.01))):
            chosen = valid & (place >= low) & (place < high)
            total[i] += here[chosen].sum(), chosen.sum()
    if (total[:, 1] < 100).any():
        return 0.0
    mean = total[:, 0] / total[:, 1]
    return float(np.log(mean[1] / mean[0]))
