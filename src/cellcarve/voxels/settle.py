"""The end of a hill-climb: every transcript goes to the cell that is likeliest where labels lie now, or to none.

The chain says where a transcript was made, and a cell is likely by all of its places taken together. The likeliest single
place is often another cell's, as is the last one of many that were drawn.
"""

import numpy as np
from numba import njit

from cellcarve.chain.compiled import LEAF
from cellcarve.settings import VoxelSettings
from cellcarve.voxels.chain import Chain, shed
from cellcarve.voxels.drift import link, place_of, weight_of
from cellcarve.voxels.kernel import Drift
from cellcarve.voxels.masses import LOOKS, first_turn, no_masses, place_near, turn_on
from cellcarve.voxels.soft import answer
from cellcarve.voxels.threads import Threads

# Times that every transcript looks around.
TIMES = 4


@njit(**LEAF)
def likeliest_place(grid, label, drift, seen, address, t, cell):
    """Voxel of a cell that a transcript seen in a voxel most likely comes from, of those looked at; -1: there is none.

    The looks are those from which its chances were told.
    """
    if label[seen] == cell:
        return int(seen)
    origin, found, most = place_of(grid, seen), -1, 0.0
    for n in range(TIMES):
        turn = first_turn(address[0], address[1] + n, t)
        for along in (drift.near_sum, drift.far_sum):
            part = turn
            for _ in range(LOOKS):
                part = turn_on(part)
                there, step = place_near(grid, origin, along, drift.deep_sum, part)
                if there >= 0 and label[there] == cell:
                    weight = weight_of(drift, step[0], step[1], step[2])
                    if weight > most:
                        found, most = there, weight
    return found


@njit(**LEAF)
def settle_spots(grid, labels, spots, drift, address, moving, best, span):
    """Bring the transcripts of a range to places of their cells; `spots.at` and `spots.made` change.

    Parameters
    ----------
    grid, labels, spots, drift
        State.
    address
        (seed, first sweep) of the looks around.
    moving
        1: transcripts may move; else only one that lies in its cell is made by it.
    best
        int32 (t,): their cells, 0 = none.
    span
        (first, last).
    """
    label, at, seen, made = labels.label, spots.at, spots.seen, spots.made
    for t in range(span[0], span[1]):
        cell = best[t]
        made[t] = cell > 0 and label[at[t]] == cell
        if cell == 0 or made[t] or not moving:
            continue
        there = likeliest_place(grid, label, drift, seen[t], address, t, cell)
        if there >= 0:
            at[t], made[t] = there, 1


def settle(chain: Chain, drift: Drift, settings: VoxelSettings, threads: Threads) -> None:
    """Settle all transcripts; `chain.spots` changes, and tables of counts are to be made anew."""
    shed(chain)
    # Lists by voxel are made anew below: until then they make room.
    none = np.empty(0, np.int32)
    chain.spots = chain.spots._replace(head=none, after=none)
    state = (chain.frame.grid, chain.labels, chain.spots)
    address = (int(chain.rates.address[0]), chain.sweep)
    masses = no_masses(len(chain.order))
    for n in range(TIMES):
        masses.add(state, drift, (address[0], address[1] + n), threads)
    found = answer(chain, masses, settings, threads)
    best = np.where(found.kept, found.best, 0).astype(np.int32)
    moving = int(settings.diffusion)
    threads.ranges(
        lambda first, last: settle_spots(*state, drift, address, moving, best, (first, last)), len(best)
    )
    head, after = np.empty(len(chain.labels.label), np.int32), np.empty(len(best), np.int32)
    link(head, after, chain.spots.at)
    chain.spots = chain.spots._replace(head=head, after=after)
