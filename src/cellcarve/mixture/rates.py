"""How likely the cell of each transcript is, given the cells of all others, where nuclei are known.

Votes do not tell: they say how seldom a transcript changes its cell, and that depends on how sharp the model takes borders
to be. Here borders are as sharp as genes or densities show them (`Rules.fair`).
"""

import math

import numpy as np
from numba import njit

from cellcarve.chain.compiled import LEAF
from cellcarve.data import flat
from cellcarve.mixture.assign import MOST, around, claims, log_noise, log_sum, weigh
from cellcarve.mixture.earlier import claim
from cellcarve.mixture.molecules import on_chunks
from cellcarve.mixture.state import State

# Standard deviation by which cells compete in place at most, over the usual one: of the blurriest fields that were measured.
_BLURRIEST = 1.6
# Share of transcripts that belong to none of the cells which the model has for them.
_ELSEWHERE = 0.01


@njit(**LEAF)
def _rates(span, at, scene, graph, model, counts, rules, room):
    """Fill the first array of `room` for the transcripts span[0] .. span[1]."""
    out, candidate, score, rate = room
    work = (candidate, score, rate)
    for i in range(span[0], span[1]):
        own = scene.label[i]
        if own == 0:
            out[i] = 0.0
            continue
        s = scene.segment[i]
        if rules.bonus == math.inf and s > 0 and own == counts.owner[s]:
            out[i] = 1.0
            continue
        candidate[MOST], beside = around(i, scene, graph, candidate, score)
        claims(i, scene, counts, rules, candidate, score)
        claim(own, candidate, score)
        for near in scene.beside[i]:
            claim(near, candidate, score)
        weigh(i, at, scene, model, counts, rules, work)
        many, none = candidate[MOST], log_noise(i, scene, rules, model[1], beside)
        cells = log_sum(score, many)
        top = max(cells, none)
        whole = top + math.log(math.exp(cells - top) + math.exp(none - top))
        out[i] = 0.0
        for c in range(many):
            if candidate[c] == own:
                out[i] = math.exp(score[c] - whole)


def rates(state: State, threads: int) -> np.ndarray:
    """(N,) float32 probability that each transcript is of its cell, 0 where it has none.

    That a transcript lies in a nucleus counts as what it says of places alone: a bonus holds it there, but where cells
    overlap it is no likelier to be of the cell whose nucleus it seems to lie in. Only a prior beyond doubt makes it sure.
    """
    s = state
    out = flat.empty(len(s.scene.label), np.float32)
    near = min(s.rules.fair, _BLURRIEST * s.rules.width)
    rules, model = s.rules._replace(near=near), (s.cells, s.profile)

    def one(low: int, high: int) -> None:
        work = np.empty(MOST + 1, np.int32), np.empty(MOST), np.empty(MOST)
        _rates((low, high), s.at, s.scene, s.graph, model, s.counts, rules, (out, *work))

    on_chunks(one, len(out), threads)
    out *= np.float32(1 - _ELSEWHERE)
    return out
