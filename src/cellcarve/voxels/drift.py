"""Transcripts move away from where they were made: one Metropolis step for each.

Labels and rates stand still meanwhile, so that transcripts do not depend on each other. Two kinds of proposals take
turns. The usual one draws the whole displacement anew from its prior, which then cancels in the ratio; the other adds
a symmetric step to the present displacement.
"""

from numba import njit

from cellcarve.chain.compiled import LEAF
from cellcarve.chain.philox import unit, words
from cellcarve.chain.streams import REPOSITION
from cellcarve.voxels.kernel import Drift, between_voxels, cumulative
from cellcarve.voxels.rates import known_rate, unseen
from cellcarve.voxels.state import Cells, Grid, Labels, Rates, Spots
from cellcarve.voxels.threads import Threads

# Transcripts move in one of so many sweeps; in one of so many moves the proposal is a step instead of a
# draw from the prior.
DRIFT_EVERY, WALK_EVERY = 2, 4


@njit(**LEAF)
def step_at(table_sum, part):
    """Voxels along an axis, either sign, at a part 0 .. 1 of the chances of at most n."""
    sign = 1 if part >= 0.5 else -1
    part = abs(2.0 * part - 1.0)
    n = 0
    for shorter in range(table_sum.size - 1):
        n += part > table_sum[shorter]
    return sign * n


@njit(**LEAF)
def displacement(table_sum, word):
    """Voxels along an axis, either sign, from one word and the chances of at most n."""
    return step_at(table_sum, unit(word))


@njit(**LEAF)
def weight_of(drift, di, dj, dk):
    """Prior chance of a displacement in voxels."""
    di, dj, dk = abs(di), abs(dj), abs(dk)
    if dk >= drift.deep.size:
        return 0.0
    near, far = 0.0, 0.0
    if max(di, dj) < drift.near.size:
        near = drift.near[di] * drift.near[dj]
    if max(di, dj) < drift.far.size:
        far = drift.far[di] * drift.far[dj]
    return drift.deep[dk] * (drift.share * far + (1.0 - drift.share) * near)


@njit(**LEAF)
def place_of(grid, voxel):
    """Column, row and layer of a voxel."""
    column = voxel // grid.nl
    return column % (grid.nx + 2) - 1, column // (grid.nx + 2) - 1, voxel % grid.nl


@njit(**LEAF)
def landing(grid, label, opened, start, step):
    """Voxel a step (di, dj, dk) away from a voxel; -1 outside the lattice or in a tile that takes no part.

    Cells lie in open tiles only, so that just the background has to be asked for its tile.
    """
    i, j, k = place_of(grid, start)
    i, j, k = i + step[0], j + step[1], k + step[2]
    if not (0 <= i < grid.nx and 0 <= j < grid.ny and 0 <= k < grid.nl):
        return -1
    there = ((j + 1) * (grid.nx + 2) + i + 1) * grid.nl + k
    if label[there] == 0 and not opened[(j // grid.tile) * grid.across + i // grid.tile]:
        return -1
    return there


@njit(**LEAF)
def drawn_step(near, far, deep, share, drawn):
    """A displacement (di, dj, dk) from three words and the chances of at most n voxels.

    One word serves two draws: its high part picks the kernel, its low bits, scrambled, the layer.
    """
    a, b, c, _ = drawn
    dk = displacement(deep, (a * 2654435761) & 0xFFFFFFFF)
    if unit(a) < share:
        return displacement(far, b), displacement(far, c), dk
    return displacement(near, b), displacement(near, c), dk


@njit(**LEAF)
def odds_of(grid, drift, origin, now, there):
    """Ratio of the prior chances of displacements from a voxel to `there` and to `now`."""
    i, j, k = place_of(grid, origin)
    a, b, c = place_of(grid, there)
    d, e, f = place_of(grid, now)
    weight = weight_of(drift, d - i, e - j, f - k)
    return weight_of(drift, a - i, b - j, c - k) / weight if weight > 0.0 else 1.0


@njit(**LEAF)
def may_leave(rates, cells, label_pair, gene, place, bar):
    """Whether the rates of a gene at two labels (new, old), background and all, have a ratio above a bar.

    The new cell's rate is asked for only where the background alone does not pass the bar.
    """
    new, old = label_pair
    start, key, value = rates.start, rates.key, rates.value
    rest = float(rates.background[gene, place])
    lost = known_rate(start, key, value, old, gene)
    if lost < 0.0:
        lost = unseen(rates, cells.component, cells.exposed, old, gene)
    bar *= rest + cells.scale[old] * lost
    if rest > bar:
        return True
    gained = known_rate(start, key, value, new, gene)
    if gained < 0.0:
        gained = unseen(rates, cells.component, cells.exposed, new, gene)
    return rest + cells.scale[new] * gained > bar


@njit(**LEAF)
def move_spots(grid, labels, cells, spots, rates, drift, sweep, span):
    """Move the transcripts of a range.

    Parameters
    ----------
    grid, labels, cells, spots, rates, drift
        State; `spots.at` changes.
    sweep
        Number of the sweep.
    span
        (first, last).
    """
    label, opened, seed = labels.label, labels.open, rates.address[0]
    at, seen, genes, place = spots.at, spots.seen, spots.gene, spots.place
    walk = sweep // DRIFT_EVERY % WALK_EVERY == WALK_EVERY - 1
    near, far, deep = drift.near_sum, drift.far_sum, drift.deep_sum
    if walk:
        near, far, deep = drift.walk_sum, drift.walk_sum, drift.walk_deep_sum
    for t in range(span[0], span[1]):
        drawn = words(seed, REPOSITION, sweep, t, 0)
        here = at[t]
        step = drawn_step(near, far, deep, drift.share, drawn)
        there = landing(grid, label, opened, here if walk else seen[t], step)
        if there < 0 or there == here:
            continue
        bar = unit(drawn[3])
        if walk:
            bar /= odds_of(grid, drift, seen[t], here, there)
        old, new = label[here], label[there]
        moves = bar < 1.0 if old == new else may_leave(rates, cells, (new, old), genes[t], place[t], bar)
        if moves:
            at[t] = there


@njit(**LEAF)
def link(head, after, at):
    """Lists of the transcripts in each voxel, in the order of the transcripts: `head` and `after` are filled."""
    head[:] = -1
    for t in range(at.size - 1, -1, -1):
        voxel = at[t]
        after[t] = head[voxel]
        head[voxel] = t


def drift_of(
    sigmas: tuple[float, float, float], proposal: tuple[float, float], share: float, side: float, nl: int
) -> Drift:
    """Tables for a lattice.

    Parameters
    ----------
    sigmas
        Near and far spread in µm, and along z as a share of the section.
    proposal
        Spread of proposed steps in µm, and along z.
    share
        Of far moves.
    side
        Of a voxel, µm.
    nl
        Layers.
    """
    near, far = (between_voxels(sigma, side) for sigma in sigmas[:2])
    deep, walk_deep = (between_voxels(sigma, 1 / nl) for sigma in (sigmas[2], proposal[1]))
    walk = between_voxels(proposal[0], side)
    return Drift(
        near=near,
        far=far,
        deep=deep,
        near_sum=cumulative(near),
        far_sum=cumulative(far),
        deep_sum=cumulative(deep),
        walk_sum=cumulative(walk),
        walk_deep_sum=cumulative(walk_deep),
        share=float(share),
    )


def drift_all(
    chain: tuple[Grid, Labels, Cells, Spots, Rates], drift: Drift, sweep: int, threads: Threads
) -> None:
    """Move all transcripts and link them to their voxels again; `Spots` changes in place."""
    spots = chain[3]
    threads.ranges(lambda first, last: move_spots(*chain, drift, sweep, (first, last)), len(spots.gene))
    link(spots.head, spots.after, spots.at)
