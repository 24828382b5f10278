"""E-step: draw a component, or noise, for each transcript, given the labels of the round before.

All transcripts draw at once from the same old labels, so neither order nor threads matter; a draw's random number
has the transcript as its address.
"""

import math

import numpy as np
from numba import njit

from cellcarve.chain.compiled import LEAF, PART
from cellcarve.chain.philox import unit, words
from cellcarve.chain.streams import MIXTURE_ASSIGN
from cellcarve.mixture.earlier import claim, discourage, hold
from cellcarve.mixture.graph import FULL
from cellcarve.mixture.molecules import on_chunks
from cellcarve.mixture.reach import log_reach
from cellcarve.mixture.state import State
from cellcarve.mixture.tally import count_of

MOST = 64
# Rounds for which a transcript deep inside its cell is not looked at, if nothing around it changes.
_REST = np.uint8(8)
_SURE = math.log(1e-6)
# Nobody is beyond all doubt whom no prior holds: what lies far from every component is noise, however even its surroundings.
LEAST_DOUBT = 1e-6


@njit(**PART)
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
            if many == MOST:
                continue
            candidate[c], weight[c] = k, 0.0
            many += 1
        weight[c] += w
    return many, noise


@njit(**PART)
def log_place(form, x, y, z):
    """Log density of a component at a place, its weight included."""
    dx, dy, dz = x - form[0], y - form[1], z - form[2]
    q = dx * (form[3] * dx + 2 * (form[4] * dy + form[5] * dz))
    q += dy * (form[6] * dy + 2 * form[7] * dz) + form[8] * dz * dz
    return form[9] + form[10] - 0.5 * q


@njit(**PART)
def gene_rate(cells, genes, profile, alpha, k, g, own):
    """Share of a gene in a component; `own` is 1 where the transcript itself is counted in it."""
    if g < 0:
        return 1.0
    count, n = count_of(genes, k, g), cells.n[k]
    if alpha <= 0:
        return max(count, 1) / (n + 1.0)
    return (count - own + alpha * profile[cells.kind[k], g]) / (n - own + alpha)


@njit(**PART)
def gene_rates(i, scene, model, counts, rules, work):
    """Share of the transcript's gene in each candidate; as far as genes are blurred, that of all of them."""
    cells, profile = model
    candidate, _, rate = work
    many, mean = candidate[MOST], 0.0
    for c in range(many):
        k = candidate[c]
        own = 1 if k == scene.label[i] and not rules.classic else 0
        rate[c] = gene_rate(cells, counts.genes, profile, rules.alpha, k, scene.gene[i], own)
        mean += rate[c] / many
    if rules.blur > 0:
        for c in range(many):
            rate[c] = (1 - rules.blur) * rate[c] + rules.blur * mean


@njit(**PART)
def log_sum(score, many):
    """Log of the sum of the exponentials of the first scores."""
    top, total = -np.inf, 0.0
    for c in range(many):
        top = max(top, score[c])
    for c in range(many):
        total += math.exp(score[c] - top)
    return top + math.log(total) if top > -np.inf else 0.0


@njit(**PART)
def log_places(i, at, scene, cells, rules, candidate, score):
    """Turn the neighbours' weights of each candidate into log densities of place, the neighbours' say included."""
    for c in range(candidate[MOST]):
        k = candidate[c]
        d = log_place(cells.form[k], at.x[i], at.y[i], at.z[i])
        if cells.anchor[k] > 0:
            near = log_reach(i, k, scene, rules) + cells.form[k, 10]
            # Beyond doubt the second is left out: it is no number where a cell holds nothing.
            doubt = (1 - rules.trust) ** 2
            d = (1 - doubt) * near + doubt * d if doubt > 0 else near
        d += rules.field * score[c]
        if scene.cluster[i] > 0 and cells.cluster[k] != scene.cluster[i] and k != rules.exempt:
            d += rules.unlike
        score[c] = d


@njit(**PART)
def weigh(i, at, scene, model, counts, rules, work):
    """Turn the neighbours' weights of each candidate into log densities, the prior's say left out."""
    cells, (candidate, score, rate) = model[0], work
    many = candidate[MOST]
    gene_rates(i, scene, model, counts, rules, work)
    sure = math.log(max(scene.confidence[i], 1e-30))
    if many == 1 and len(scene.beside):
        # Of a lone candidate, no place could be told from another.
        score[0] = 0.0
    else:
        log_places(i, at, scene, cells, rules, candidate, score)
        if len(scene.beside):
            # Where nuclei are known, confidences say all that places tell of cells against noise.
            sure -= log_sum(score, many)
    for c in range(many):
        score[c] += sure + rules.temper * math.log(rate[c])


@njit(**PART)
def heed(i, scene, cells, counts, rules, candidate, score):
    """What the prior says of a transcript in one of its segments is added to the scores of candidates."""
    s = scene.segment[i]
    if s > 0 and rules.bonus > 0:
        hold(counts.owner[s], rules.bonus, candidate, score)
    elif s > 0:
        discourage(s, cells, counts, rules, candidate, score)


@njit(**PART)
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


@njit(**PART)
def likeliest(score, many, noise):
    """Slot of the likeliest candidate, the first of several; -1 for noise."""
    best, top = -1, noise
    for c in range(many):
        if score[c] > top:
            best, top = c, score[c]
    return best


@njit(**PART)
def log_noise(i, scene, rules, profile, beside):
    """Log density of noise at a transcript; `beside` is the weight of noise among its neighbours."""
    doubt = 1.0 - scene.confidence[i]
    if not rules.classic and scene.segment[i] == 0:
        doubt = max(doubt, LEAST_DOUBT)
    if doubt <= 0:
        return -np.inf
    gene = math.log(profile[0, scene.gene[i]]) if rules.alpha > 0 and scene.gene[i] >= 0 else 0.0
    place = 0.0 if len(scene.beside) else rules.noise
    if not rules.placed:
        place += rules.field * beside
    return math.log(doubt) + place + rules.temper * gene


@njit(**PART)
def claims(i, scene, counts, rules, candidate, score):
    """Make the nearest nucleus' component a candidate, and that of the nucleus which holds the transcript."""
    if len(scene.beside):
        claim(scene.beside[i, 0], candidate, score)
    if rules.bonus > 0 and scene.segment[i] > 0:
        claim(counts.owner[scene.segment[i]], candidate, score)


@njit(**LEAF)
def _pass(span, at, scene, graph, model, counts, rules, room):
    """Draw for the transcripts span[0] .. span[1]; changes go to the first two arrays of `room`, their number is returned."""
    low, high, seed, sweep, sharp = span
    who, to, candidate, score, rate = room
    work = (candidate, score, rate)
    changes = 0
    for i in range(low, high):
        many, beside = around(i, scene, graph, candidate, score)
        old = scene.label[i]
        alone = many == 1 and candidate[0] == old
        if alone and scene.calm[i] > 0:
            scene.calm[i] -= np.uint8(1)
            continue
        candidate[MOST] = many
        if rules.bonus == math.inf and scene.segment[i] > 0 and old == counts.owner[scene.segment[i]]:
            continue
        claims(i, scene, counts, rules, candidate, score)
        weigh(i, at, scene, model, counts, rules, work)
        heed(i, scene, model[0], counts, rules, candidate, score)
        noise = log_noise(i, scene, rules, model[1], beside)
        if sharp:
            c = likeliest(score, candidate[MOST], noise)
        else:
            w = words(seed, MIXTURE_ASSIGN, sweep, scene.place[i], 0)
            c, quiet = draw(score, candidate[MOST], noise, unit(w[0]))
            calm = alone and candidate[MOST] == 1 and quiet < _SURE
            scene.calm[i] = _REST if calm else np.uint8(0)
        new = candidate[c] if c >= 0 else np.int32(0)
        if new != old:
            who[changes], to[changes] = i, new
            changes += 1
    return changes


def draw_all(state: State, seed: int, threads: int, sharp: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Draw a component for every transcript, or take the likeliest one (`sharp`).

    Returns
    -------
    tuple
        (M,) int32 transcripts that change, and (M,) int32 their new components.
    """
    s = state
    model = (s.cells, s.profile)

    def one(low: int, high: int) -> tuple[np.ndarray, np.ndarray]:
        who, to = np.empty(high - low, np.int32), np.empty(high - low, np.int32)
        work = np.empty(MOST + 1, np.int32), np.empty(MOST), np.empty(MOST)
        span = (low, high, np.uint64(seed), np.uint32(s.sweep), sharp)
        many = _pass(span, s.at, s.scene, s.graph, model, s.counts, s.rules, (who, to, *work))
        return who[:many].copy(), to[:many].copy()

    parts = on_chunks(one, len(s.scene.label), threads)
    return np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts])
