"""The answer: for each transcript the chance of every cell around it, given where labels lay over the recorded sweeps.

A transcript of gene g came from cell c at the rate  mass of c around it x density of c x share of g in c.  Its own say
in the share is left out. Shares are those of a mix of programmes together with the cell's other transcripts. Then
transcripts that lie close together are believed to be of the same cell (a mean field), and all is done again until it
settles: sums over transcripts by their chances take the place of counts.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numba import njit

from cellcarve.settings import VoxelSettings
from cellcarve.voxels.around import Around, around
from cellcarve.voxels.chain import Chain
from cellcarve.voxels.doubt import trust
from cellcarve.voxels.lattice import bands
from cellcarve.voxels.masses import Masses
from cellcarve.voxels.pairs import Pairs, add_up, pair_up
from cellcarve.voxels.programmes import Programmes, first_programmes, learn
from cellcarve.voxels.threads import Threads

# Rounds without and with the say of neighbours.
ALONE, TOGETHER = 6, 6
# Log odds that neighbours lend when all of them are of a cell.
PULL = 2.0
# How many times the transcripts of a usual cell its mix of programmes is worth beside its own.
TRUST = 2.0
# Transcripts of usual density lent to each cell; power of its density.
LENT, SPREAD = 20.0, 0.5
# Power of the genes' shares where places decide.
QUIETEST = 0.2
# A cell with less than this share of a transcript's surroundings is no candidate.
LEAST = 0.02
NEVER = 1e-30
# How much less sure an assignment must be where places decide: their chances are calibrated, and genes mix up there.
EASIER = 0.15
# No assignment needs less or more certainty than this, however expected or surprising its gene is.
SUREST = (0.02, 0.97)


class State(NamedTuple):
    """What changes while the answer settles.

    Attributes
    ----------
    who
        int32 (t, slots): candidates, 0 = none.
    mass
        float32 (t, slots): their parts of the surroundings.
    near
        float32 (t, slots): the same after neighbours were heard.
    share
        float32 (t, slots): their chances.
    none
        float32 (t,): chance of no cell.
    """

    who: np.ndarray
    mass: np.ndarray
    near: np.ndarray
    share: np.ndarray
    none: np.ndarray


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


class Ranked(NamedTuple):
    """Chances that have settled.

    Attributes
    ----------
    who, share, none
        As in `State`.
    slot
        int8 (2, t): slots of the likeliest and of the second likeliest cell.
    surprise
        float32 (t,): how unexpected the transcript's gene is in the likeliest.
    """

    who: np.ndarray
    share: np.ndarray
    none: np.ndarray
    slot: np.ndarray
    surprise: np.ndarray


@dataclass
class Answer:
    """T transcripts in the order of the chain.

    Attributes
    ----------
    best, second
        (T,) int32 likeliest and second likeliest cell, 0 = none.
    chance, second_chance
        (T,) float32 their probabilities.
    kept
        (T,) bool: likely enough to be assigned.
    who, share
        (T, slots) int32 and float32: all candidates.
    """

    best: np.ndarray
    second: np.ndarray
    chance: np.ndarray
    second_chance: np.ndarray
    kept: np.ndarray
    who: np.ndarray
    share: np.ndarray


@njit(cache=True, nogil=True)
def gene_share(pairs, law, state, t, slot):
    """Share of a transcript's gene in a candidate, without the transcript itself."""
    pair, own = pairs.of[t, slot], float(state.share[t, slot])
    others = max(law.counts[pair] - own, 0.0)
    size = max(law.size[state.who[t, slot]] - own, 0.0)
    return (others + law.trust * law.share[pair]) / (size + law.trust)


@njit(cache=True, nogil=True)
def ask(state, pairs, law, genes, span):
    """New chances of the transcripts of a range: `state.share` and `state.none` change."""
    who, near, share = state.who, state.near, state.share
    for t in range(span[0], span[1]):
        rest = law.background[genes[t]]
        total = rest
        for n in range(who.shape[1]):
            rate = 0.0
            if who[t, n] > 0:
                told = gene_share(pairs, law, state, t, n)
                rate = near[t, n] * law.density[who[t, n]] * (told if law.voice == 1.0 else told**law.voice)
            share[t, n] = rate
            total += rate
        for n in range(who.shape[1]):
            share[t, n] /= max(total, NEVER)
        state.none[t] = rest / max(total, NEVER)


@njit(cache=True, nogil=True)
def add_say(who, share, t, other, weight, say):
    """Add another transcript's chances for the candidates of t, with a weight, to `say`, float64 (slots,)."""
    for slot in range(who.shape[1]):
        for theirs in range(who.shape[1]):
            if who[t, slot] > 0 and who[other, theirs] == who[t, slot]:
                say[slot] += weight * share[other, theirs]


@njit(cache=True, nogil=True)
def hear(state, near_by, t, say):
    """Mean chance of each candidate of t among the transcripts around, into `say`, float64 (slots,)."""
    who, share, head, window = state.who, state.share, near_by.head, near_by.window
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
                add_say(who, share, t, other, window[n, 2], say)
            other = near_by.after[other]
    if whole > 0.0:
        say /= whole


@njit(cache=True, nogil=True)
def listen(state, near_by, pull, span):
    """Let the transcripts of a range hear their neighbours: `state.near` is filled from `state.mass`."""
    who, mass, near = state.who, state.mass, state.near
    slots = who.shape[1]
    say = np.empty(slots)
    for t in range(span[0], span[1]):
        candidates, whole, total = 0, 0.0, 0.0
        for n in range(slots):
            candidates += who[t, n] > 0
            near[t, n] = mass[t, n]
            whole += mass[t, n]
        if candidates < 2:
            continue
        hear(state, near_by, t, say)
        for n in range(slots):
            near[t, n] *= math.exp(pull * say[n])
            total += near[t, n]
        for n in range(slots):
            near[t, n] *= whole / total


def _begin(masses: Masses, overlap: float) -> State:
    """Candidates by their parts of the surroundings, `overlap` of which are the far kernel's; uses the masses up."""
    looks, who = np.float32(max(masses.looks, 1)), masses.who
    mass, share = np.empty(who.shape, np.float32), np.empty(who.shape, np.float32)
    for rows in bands(*who.shape):
        near, far = masses.mass[rows, :, 0], masses.mass[rows, :, 1]
        part = (near * np.float32(1 - overlap) + far * np.float32(overlap)) / looks
        rare = part < LEAST
        part[rare], who[rows][rare] = 0, 0
        mass[rows] = part
        share[rows] = part / np.maximum(part.sum(1, keepdims=True), np.float32(1e-6))
    masses.forget()
    return State(who, mass, mass.copy(), share, np.zeros(len(who), np.float32))


def territory(ridge: float) -> float:
    """How far places alone decide, 0 .. 1: along ridges of RNA genes do not tell on which side of a border they lie."""
    return min(ridge, 1.0)


def _law(
    chain: Chain, expected: tuple[np.ndarray, np.ndarray, np.ndarray], overall: np.ndarray, background: float
) -> Law:
    """Densities that follow from expected counts, shrunk towards the usual one by the root.

    Parameters
    ----------
    chain
        The chain at its end.
    expected
        `counts`, `size` and `share` of the law.
    overall
        (g,) profile of all transcripts.
    background
        Share of transcripts that are of no cell.
    """
    counts, size, share = expected
    free = 1 - territory(chain.ridge)
    volume = chain.cells.volume * chain.frame.voxel
    usual = size[1:].sum() / volume[1:].sum()
    density = usual * ((size + LENT) / (usual * volume + LENT)) ** (SPREAD * free)
    voice = QUIETEST + (1 - QUIETEST) * free
    rest = background * len(chain.spots.gene) / volume[1:].sum() * overall**voice
    return Law(counts, share, size, density, rest, TRUST * float(size[1:].mean()), voice, PULL * free)


def _settle(state: State, pairs: Pairs, programmes: Programmes, doing: tuple[Chain, float, Threads]) -> Law:
    """All rounds; `state` and the programmes change in place. Returns the last law."""
    chain, background, threads = doing
    genes, cells = chain.spots.gene, len(chain.number)
    counts, size = np.zeros(len(pairs.gene)), np.zeros(cells)
    share = np.zeros(len(pairs.gene))
    near_by = around(chain, len(genes) / float(chain.cells.volume[1:].sum() * chain.frame.voxel))
    for n in range(ALONE + TOGETHER):
        threads.ranges(lambda first, last: add_up(pairs, state.share, counts, size, (first, last)), cells)
        learn(programmes, pairs, counts, share, threads)
        law = _law(chain, (counts, size, share), programmes.overall, background)
        if n >= ALONE:
            _listen(state, near_by, law.pull, threads)
        _ask(state, pairs, law, genes, threads)
    return law


def _listen(state: State, near_by: Around, pull: float, threads: Threads) -> None:
    threads.ranges(lambda first, last: listen(state, near_by, pull, (first, last)), len(state.who))


def _ask(state: State, pairs: Pairs, law: Law, genes: np.ndarray, threads: Threads) -> None:
    threads.ranges(lambda first, last: ask(state, pairs, law, genes, (first, last)), len(genes))


def _in_slot(table: np.ndarray, slot: np.ndarray) -> np.ndarray:
    """(t,) entry of each row that lies in its slot."""
    return np.take_along_axis(table, slot[:, None], 1)[:, 0]


def _surprise(state: State, pairs: Pairs, law: Law, slot: np.ndarray, overall: np.ndarray) -> np.ndarray:
    """Ln of the share of a transcript's gene overall over that in its likeliest cell.

    That in the cell is the mean of what the programmes expect and of what the cell's other transcripts show.
    """
    own, pair, cell = (_in_slot(v, slot) for v in (state.share, pairs.of, state.who))
    shown = np.maximum(law.counts[pair] - own, 0) / np.maximum(law.size[cell] - own, 1)
    return np.log(overall / np.maximum((shown + law.share[pair]) / 2, 1e-9)).astype(np.float32)


def _rank(state: State, pairs: Pairs, law: Law, overall: np.ndarray, genes: np.ndarray) -> Ranked:
    """What is left of the chances when they have settled."""
    slot, surprise = np.empty((2, len(genes)), np.int8), np.empty(len(genes), np.float32)
    for rows in bands(*state.who.shape):
        slot[:, rows] = np.argsort(-state.share[rows], axis=1, kind="stable")[:, :2].T
        part = State(*(v[rows] for v in state))
        of = pairs._replace(of=pairs.of[rows])
        surprise[rows] = _surprise(part, of, law, slot[0, rows], overall[genes[rows]])
    return Ranked(state.who, state.share, state.none, slot, surprise)


def _settled(chain: Chain, masses: Masses, settings: VoxelSettings, threads: Threads) -> Ranked:
    """Chances of all transcripts as they settle; the masses are used up."""
    state = _begin(masses, settings.overlap * (1 - territory(chain.ridge)))
    background = settings.background_share
    if background is None:
        background = 1 - float(np.mean(chain.spots.made))
    pairs = pair_up(state.who, chain.spots.gene, len(chain.number), threads)
    programmes = first_programmes(chain)
    law = _settle(state, pairs, programmes, (chain, background, threads))
    return _rank(state, pairs, law, programmes.overall, chain.spots.gene)


def answer(chain: Chain, masses: Masses, settings: VoxelSettings, threads: Threads) -> Answer:
    """Settle the chances of all transcripts.

    Parameters
    ----------
    chain
        The chain at its end.
    masses
        What was recorded; used up.
    settings
        Shares of overlap and background; how sure an assignment must be.
    threads
        Who does the work.
    """
    who, share, none, (first, next_), surprise = _settled(chain, masses, settings, threads)
    chance = _in_slot(share, first)
    inside = chance > none
    sure = max(settings.sure - EASIER * territory(chain.ridge), 0.0)
    kept = inside & (chance >= np.clip(sure + settings.surprise * surprise, SUREST[0], SUREST[1]))
    share *= trust(chance, inside, 1 - territory(chain.ridge))[:, None]
    found = Answer(
        best=np.where(inside, _in_slot(who, first), 0).astype(np.int32, copy=False),
        second=np.where(inside, _in_slot(who, next_), _in_slot(who, first)),
        chance=np.where(inside, _in_slot(share, first), none),
        second_chance=np.where(inside, _in_slot(share, next_), _in_slot(share, first)),
        kept=kept,
        who=who,
        share=share,
    )
    if settings.unmodeled_fixed_cells:
        _claim(found, chain)
    return found


def _claim(found: Answer, chain: Chain) -> None:
    """Give transcripts seen in fixed cells to them for certain, in place."""
    cell = chain.labels.label[chain.spots.seen]
    claimed = np.flatnonzero(chain.cells.fixed[cell])
    found.best[claimed], found.chance[claimed], found.kept[claimed] = cell[claimed], 1, True
    found.second[claimed], found.second_chance[claimed] = 0, 0
    found.who[claimed], found.share[claimed] = 0, 0
    found.who[claimed, 0], found.share[claimed, 0] = cell[claimed], 1
