"""The chances of a transcript's candidates, given what cells are like and what the transcripts around say."""

import math
from typing import NamedTuple

import numpy as np
from numba import njit

NEVER = 1e-30


class Law(NamedTuple):
    """What cells are like, for one round.

    Attributes
    ----------
    counts, share
        float64 (p,): expected counts of the pairs, and what the programmes expect.
    size, density
        float64 (c,): expected counts of the cells, and transcripts per µm².
    background
        float64 (g,): transcripts of no cell per µm².
    trust
        Transcripts that a cell's mix of programmes is worth.
    voice
        Power of the genes' shares.
    pull
        Log odds that neighbours lend when all of them are of a cell.
    """

    counts: np.ndarray
    share: np.ndarray
    size: np.ndarray
    density: np.ndarray
    background: np.ndarray
    trust: float
    voice: float
    pull: float


@njit(cache=True, nogil=True)
def gene_share(state, pairs, law, entry):
    """Share of a transcript's gene in a candidate, without the transcript itself."""
    pair, own = pairs.of[entry], float(state.share[entry])
    others = max(law.counts[pair] - own, 0.0)
    size = max(law.size[state.who[entry]] - own, 0.0)
    return (others + law.trust * law.share[pair]) / (size + law.trust)


@njit(cache=True, nogil=True)
def ask(state, pairs, law, genes, span):
    """New chances of the transcripts of a range: `state.share` and `state.none` change."""
    start, who, near, share = state.start, state.who, state.near, state.share
    for t in range(span[0], span[1]):
        rest = law.background[genes[t]]
        total = rest
        for n in range(start[t], start[t + 1]):
            told = gene_share(state, pairs, law, n)
            rate = near[n] * law.density[who[n]] * (told if law.voice == 1.0 else told**law.voice)
            share[n] = rate
            total += rate
        for n in range(start[t], start[t + 1]):
            share[n] /= max(total, NEVER)
        state.none[t] = rest / max(total, NEVER)


@njit(cache=True, nogil=True)
def add_say(state, t, other, weight, say):
    """Add another transcript's chances for the candidates of t, with a weight, to the first of `say`, float64."""
    start, who = state.start, state.who
    for theirs in range(start[other], start[other + 1]):
        for n in range(start[t], start[t + 1]):
            if who[theirs] == who[n]:
                say[n - start[t]] += weight * state.share[theirs]


@njit(cache=True, nogil=True)
def hear(state, near_by, t, say):
    """Mean chance of each candidate of t among the transcripts around, into the first of `say`, float64."""
    head, window = near_by.head, near_by.window
    i, j = near_by.column[t] % head.shape[1], near_by.column[t] // head.shape[1]
    say[:] = 0.0
    whole = 0.0
    for n in range(window.shape[0]):
        a, b = i + int(window[n, 0]), j + int(window[n, 1])
        if not (0 <= a < head.shape[1] and 0 <= b < head.shape[0]):
            continue
        other = head[b, a]
        while other >= 0:
            if other != t:
                whole += window[n, 2]
                add_say(state, t, other, window[n, 2], say)
            other = near_by.after[other]
    if whole > 0.0:
        say /= whole


@njit(cache=True, nogil=True)
def listen(state, near_by, pull, say, span):
    """Let the transcripts of a range hear their neighbours: `state.near` is filled from `state.mass`.

    Parameters
    ----------
    state, near_by
        Candidates, and who lies around.
    pull
        Log odds that neighbours lend when all of them are of a cell.
    say
        float64: room for the candidates of one transcript.
    span
        (first, last).
    """
    start, mass, near = state.start, state.mass, state.near
    for t in range(span[0], span[1]):
        first, last = start[t], start[t + 1]
        if last - first < 2:
            near[first:last] = mass[first:last]
            continue
        hear(state, near_by, t, say)
        whole, total = 0.0, 0.0
        for n in range(first, last):
            near[n] = mass[n] * math.exp(pull * say[n - first])
            whole += mass[n]
            total += near[n]
        for n in range(first, last):
            near[n] *= whole / total
