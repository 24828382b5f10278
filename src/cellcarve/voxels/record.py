"""What is kept of the recorded sweeps: the likeliest cells of every transcript, and their average probabilities."""

import numpy as np
from numba import njit
from scipy.sparse import csr_matrix

from cellcarve.chain.compiled import LEAF
from cellcarve.voxels.masses import no_masses
from cellcarve.voxels.rates import known_rate, unseen
from cellcarve.voxels.state import Cells, Labels, Rates, Spots
from cellcarve.voxels.tally import tabulate
from cellcarve.voxels.threads import Threads

# Cells remembered per transcript; where more compete, the one with the least weight gives way.
SLOTS = 4


@njit(**LEAF)
def add_weight(who, weight, t, cell, amount):
    """Add to a cell's weight for transcript t: `who`, int32 (t, slots), and `weight`, float32 (t, slots), change."""
    least = 0
    for n in range(who.shape[1]):
        if who[t, n] == cell:
            weight[t, n] += amount
            return
        if weight[t, n] < weight[t, least]:
            least = n
    who[t, least] = cell
    weight[t, least] = amount


@njit(**LEAF)
def record_spots(labels, cells, spots, rates, keep_fixed, who, weight, span):
    """Add for each transcript of a range the chance that the cell where it now lies made it."""
    label, scale, fixed = labels.label, cells.scale, cells.fixed
    at, genes, place = spots.at, spots.gene, spots.place
    start, key, value, background = rates.start, rates.key, rates.value, rates.background
    for t in range(span[0], span[1]):
        cell, gene = label[at[t]], genes[t]
        if cell == 0:
            continue
        if keep_fixed and fixed[cell]:
            add_weight(who, weight, t, cell, 1.0)
            continue
        own = known_rate(start, key, value, cell, gene)
        if own < 0.0:
            own = unseen(rates, cells.component, cells.exposed, cell, gene)
        own *= scale[cell]
        add_weight(who, weight, t, cell, own / (own + float(background[gene, place[t]])))


class Record:
    """Sums over the recorded sweeps.

    Attributes
    ----------
    who, weight
        int32 and float32 (t, slots): cells, and the sums of their chances.
    masses
        Whose surroundings the transcripts lie in; empty where nobody asks.
    sums
        (data, indices, indptr) of the table of cells and genes that `close` made of who and weight; all empty before.
    sweeps
        Recorded so far.
    moves
        Pairs of cells (from, to) between which transcripts moved, and how often: int64 key, int64 count.
    """

    def __init__(self, count: int, asked: bool) -> None:
        self.who = np.zeros((count, SLOTS), np.int32)
        self.weight = np.zeros((count, SLOTS), np.float32)
        self.masses = no_masses(count if asked else 0)
        self.sums = (np.empty(0, np.float32), np.empty(0, np.int32), np.empty(0, np.int32))
        self.sweeps = 0
        self.moves = (np.empty(0, np.int64), np.empty(0, np.int64))

    @property
    def asked(self) -> bool:
        """Whether the answer over the recorded sweeps is wanted."""
        return len(self.masses.who) > 0

    def add(self, state: tuple[Labels, Cells, Spots, Rates], keep_fixed: bool, threads: Threads) -> None:
        """Record the present state."""
        fixed, total = int(keep_fixed), len(self.who)
        threads.ranges(
            lambda first, last: record_spots(*state, fixed, self.who, self.weight, (first, last)), total
        )
        self.sweeps += 1

    def expected(self, gene: np.ndarray, shape: tuple[int, int]) -> csr_matrix:
        """Average foreground counts, float32 of a shape (cells, genes); `gene` (t,) is that of each transcript."""
        if len(self.sums[2]) > 0:
            return csr_matrix(self.sums, shape)
        found = tabulate(self.who, self.weight, gene, shape, np.float32)
        found.data /= np.float32(max(self.sweeps, 1))
        return found

    def close(self, gene: np.ndarray, shape: tuple[int, int]) -> None:
        """Nothing more will be added: keep the table of `expected` and let go of the chances of each transcript."""
        found = self.expected(gene, shape)
        self.sums = (found.data, found.indices, found.indptr)
        self.who, self.weight = np.empty((0, SLOTS), np.int32), np.empty((0, SLOTS), np.float32)

    def add_moves(self, before: np.ndarray, after: np.ndarray, cells: int) -> None:
        """Record transcripts that repositioning moved: cells (t,) before and after."""
        moved = (before != after) & (before > 0) & (after > 0)
        key, count = np.unique(before[moved].astype(np.int64) * cells + after[moved], return_counts=True)
        key = np.concatenate([self.moves[0], key])
        pair, which = np.unique(key, return_inverse=True)
        total = np.bincount(which, np.concatenate([self.moves[1], count]), len(pair))
        self.moves = (pair, total.astype(np.int64))
