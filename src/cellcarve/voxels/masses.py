"""How much of a transcript's surroundings each cell holds.

That is the chance, over the places that it may have come from, that the place is the cell's, summed over the recorded
sweeps.

Where a transcript came from does not depend on its gene, so that places are shared out once and genes are asked about
at the end. Places are spread evenly over the kernel of moves (multiples of powers of 1/p, where p^4 = p + 1) and turned
at random for every transcript and sweep, which takes fewer of them than independent draws.
"""

from dataclasses import dataclass

import numpy as np
from numba import njit

from cellcarve.chain.compiled import LEAF
from cellcarve.chain.philox import unit, words
from cellcarve.chain.streams import PLACES
from cellcarve.voxels.drift import place_of, step_at
from cellcarve.voxels.kernel import Drift
from cellcarve.voxels.state import Grid, Labels, Spots
from cellcarve.voxels.threads import Threads

# Cells remembered per transcript.
SLOTS = 4
# Places looked at in a sweep, for each transcript and each of the two kernels.
LOOKS = 8
ALONG_X, ALONG_Y, ALONG_Z = 0.8191725133961645, 0.6710436067037893, 0.5497004779019703


@njit(**LEAF)
def turned(part, by):
    """A part 0 .. 1 of a full turn, turned on by another."""
    part += by
    return part - 1.0 if part >= 1.0 else part


@njit(**LEAF)
def first_turn(seed, sweep, t):
    """By how much the places of a transcript are turned in a sweep: three numbers 0 .. 1."""
    drawn = words(seed, PLACES, sweep, t, 0)
    return unit(drawn[0]), unit(drawn[1]), unit(drawn[2])


@njit(**LEAF)
def turn_on(turn):
    """The next of the places that are spread evenly: three numbers 0 .. 1."""
    return turned(turn[0], ALONG_X), turned(turn[1], ALONG_Y), turned(turn[2], ALONG_Z)


@njit(**LEAF)
def place_near(grid, origin, along, deep, part):
    """Voxel by a move from (column, row, layer), -1 outside the lattice, and the move (di, dj, dk).

    The move is at parts 0 .. 1 of the chances of at most n voxels along x and y, `along`, and along the layers, `deep`.
    """
    di, dj, dk = step_at(along, part[0]), step_at(along, part[1]), step_at(deep, part[2])
    i, j, k = origin[0] + di, origin[1] + dj, origin[2] + dk
    inside = 0 <= i < grid.nx and 0 <= j < grid.ny and 0 <= k < grid.nl
    return ((j + 1) * (grid.nx + 2) + i + 1) * grid.nl + k if inside else -1, (di, dj, dk)


@njit(**LEAF)
def add_place(who, mass, t, cell, kind):
    """Count a place of a cell for transcript t: `who`, int32 (t, slots), and `mass`, uint16 (t, slots, kind), change.

    Where more cells compete than are remembered, places of others wear down the rarest one until it gives way
    (Misra and Gries 1982).
    """
    least, fewest = 0, 1 << 30
    for n in range(who.shape[1]):
        if who[t, n] == cell:
            mass[t, n, kind] += 1
            return
        held = int(mass[t, n, 0]) + int(mass[t, n, 1])
        if held < fewest:
            least, fewest = n, held
    if fewest == 0:
        who[t, least] = cell
        mass[t, least, kind] = 1
    else:
        mass[t, least, 0 if mass[t, least, 0] > mass[t, least, 1] else 1] -= 1


@njit(**LEAF)
def look(grid, label, origin, tables, turn, found, kind):
    """Count the labels of places around a voxel.

    Parameters
    ----------
    grid, label
        The lattice and its labels.
    origin
        Column, row and layer of the voxel.
    tables
        Chances of at most n voxels along x or y, and along the layers.
    turn
        Three numbers 0 .. 1 by which the places are turned.
    found
        (who, mass, t), see `add_place`.
    kind
        Kernel: 0 near, 1 far.
    """
    who, mass, t = found
    for _ in range(LOOKS):
        turn = turn_on(turn)
        there, _step = place_near(grid, origin, tables[0], tables[1], turn)
        if there >= 0 and label[there] > 0:
            add_place(who, mass, t, label[there], kind)


@njit(**LEAF)
def look_around(grid, label, seen, drift, address, found, span):
    """Look around the observed voxels of the transcripts of a range.

    Parameters
    ----------
    grid, label, seen, drift
        The lattice, its labels, observed voxels, and the moves of transcripts.
    address
        (seed, sweep).
    found
        (who, mass), see `add_place`.
    span
        (first, last).
    """
    for t in range(span[0], span[1]):
        origin = place_of(grid, seen[t])
        turn = first_turn(address[0], address[1], t)
        into = (found[0], found[1], t)
        look(grid, label, origin, (drift.near_sum, drift.deep_sum), turn, into, 0)
        look(grid, label, origin, (drift.far_sum, drift.deep_sum), turn, into, 1)


@dataclass
class Masses:
    """Sums over the sweeps that were looked at.

    Attributes
    ----------
    who
        int32 (t, slots): cells, 0 = none.
    mass
        uint16 (t, slots, 2): places of the cell, near and far.
    looks
        Places looked at for each transcript and kernel.
    """

    who: np.ndarray
    mass: np.ndarray
    looks: int = 0

    def add(
        self,
        state: tuple[Grid, Labels, Spots],
        drift: Drift,
        address: tuple[int, int],
        threads: Threads,
    ) -> None:
        """Look at the present labels from all transcripts."""
        grid, labels, spots = state
        given = (grid, labels.label, spots.seen, drift, address, (self.who, self.mass))
        threads.ranges(lambda first, last: look_around(*given, (first, last)), len(self.who))
        self.looks += LOOKS

    def forget(self) -> None:
        """Let go of what is kept of each transcript."""
        self.who, self.mass = np.empty((0, SLOTS), np.int32), np.empty((0, SLOTS, 2), np.uint16)


def no_masses(count: int) -> Masses:
    """Masses of so many transcripts before the first look."""
    return Masses(np.zeros((count, SLOTS), np.int32), np.zeros((count, SLOTS, 2), np.uint16))
