"""Connectivity: a move may not cut a cell in two nor join it across a gap, seen within the 26 neighbours of the voxel.

Bit n of a neighbourhood is neighbour (n % 3 - 1, n // 3 % 3 - 1, n // 9 - 1) along x, y and layers; bit 13, the voxel
itself, stays 0.
"""

import numpy as np
from numba import njit

from cellcarve.chain.compiled import LEAF


def _touching() -> np.ndarray:
    """(27,) int64: for each neighbour the bits of those that touch it, by a face, an edge or a corner."""
    place = np.array([(n % 3, n // 3 % 3, n // 9) for n in range(27)])
    near = np.abs(place[:, None] - place[None]).max(2) <= 1
    near[:, 13] = near[13, :] = False
    return (near * (1 << np.arange(27))).sum(1).astype(np.int64)


TOUCHING = _touching()


@njit(**LEAF)
def in_one_piece(bits):
    """Whether the set neighbours hang together without the voxel itself; none at all do not, one does."""
    if bits == 0:
        return False
    reached = bits & -bits
    front = reached
    while front != 0:
        lowest = front & -front
        front ^= lowest
        n = 0
        while lowest >> n != 1:
            n += 1
        fresh = TOUCHING[n] & bits & ~reached
        reached |= fresh
        front |= fresh
    return reached == bits


@njit(**LEAF)
def neighbours_of(label, voxel, across, layers, cell):
    """Bits of the neighbours that belong to a cell.

    Parameters
    ----------
    label
        (v,) labels with their frame.
    voxel
        The voxel.
    across
        Distance between rows of voxels in `label`.
    layers
        Layers.
    cell
        The cell.
    """
    layer = voxel % layers
    bits, n = 0, 0
    for dk in range(-1, 2):
        for dj in range(-1, 2):
            for di in range(-1, 2):
                inside = 0 <= layer + dk < layers and n != 13
                if inside and label[voxel + dj * across + di * layers + dk] == cell:
                    bits |= 1 << n
                n += 1
    return bits
