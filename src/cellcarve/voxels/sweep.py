"""A pass of voxel moves over the tiles, those of one colour at a time."""

from collections.abc import Sequence

import numpy as np
from numba import njit

from cellcarve.chain.philox import words
from cellcarve.chain.streams import VOXEL_MOVE
from cellcarve.voxels.move import propose, try_voxel
from cellcarve.voxels.state import Cells, Grid, Labels, Plan, Rates, Sizes, Spots
from cellcarve.voxels.threads import Threads


@njit(cache=True, nogil=True)
def within_reach(home, cell, tile, middle_i, middle_j):
    """Whether a tile may change a cell: its home lies less than one tile's side from the tile's middle.

    Tiles of one colour lie two sides apart, so that at most one of them may: no two threads share a cell.
    """
    if cell == 0:
        return True
    near_i, near_j = abs(2 * home[cell, 0] - middle_i), abs(2 * home[cell, 1] - middle_j)
    return near_i < 2 * tile and near_j < 2 * tile


@njit(cache=True, nogil=True)
def may_change(grid, cells, tile, voxel_label, new):
    """Whether neither label belongs to a cell that is fixed or out of the tile's reach."""
    if cells.fixed[voxel_label] or cells.fixed[new]:
        return False
    middle_i = (2 * (tile % grid.across) + 1) * grid.tile
    middle_j = (2 * (tile // grid.across) + 1) * grid.tile
    old_near = within_reach(cells.home, voxel_label, grid.tile, middle_i, middle_j)
    return old_near and within_reach(cells.home, new, grid.tile, middle_i, middle_j)


@njit(cache=True, nogil=True)
def sweep_tile(grid, labels, cells, spots, rates, sizes, plan, tile):
    """Visit a share of a tile's columns, every layer of them; returns how many labels changed."""
    label, nl, across = labels.label, grid.nl, (grid.nx + 2) * grid.nl
    i0, j0 = (tile % grid.across) * grid.tile, (tile // grid.across) * grid.tile
    changed = 0
    for j in range(j0, min(j0 + grid.tile, grid.ny)):
        first = i0 + (-(i0 + 3 * j + plan.phase)) % plan.stride
        for i in range(first, min(i0 + grid.tile, grid.nx), plan.stride):
            column = (j + 1) * (grid.nx + 2) + i + 1
            drawn = words(plan.seed, VOXEL_MOVE, plan.sweep, column, 0)
            for k in range(nl):
                if k > 0 and k % 4 == 0:
                    drawn = words(plan.seed, VOXEL_MOVE, plan.sweep, column, k // 4)
                voxel = column * nl + k
                new = propose(label, voxel, across, nl, plan.bubble, drawn[k % 4])
                if new < 0 or new == label[voxel] or not may_change(grid, cells, tile, label[voxel], new):
                    continue
                asked = (voxel, int(new), column, 1000 + k)
                changed += try_voxel(grid, labels, cells, spots, rates, sizes, plan, asked)
    return changed


def colours(grid: Grid, open_tiles: np.ndarray) -> list[np.ndarray]:
    """Open tiles of each of the four colours: tiles of one colour do not touch."""
    tile = np.flatnonzero(open_tiles)
    colour = tile % grid.across % 2 + 2 * (tile // grid.across % 2)
    return [tile[colour == c] for c in range(4)]


def sweep(
    chain: tuple[Grid, Labels, Cells, Spots, Rates, Sizes],
    plan: Plan,
    coloured: Sequence[np.ndarray],
    threads: Threads,
) -> int:
    """Visit a share of all columns.

    Parameters
    ----------
    chain
        State; labels and cells change in place.
    plan
        What to visit, and how.
    coloured
        Tiles of each colour.
    threads
        Who does the work.

    Returns
    -------
    int
        How many labels changed.
    """
    changed = 0
    for tiles in coloured:
        changed += sum(threads.each(lambda tile: sweep_tile(*chain, plan, tile), tiles.tolist()))
    return changed
