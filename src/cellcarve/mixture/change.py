"""Move transcripts between components: labels, sums and counts are kept up to date one transcript at a time."""

import numpy as np
from numba import njit

from cellcarve.chain.compiled import LEAF, MAKER
from cellcarve.mixture.state import State
from cellcarve.mixture.tally import NONE, add, tally_up


@njit(**LEAF)
def _shift(cells, at, scene, i, k, sign):
    """Add a transcript to a component's sums, or take it out (`sign` -1)."""
    x, y, z = float(at.x[i]), float(at.y[i]), float(at.z[i])
    s = cells.sums[k]
    s[0] += sign * x
    s[1] += sign * y
    s[2] += sign * z
    s[3] += sign * x * x
    s[4] += sign * x * y
    s[5] += sign * x * z
    s[6] += sign * y * y
    s[7] += sign * y * z
    s[8] += sign * z * z
    if len(scene.nuclear):
        w = max(float(scene.nuclear[i]), 0.01)
        s[9] += sign * w
        s[10] += sign * w * x
        s[11] += sign * w * y
        s[12] += sign * w * z
    cells.n[k] += sign
    cells.touched[k] = True


@njit(**LEAF)
def _move(at, scene, cells, counts, who, to, first):
    """Move transcripts who[first:] to components `to`; returns where a store was full, or how many there are."""
    genes, segments = counts.genes, counts.segments
    for c in range(first, len(who)):
        i, new, old = who[c], to[c], scene.label[who[c]]
        if new == old:
            continue
        counted, prior = scene.gene[i] >= 0, scene.segment[i]
        if new > 0 and counted and not add(genes, new, scene.gene[i], 1):
            return c
        if new > 0 and prior > 0 and not add(segments, new, prior, 1):
            if counted:
                add(genes, new, scene.gene[i], -1)
            return c
        if old > 0:
            if counted:
                add(genes, old, scene.gene[i], -1)
            if prior > 0:
                add(segments, old, prior, -1)
            _shift(cells, at, scene, i, old, -1)
        if new > 0:
            _shift(cells, at, scene, i, new, 1)
        scene.label[i] = new
        scene.calm[i] = 0
    return len(who)


def move(state: State, who: np.ndarray, to: np.ndarray) -> None:
    """Give transcripts to other components.

    Parameters
    ----------
    state
        Changed in place.
    who
        (M,) int32 transcripts.
    to
        (M,) int32 components, 0 = noise.
    """
    done = 0
    while True:
        s = state
        done = _move(s.at, s.scene, s.cells, s.counts, who, to, done)
        if done >= len(who):
            return
        recount(state)


def recount(state: State) -> None:
    """Count genes and segments anew into stores with fresh room."""
    scene, owners = state.scene, len(state.cells.n)
    # The old stores go before new ones take their place.
    state.counts = state.counts._replace(genes=NONE, segments=NONE)
    genes = tally_up(scene.label, scene.gene, owners)
    segments = tally_up(scene.label, np.where(scene.segment > 0, scene.segment, -1), owners)
    state.counts = state.counts._replace(genes=genes, segments=segments)


@njit(**MAKER)
def _gather(at, scene, cells):
    cells.n[:] = 0
    cells.sums[:] = 0
    cells.touched[:] = True
    for i in range(len(scene.label)):
        if scene.label[i] > 0:
            _shift(cells, at, scene, i, scene.label[i], 1)


def regather(state: State) -> None:
    """Sums and counts of all components from the labels alone."""
    _gather(state.at, state.scene, state.cells)
    recount(state)
