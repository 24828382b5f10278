"""A pass of voxel moves over the tiles, those of one colour at a time."""

import math
from collections.abc import Sequence

import numpy as np
from numba import njit

from cellcarve.chain.compiled import LEAF
from cellcarve.chain.philox import words
from cellcarve.chain.streams import VOXEL_MOVE
from cellcarve.voxels.move import accepts, light_change, propose, relabel
from cellcarve.voxels.state import Cells, Grid, Labels, Plan, Rates, Sizes, Spots
from cellcarve.voxels.terms.counts import counts_change
from cellcarve.voxels.threads import Threads


@njit(**LEAF)
def within_reach(home, cell, tile, middle_i, middle_j):
    """Whether a tile may change a cell: its home lies less than one tile's side from the tile's middle.

    Tiles of one colour lie two sides apart, so that at most one of them may: no two threads share a cell.
    """
    if cell == 0:
        return True
    near_i, near_j = abs(2 * home[cell, 0] - middle_i), abs(2 * home[cell, 1] - middle_j)
    return near_i < 2 * tile and near_j < 2 * tile


@njit(**LEAF)
def may_change(home, fixed, grid, tile, old, new):
    """Whether neither label belongs to a cell that is fixed or out of the tile's reach."""
    if fixed[old] or fixed[new]:
        return False
    middle_i = (2 * (tile % grid.across) + 1) * grid.tile
    middle_j = (2 * (tile // grid.across) + 1) * grid.tile
    near = within_reach(home, old, grid.tile, middle_i, middle_j)
    return near and within_reach(home, new, grid.tile, middle_i, middle_j)


@njit(**LEAF)
def parts_of(labels, cells, sizes, plan):
    """The few arrays that a step needs, in small groups."""
    believed = (labels.prior, labels.level, labels.odds)
    books = (cells.volume, cells.area, cells.edge, cells.component)
    flow = (cells.scale, cells.total)
    law = (sizes.mean, sizes.half_precision, plan.voxel, math.log(plan.voxel), plan.shape, plan.evidence)
    return believed, books, flow, law


@njit(**LEAF)
def gain_of(grid, labels, cells, spots, rates, sizes, plan, move):
    """Change of the log posterior by a move (voxel, its label, the proposed label)."""
    dims = ((grid.nx + 2) * grid.nl, grid.nl)
    change = light_change(labels.label, *parts_of(labels, cells, sizes, plan), dims, move)
    if change > -math.inf and spots.head[move[0]] >= 0:
        change += plan.evidence * counts_change(rates, cells, spots, move[0], move[1], move[2])
    return change


@njit(**LEAF)
def sweep_tile(grid, labels, cells, spots, rates, sizes, plan, tile):
    """Visit a share of a tile's columns, every layer of them; returns how many labels changed."""
    label, head, home, fixed = labels.label, spots.head, cells.home, cells.fixed
    believed, books, flow, law = parts_of(labels, cells, sizes, plan)
    nl, dims = grid.nl, ((grid.nx + 2) * grid.nl, grid.nl)
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
                new = propose(label, voxel, dims[0], nl, plan.bubble, drawn[k % 4])
                old = label[voxel]
                if new < 0 or new == old or not may_change(home, fixed, grid, tile, old, new):
                    continue
                move = (voxel, int(old), int(new))
                change = light_change(label, believed, books, flow, law, dims, move)
                if change > -math.inf and head[voxel] >= 0:
                    change += plan.evidence * counts_change(rates, cells, spots, voxel, move[1], move[2])
                if change > -math.inf and accepts(label, dims, plan, move, change, column):
                    relabel(label, books, voxel, dims, move[2])
                    changed += 1
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
