"""What the instrument makes of each nucleus: seen, missed, merged with a neighbour or split."""

from enum import IntEnum

import numpy as np
from scipy.spatial import cKDTree

from cellcarve.simulate.cells import Cells
from cellcarve.simulate.hashing import uniforms
from cellcarve.simulate.nuclei import Nuclei
from cellcarve.simulate.settings import SimulateSettings


class Fault(IntEnum):
    """What became of a cell's nucleus."""

    NONE = 0
    ABSENT = 1
    HIDDEN = 2
    MISSED = 3
    MERGED = 4
    SPLIT = 5


FAULT_NAMES = ("none", "outside the section", "below another", "missed", "merged", "split")
# Nuclei further apart than this many µm are never drawn as one.
MERGE_REACH = 14.0


def draw_faults(cells: Cells, nuclei: Nuclei, settings: SimulateSettings) -> tuple[np.ndarray, np.ndarray]:
    """Decide what becomes of each nucleus.

    Returns
    -------
    tuple of np.ndarray
        (n,) uint8 of `Fault`, and (n,) int64 position of the cell whose nucleus took it in, -1 = none.
    """
    fault = np.where(nuclei.shown > 0, Fault.NONE, Fault.ABSENT).astype(np.uint8)
    fault[_hidden(cells, nuclei)] = Fault.HIDDEN
    into = np.full(len(cells), -1, np.int64)
    if settings.perfect:
        return fault, into
    seen = fault == Fault.NONE
    chance = uniforms(cells.key ^ np.uint64(0x61C8), 1)[0]
    missed = seen & (chance < settings.missed)
    # Two cells share a merged nucleus: half as many cells begin one.
    edge = settings.missed + settings.merged / 2
    begins = seen & (chance >= settings.missed) & (chance < edge)
    split = seen & (chance >= edge) & (chance < edge + settings.split)
    fault[missed], fault[split] = Fault.MISSED, Fault.SPLIT
    free = seen & ~missed & ~begins & ~split
    host, guest = _partners(nuclei, cells.key, np.flatnonzero(begins), np.flatnonzero(free))
    fault[host], fault[guest] = Fault.MERGED, Fault.MERGED
    into[guest] = host
    return fault, into


def _hidden(cells: Cells, nuclei: Nuclei) -> np.ndarray:
    """Positions of nuclei that lie, from above, within a larger one: the instrument draws one of the two."""
    seen = np.flatnonzero(nuclei.shown > 0)
    radius = np.sqrt(nuclei.area[seen] / np.pi)
    pairs = cKDTree(nuclei.shape[seen, :2]).query_pairs(8.0, output_type="ndarray")
    a, b = pairs[:, 0], pairs[:, 1]
    apart = np.hypot(*(nuclei.shape[seen[a], :2] - nuclei.shape[seen[b], :2]).T)
    over = apart < 0.8 * np.maximum(radius[a], radius[b])
    a, b = a[over], b[over]
    first = (radius[a] < radius[b]) | ((radius[a] == radius[b]) & (cells.key[seen[a]] < cells.key[seen[b]]))
    return seen[np.unique(np.where(first, a, b))]


def _partners(
    nuclei: Nuclei, key: np.ndarray, begins: np.ndarray, free: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Each beginner's nearest free neighbour; where two want the same one, the lower key has it."""
    if not len(begins) or not len(free):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    distance, found = cKDTree(nuclei.shape[free, :2]).query(nuclei.shape[begins, :2])
    near = distance < MERGE_REACH
    host, guest = begins[near], free[found[near]]
    order = np.argsort(key[host], kind="stable")
    guest, first = np.unique(guest[order], return_index=True)
    return host[order][first], guest
