"""How far places and genes can be trusted, learned from the transcripts between two nuclei of unlike kinds.

Such a transcript's gene tells which of the two cells made it. The further it is from the other nucleus, the oftener
its own should have: how fast that share rises is how sharp borders are, and what it stays short of is the blur, the
share of transcripts whose gene does not tell on which side of a border they lie.
"""

from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize

from cellcarve.mixture.reach import STEP
from cellcarve.mixture.state import State

# Kinds whose profiles have more in common than this (sum of the roots of the products of shares) tell too little.
_ALIKE = 0.85
_FEWEST, _MOST = 300, 60_000
# A smaller blur cannot be told from a soft border.
_LEAST_BLUR = 0.25
# Logits of the share of stray genes and of the blur, and log of the strength: first values and bounds.
_START, _BOUNDS = np.array([-3.0, -2.0, 0.5]), ((-8, 2), (-5, 5), (-4, 4))
# How much further cells reach into each other than these transcripts tell: nuclei may be faulty, and transcripts drift.
_BEYOND_TOLD = 1.2
# Pseudo-transcripts of the tissue's profile in that of a kind's nuclei, per gene.
_SHRINK = 0.2


class Pairs(NamedTuple):
    """P transcripts between two nuclei.

    Attributes
    ----------
    gap
        (P, 2) float64 distances (µm) to the nearer and the further one.
    rate
        (P, 3) float64 share of the transcript's gene in the kind of either, and in the tissue.
    """

    gap: np.ndarray
    rate: np.ndarray


def nuclear_profiles(state: State) -> np.ndarray:
    """(Q, G) float64 profiles of kinds by the transcripts in nuclei alone; row 0 is the tissue's."""
    scene, base = state.scene, state.profile[0].astype(np.float64)
    owner = state.counts.owner[scene.segment]
    inside = (owner > 0) & (scene.gene >= 0)
    many, genes = state.profile.shape
    key = state.cells.kind[owner[inside]].astype(np.int64) * genes + scene.gene[inside]
    count = np.bincount(key, minlength=many * genes).reshape(many, genes) + _SHRINK * genes * base
    profile = count / count.sum(1, keepdims=True)
    profile[0] = base
    return profile


def telling_pairs(state: State) -> Pairs:
    """Transcripts outside nuclei whose two nearest nuclei are of clearly different kinds."""
    scene, profile = state.scene, nuclear_profiles(state)
    index = np.flatnonzero((scene.segment == 0) & (scene.beside[:, 1] > 0) & (scene.gene >= 0))
    both = scene.beside[index, :2]
    kind = state.cells.kind[both]
    root = np.sqrt(profile)
    index = index[(root @ root.T)[kind[:, 0], kind[:, 1]] < _ALIKE]
    index = index[:: max(1, -(-len(index) // _MOST))]
    both, gene = scene.beside[index, :2], scene.gene[index]
    kind = state.cells.kind[both]
    rate = np.column_stack([profile[kind[:, 0], gene], profile[kind[:, 1], gene], profile[0, gene]])
    return Pairs(scene.gap[index, :2] * (STEP * state.rules.scale), rate)


def fit(lead: np.ndarray, rate: np.ndarray) -> tuple[float, float]:
    """Strength of distances, and blur, under which the genes of pairs are likeliest.

    Parameters
    ----------
    lead
        (P,) how much nearer the first of two nuclei is than the second.
    rate
        (P, 3) as in `Pairs`.
    """
    found = minimize(_loss, _START, (lead, rate), jac=True, method="L-BFGS-B", bounds=_BOUNDS)
    return float(np.exp(found.x[2])), float(1 / (1 + np.exp(-found.x[1])))


def _loss(t: np.ndarray, lead: np.ndarray, rate: np.ndarray) -> tuple[float, np.ndarray]:
    """Minus the mean log likelihood and its slope; t: logits of stray genes and of the blur, log of the strength."""
    stray, blur = 1 / (1 + np.exp(-t[:2]))
    strength = np.exp(t[2])
    side = 1 / (1 + np.exp(-strength * lead))
    first = 0.5 * blur + (1 - blur) * side
    cell = first * rate[:, 0] + (1 - first) * rate[:, 1]
    total = stray * rate[:, 2] + (1 - stray) * cell
    slope = (1 - stray) * (rate[:, 0] - rate[:, 1]) / total
    grad = (
        np.mean((rate[:, 2] - cell) / total) * stray * (1 - stray),
        np.mean(slope * (0.5 - side)) * blur * (1 - blur),
        np.mean(slope * (1 - blur) * side * (1 - side) * lead) * strength,
    )
    return -float(np.mean(np.log(total))), -np.array(grad)


def learn_balance(state: State) -> None:
    """Learn how steeply distances count, and the blur, where there are transcripts enough to tell."""
    rules, pairs = state.rules, telling_pairs(state)
    if len(pairs.gap) < _FEWEST:
        return
    away = (pairs.gap + rules.rim) / rules.scale
    strength, blur = fit(0.5 * (away[:, 1] ** 2 - away[:, 0] ** 2), pairs.rate)
    # Half way (in logs) between the usual and the learned: pairs of unlike kinds are not all pairs.
    told = float(1 / np.sqrt(strength))
    near, blur = float(np.sqrt(rules.width * told)), blur if blur > _LEAST_BLUR else 0.0
    state.rules = rules._replace(near=near, fair=_BEYOND_TOLD * told, blur=blur)
