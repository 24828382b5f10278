"""E-step: draw a component, or noise, for each transcript, given the labels of the round before.

All transcripts draw at once from the same old labels, so neither order nor threads matter; a draw's random number
has the transcript as its address.
"""

import math

import numpy as np
from numba import njit

from cellcarve.chain.philox import unit, words
from cellcarve.chain.streams import MIXTURE_ASSIGN
from cellcarve.mixture.earlier import claim, discourage, hold
from cellcarve.mixture.graph import FULL
from cellcarve.mixture.molecules import on_chunks
from cellcarve.mixture.reach import log_reach
from cellcarve.mixture.state import State
from cellcarve.mixture.tally import count_of

_MOST = 64
# Rounds for which a transcript deep inside its cell is not looked at, if nothing around it changes.
_REST = np.uint8(8)
_SURE = math.log(1e-6)


@njit(cache=True, nogil=True)
def around(i, scene, graph, candidate, weight):
    """Components of the neighbours and their summed weights; returns how many, and the weight of noise."""
    many, noise = 0, 0.0
    first = graph.start[i]
    for e in range(first, first + graph.near[i]):
        k, w = scene.label[graph.neighbour[e]], graph.weight[e] / FULL
        if w == 0:
            continue
        if k == 0:
            noise += w
            continue
        c = 0
        while c < many and candidate[c] != k:
            c += 1
        if c == many:
            if many == _MOST:
                continue
            candidate[c], weight[c] = k, 0.0
            many += 1
        weight[c] += w
    return many, noise


@njit(cache=True, nogil=True)
def log_place(form, x, y, z):
    """Log density of a component at a place, its weight included."""
    dx, dy, dz = x - form[0], y - form[1], z - form[2]
    q = dx * (form[3] * dx + 2 * (form[4] * dy + form[5] * dz))
    q += dy * (form[6] * dy + 2 * form[7] * dz) + form[8] * dz * dz
    return form[9] + form[10] - 0.5 * q


@njit(cache=True, nogil=True)
def log_gene(cells, genes, profile, alpha, k, g, own):
    """Log share of a gene in a component; `own` is 1 where the transcript itself is counted in it."""
    if g < 0:
        return 0.0
    count, n = count_of(genes, k, g), cells.n[k]
    if alpha <= 0:
        return math.log(max(count, 1) / (n + 1.0))
    return math.log((count - own + alpha * profile[cells.kind[k], g]) / (n - own + alpha))


@njit(cache=True, nogil=True)
def weigh(i, at, scene, model, counts, rules, candidate, score):
    """Turn the neighbours' weights of each candidate in `score` into log densities."""
    cells, profile = model
    many, g = candidate[_MOST], scene.gene[i]
    sure = math.log(max(scene.confidence[i], 1e-30))
    for c in range(many):
        k = candidate[c]
        own = 1 if k == scene.label[i] and not rules.classic else 0
        d = sure + rules.field * score[c]
        if cells.anchor[k] > 0:
            d += log_reach(i, k, scene, rules) + cells.form[k, 10]
        else:
            d += log_place(cells.form[k], at.x[i], at.y[i], at.z[i])
        d += rules.temper * log_gene(cells, counts.genes, profile, rules.alpha, k, g, own)
        if scene.cluster[i] > 0 and cells.cluster[k] != scene.cluster[i]:
            d += rules.unlike
        score[c] = d
    s = scene.segment[i]
    if s > 0 and rules.bonus > 0:
        hold(counts.owner[s], rules.bonus, candidate, score)
    elif s > 0:
        discourage(s, cells, counts, rules, candidate, score)


@njit(cache=True, nogil=True)
def draw(score, many, noise, chance):
    """Slot of the drawn candidate, -1 for noise, and the log of what noise is worth beside all of them."""
    top = noise
    for c in range(many):
        top = max(top, score[c])
    if top == -np.inf:
        return -1, 0.0
    quiet = math.exp(noise - top)
    total = quiet
    for c in range(many):
        score[c] = math.exp(score[c] - top)
        total += score[c]
    left = chance * total
    for c in range(many):
        left -= score[c]
        if left < 0:
            return c, math.log(max(quiet, 1e-300) / total)
    return -1, 0.0


@njit(cache=True, nogil=True)
def log_noise(i, scene, rules, profile, beside):
    """Log density of noise at a transcript; `beside` is the weight of noise among its neighbours."""
    doubt = 1.0 - scene.confidence[i]
    if doubt <= 0:
        return -np.inf
    gene = math.log(profile[0, scene.gene[i]]) if rules.alpha > 0 and scene.gene[i] >= 0 else 0.0
    return math.log(doubt) + rules.field * beside + rules.noise + rules.temper * gene


@njit(cache=True, nogil=True)
def _pass(span, at, scene, graph, model, counts, rules, out):
    """Draw for the transcripts span[0] .. span[1]; changes go to `out`, their number is returned."""
    low, high, seed, sweep = span
    candidate, score = np.empty(_MOST + 1, np.int32), np.empty(_MOST, np.float64)
    changes = 0
    for i in range(low, high):
        many, beside = around(i, scene, graph, candidate, score)
        old = scene.label[i]
        alone = many == 1 and candidate[0] == old
        if alone and scene.calm[i] > 0:
            scene.calm[i] -= np.uint8(1)
            continue
        candidate[_MOST] = many
        if rules.bonus > 0 and scene.segment[i] > 0:
            if rules.bonus == math.inf and old == counts.owner[scene.segment[i]]:
                continue
            claim(counts.owner[scene.segment[i]], candidate, score)
        weigh(i, at, scene, model, counts, rules, candidate, score)
        noise = log_noise(i, scene, rules, model[1], beside)
        w = words(seed, MIXTURE_ASSIGN, sweep, scene.place[i], 0)
        c, quiet = draw(score, candidate[_MOST], noise, unit(w[0]))
        scene.calm[i] = _REST if alone and quiet < _SURE else np.uint8(0)
        new = candidate[c] if c >= 0 else np.int32(0)
        if new != old:
            out[0][changes], out[1][changes] = i, new
            changes += 1
    return changes


def draw_all(state: State, seed: int, threads: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw a component for every transcript.

    Returns
    -------
    tuple
        (M,) int32 transcripts that change, and (M,) int32 their new components.
    """
    s = state
    model = (s.cells, s.profile)

    def one(low: int, high: int) -> tuple[np.ndarray, np.ndarray]:
        out = np.empty(high - low, np.int32), np.empty(high - low, np.int32)
        span = (low, high, np.uint64(seed), np.uint32(s.sweep))
        many = _pass(span, s.at, s.scene, s.graph, model, s.counts, s.rules, out)
        return out[0][:many].copy(), out[1][:many].copy()

    parts = on_chunks(one, len(s.scene.label), threads)
    return np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts])
