"""The cells that each transcript may be of, one entry for each, in the order of the transcripts."""

from typing import NamedTuple

import numpy as np
from numba import njit

from cellcarve.voxels.masses import Masses

# A cell with less than this share of a transcript's surroundings is no candidate.
LEAST = 0.02


class Candidates(NamedTuple):
    """T transcripts and E entries, and what changes while the answer settles.

    Attributes
    ----------
    start
        int32 (t + 1,), int64 where there are too many: where the entries of each transcript begin.
    who
        int32 (e,): cells.
    mass
        float32 (e,): their parts of the surroundings.
    near
        float32 (e,): the same after neighbours were heard.
    share
        float32 (e,): their chances.
    none
        float32 (t,): chance of no cell.
    """

    start: np.ndarray
    who: np.ndarray
    mass: np.ndarray
    near: np.ndarray
    share: np.ndarray
    none: np.ndarray


@njit(cache=True, nogil=True)
def _part(mass, t, slot, kernels):
    """Part of a transcript's surroundings that the cell in a slot holds, by the weights of a place of either kernel."""
    return mass[t, slot, 0] * kernels[0] + mass[t, slot, 1] * kernels[1]


@njit(cache=True, nogil=True)
def _count(who, mass, kernels, start):
    """Fill `start`, (t + 1,)."""
    start[0] = 0
    for t in range(who.shape[0]):
        held = 0
        for slot in range(who.shape[1]):
            held += who[t, slot] > 0 and _part(mass, t, slot, kernels) >= LEAST
        start[t + 1] = start[t] + held


@njit(cache=True, nogil=True)
def _list(who, mass, kernels, state):
    """Fill the entries of `state`; chances begin as the parts of the surroundings."""
    for t in range(who.shape[0]):
        n, whole = int(state.start[t]), 0.0
        for slot in range(who.shape[1]):
            part = _part(mass, t, slot, kernels)
            if who[t, slot] > 0 and part >= LEAST:
                state.who[n] = who[t, slot]
                state.mass[n] = part
                whole += part
                n += 1
        for entry in range(state.start[t], n):
            state.near[entry] = state.mass[entry]
            state.share[entry] = state.mass[entry] / whole


def candidates(masses: Masses, overlap: float) -> Candidates:
    """Candidates by their parts of the surroundings, `overlap` of which are the far kernel's; uses the masses up."""
    looks = max(masses.looks, 1)
    kernels, count = ((1 - overlap) / looks, overlap / looks), len(masses.who)
    start = np.empty(count + 1, np.int32 if masses.who.size < 2**31 else np.int64)
    _count(masses.who, masses.mass, kernels, start)
    entries = int(start[-1])
    mass, near, share = (np.empty(entries, np.float32) for _ in range(3))
    state = Candidates(start, np.empty(entries, np.int32), mass, near, share, np.zeros(count, np.float32))
    _list(masses.who, masses.mass, kernels, state)
    masses.forget()
    return state
