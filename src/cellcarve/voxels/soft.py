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

from cellcarve.data.exclusion import rare_partners
from cellcarve.settings import VoxelSettings
from cellcarve.voxels.around import Around, around
from cellcarve.voxels.candidates import Candidates, candidates
from cellcarve.voxels.chain import Chain
from cellcarve.voxels.chances import Law, ask, listen
from cellcarve.voxels.doubt import trust
from cellcarve.voxels.masses import SLOTS, Masses
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
# How much less sure an assignment must be where places decide: their chances are calibrated, and genes mix up there.
EASIER = 0.15
# A transcript as sure as this is assigned whatever it would change.
ENOUGH = 0.97
SMALLEST = 1e-6


class Ranked(NamedTuple):
    """Candidates whose chances have settled.

    Attributes
    ----------
    start, who, share, none
        As in `Candidates`.
    first, second
        int32 (t,), int64 where there are too many: entries of the likeliest and of the second likeliest cell, -1 = none.
    lonely
        float32 (t,): how unexpected the transcript's gene is in the likeliest cell, so far as nothing else there shows it.
    strange
        float32 (t,): rare partners that the gene has there, so far as nothing else there shows it.
    """

    start: np.ndarray
    who: np.ndarray
    share: np.ndarray
    none: np.ndarray
    first: np.ndarray
    second: np.ndarray
    lonely: np.ndarray
    strange: np.ndarray


@dataclass
class Answer:
    """T transcripts in the order of the chain, and E entries of transcripts with cells that they may be of.

    Attributes
    ----------
    best, second
        (T,) int32 likeliest and second likeliest cell, 0 = none.
    chance, second_chance
        (T,) float32 their probabilities.
    kept
        (T,) bool: likely enough to be assigned.
    who, gene, share
        (E,) int32, int32 and float32: the cell, the transcript's gene, and the probability.
    """

    best: np.ndarray
    second: np.ndarray
    chance: np.ndarray
    second_chance: np.ndarray
    kept: np.ndarray
    who: np.ndarray
    gene: np.ndarray
    share: np.ndarray


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


def _settle(
    state: Candidates, pairs: Pairs, programmes: Programmes, doing: tuple[Chain, float, Threads]
) -> Law:
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


def _listen(state: Candidates, near_by: Around, pull: float, threads: Threads) -> None:
    threads.ranges(
        lambda first, last: listen(state, near_by, pull, np.empty(SLOTS), (first, last)), len(state.none)
    )


def _ask(state: Candidates, pairs: Pairs, law: Law, genes: np.ndarray, threads: Threads) -> None:
    threads.ranges(lambda first, last: ask(state, pairs, law, genes, (first, last)), len(genes))


@njit(cache=True, nogil=True)
def _best(start, share, t):
    """Entries of the likeliest and of the second likeliest cell of a transcript, the earlier where they tie; -1 = none."""
    best, second = -1, -1
    for n in range(start[t], start[t + 1]):
        if best < 0 or share[n] > share[best]:
            best, second = n, best
        elif second < 0 or share[n] > share[second]:
            second = n
    return best, second


@njit(cache=True, nogil=True)
def rank(state, pairs, law, overall, genes, rare, ranked, span):
    """Fill `first`, `second`, `lonely` and `strange` for the transcripts of a range.

    A gene that the likeliest cell's other transcripts show is neither. Else it is the lonelier the smaller its share there
    is (the mean of what the programmes expect and of what the others show) beside e times its share overall.

    Parameters
    ----------
    state, pairs, law
        Settled.
    overall
        float64 (g,): profile of all transcripts.
    genes
        int32 (t,).
    rare
        float32 (p,): rare partners that the gene of each pair has in its cell.
    ranked
        What is filled.
    span
        (first, last).
    """
    for t in range(span[0], span[1]):
        best, ranked.second[t] = _best(state.start, state.share, t)
        ranked.first[t], ranked.lonely[t], ranked.strange[t] = best, 0.0, 0.0
        if best >= 0:
            pair, own = pairs.of[best], state.share[best]
            others = max(law.counts[pair] - own, 0.0)
            expected = (others / max(law.size[state.who[best]] - own, 1.0) + law.share[pair]) / 2
            alone = math.exp(-others)
            ranked.lonely[t] = alone * max(0.0, 1.0 + math.log(overall[genes[t]] / max(expected, 1e-9)))
            ranked.strange[t] = alone * rare[pair]


def _rare(chain: Chain, pairs: Pairs, counts: np.ndarray, threads: Threads) -> np.ndarray:
    """(p,) float32 rare partners that the gene of each pair has in its cell, by the expected counts of the pairs."""
    rare, apart = np.empty(len(counts), np.float32), chain.apart

    def some(first: int, last: int) -> None:
        part = slice(pairs.start[first], pairs.start[last])
        cell = np.repeat(np.arange(first, last, dtype=np.int32), np.diff(pairs.start[first : last + 1]))
        rare[part] = rare_partners(cell, pairs.gene[part], counts[part], apart.start, apart.partner)

    threads.ranges(some, len(chain.number))
    return rare


def _settled(chain: Chain, masses: Masses, settings: VoxelSettings, threads: Threads) -> Ranked:
    """Chances of all transcripts as they settle; the masses are used up."""
    state, genes = candidates(masses, settings.overlap * (1 - territory(chain.ridge))), chain.spots.gene
    background = settings.background_share
    if background is None:
        background = 1 - float(np.mean(chain.spots.made))
    pairs = pair_up(state.start, state.who, genes, len(chain.number), threads)
    programmes = first_programmes(chain)
    law = _settle(state, pairs, programmes, (chain, background, threads))
    first, second = (np.empty(len(genes), state.start.dtype) for _ in range(2))
    lonely, strange = (np.empty(len(genes), np.float32) for _ in range(2))
    ranked = Ranked(state.start, state.who, state.share, state.none, first, second, lonely, strange)
    rare, overall = _rare(chain, pairs, law.counts, threads), programmes.overall
    threads.ranges(lambda *span: rank(state, pairs, law, overall, genes, rare, ranked, span), len(genes))
    usual = float(rare[pairs.of[first[first >= 0]]].mean()) if len(pairs.of) else 0.0
    strange /= np.float32(max(usual, SMALLEST))
    return ranked


def _asked(ranked: Ranked, settings: VoxelSettings, territory_: float) -> np.ndarray:
    """(t,) chance that each transcript must reach, the more the more it alone would change in its likeliest cell."""
    least = max(settings.sure - EASIER * territory_, 0.0)
    asked = least + settings.surprise * ranked.lonely + settings.strangeness * ranked.strange
    return np.minimum(asked, ENOUGH)


def _of(values: np.ndarray, entry: np.ndarray) -> np.ndarray:
    """(t,) values of entries, 0 where there is none."""
    found = values.take(np.maximum(entry, 0)) if len(values) else np.zeros(len(entry), values.dtype)
    found[entry < 0] = 0
    return found


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
    ranked = _settled(chain, masses, settings, threads)
    start, who, share, none, first, second = ranked[:6]
    chance = _of(share, first)
    inside, places = chance > none, territory(chain.ridge)
    kept = inside & (chance >= _asked(ranked, settings, places))
    held = np.diff(start)
    share *= np.repeat(trust(chance, inside, 1 - places), held)
    next_ = np.where(inside, second, first)
    found = Answer(
        best=np.where(inside, _of(who, first), 0).astype(np.int32, copy=False),
        second=_of(who, next_),
        chance=np.where(inside, _of(share, first), none),
        second_chance=_of(share, next_),
        kept=kept,
        who=who,
        gene=np.repeat(chain.spots.gene, held),
        share=share,
    )
    if settings.unmodeled_fixed_cells:
        _claim(found, start, chain)
    return found


def _claim(found: Answer, start: np.ndarray, chain: Chain) -> None:
    """Give transcripts seen in fixed cells to them for certain, in place."""
    cell = chain.labels.label[chain.spots.seen]
    claimed = chain.cells.fixed[cell] > 0
    found.best[claimed], found.chance[claimed], found.kept[claimed] = cell[claimed], 1, True
    found.second[claimed], found.second_chance[claimed] = 0, 0
    found.share[np.repeat(claimed, np.diff(start))] = 0
    found.who = np.append(found.who, cell[claimed])
    found.gene = np.append(found.gene, chain.spots.gene[claimed])
    found.share = np.append(found.share, np.ones(np.count_nonzero(claimed), np.float32))
