"""Which transcripts in a cell were made by it, and the counts of each cell that follow."""

import numpy as np
from numba import njit

from cellcarve.chain.checkpoint import Scratch
from cellcarve.chain.compiled import LEAF
from cellcarve.chain.philox import unit, words
from cellcarve.chain.streams import FOREGROUND
from cellcarve.voxels.rates import known_rate, slot_of, unseen
from cellcarve.voxels.state import Cells, Labels, Rates, Spots
from cellcarve.voxels.threads import Threads


@njit(**LEAF)
def split_spots(labels, cells, spots, rates, keep_fixed, sweep, span):
    """Draw for each transcript of a range whether its cell made it; `spots.made` changes.

    Parameters
    ----------
    labels, cells, spots, rates
        State.
    keep_fixed
        1: fixed cells made all their transcripts.
    sweep
        Number of the sweep; 0: every cell made all its transcripts.
    span
        (first, last).
    """
    label, scale, fixed, seed = labels.label, cells.scale, cells.fixed, rates.address[0]
    at, genes, place, made = spots.at, spots.gene, spots.place, spots.made
    start, key, value, background = rates.start, rates.key, rates.value, rates.background
    drawn = words(seed, FOREGROUND, sweep, span[0] // 4, 0)
    for t in range(span[0], span[1]):
        if t % 4 == 0:
            drawn = words(seed, FOREGROUND, sweep, t // 4, 0)
        cell = label[at[t]]
        if cell == 0:
            made[t] = 0
            continue
        if sweep == 0 or (keep_fixed and fixed[cell]):
            made[t] = 1
            continue
        gene = genes[t]
        own = known_rate(start, key, value, cell, gene)
        if own < 0.0:
            own = unseen(rates, cells.component, cells.exposed, cell, gene)
        own *= scale[cell]
        made[t] = unit(drawn[t % 4]) * (own + float(background[gene, place[t]])) < own


@njit(**LEAF)
def count_made(label, at, made, counted):
    """Transcripts that each cell made: `counted`, int64 (c + 1,), is filled at cell + 1."""
    counted[:] = 0
    for t in range(at.size):
        if made[t]:
            counted[label[at[t]] + 1] += 1


@njit(**LEAF)
def count_background(gene, place, made, counted):
    """Background transcripts of each gene and place: `counted`, int64 (g, p), is filled."""
    counted[:] = 0
    for t in range(gene.size):
        if not made[t]:
            counted[gene[t], place[t]] += 1


@njit(**LEAF)
def lay_tables(counted, genes, start):
    """Lengths of the cells' tables, each a power of two with room to spare: `start`, int64 (c + 1,), is filled."""
    start[0] = 0
    for cell in range(start.size - 1):
        most = min(counted[cell + 1], genes)
        length = 0
        if most > 0:
            length = 4
            while 2 * length < 3 * most:
                length *= 2
        start[cell + 1] = start[cell] + length


@njit(**LEAF)
def fill_tables(labels, spots, start, key, count):
    """Count the transcripts that the cells made, by cell and gene: `key` and `count` are filled."""
    key[: start[-1]] = -1
    count[: start[-1]] = 0
    label, at, made, genes = labels.label, spots.at, spots.made, spots.gene
    for t in range(at.size):
        if not made[t]:
            continue
        gene = genes[t]
        slot = slot_of(start, key, label[at[t]], gene)
        if slot < 0:
            slot = -slot - 1
            key[slot] = gene
        count[slot] += 1


class Room(Scratch):
    """Memory for the cells' tables that only grows, so that no sweep has to ask for it anew."""

    def __init__(self) -> None:
        self.key = np.empty(0, np.int32)
        self.count = np.empty(0, np.int32)
        self.value = np.empty(0, np.float32)

    def fit(self, entries: int) -> None:
        """Make room for so many entries; what was held may be lost."""
        if entries > len(self.key):
            larger = int(entries * 1.2)
            self.key = np.empty(larger, np.int32)
            self.count = np.empty(larger, np.int32)
            self.value = np.empty(larger, np.float32)


def split(
    state: tuple[Labels, Cells, Spots, Rates],
    room: Room,
    how: tuple[bool, bool],
    sweep: int,
    threads: Threads,
) -> tuple[Rates, np.ndarray]:
    """Draw which transcripts were made by their cells, and count them.

    Parameters
    ----------
    state
        Labels, cells, transcripts and rates; `made` of the transcripts changes.
    room
        Memory for the tables.
    how
        Whether fixed cells made all their transcripts, and whether it is settled already and only to be counted.
    sweep
        Number of the sweep; 0: the first split of all, with no rates yet.
    threads
        Who does the work.

    Returns
    -------
    tuple
        Rates with the new tables, whose values are not drawn yet; background counts, int64 (g, p).
    """
    labels, cells, spots, rates = state
    keep_fixed, settled = int(how[0]), how[1]
    if not settled:
        threads.ranges(
            lambda first, last: split_spots(*state, keep_fixed, sweep, (first, last)), len(spots.gene)
        )
    counted = np.empty(len(cells.volume) + 1, np.int64)
    count_made(labels.label, spots.at, spots.made, counted)
    lay_tables(counted, len(rates.background), rates.start)
    room.fit(int(rates.start[-1]))
    fill_tables(labels, spots, rates.start, room.key, room.count)
    rest = np.empty(rates.background.shape, np.int64)
    count_background(spots.gene, spots.place, spots.made, rest)
    return rates._replace(key=room.key, tally=room.count, value=room.value), rest
