"""One Metropolis step: propose a label for a voxel, sum the terms, accept, keep the books."""

import math

from numba import njit

from cellcarve.chain.philox import unit, words
from cellcarve.chain.streams import VOXEL_MOVE
from cellcarve.voxels.terms.compactness import compactness_change
from cellcarve.voxels.terms.connectivity import in_one_piece, neighbours_of
from cellcarve.voxels.terms.counts import counts_change, exposure_change
from cellcarve.voxels.terms.earlier import earlier_change
from cellcarve.voxels.terms.volume import volume_change


@njit(cache=True, nogil=True)
def step_to(direction, across, layers):
    """Distance in `label` to the neighbour in one of the six directions; 4 and 5 lead along the layers."""
    if direction < 2:
        return layers if direction == 0 else -layers
    if direction < 4:
        return across if direction == 2 else -across
    return 1 if direction == 4 else -1


@njit(cache=True, nogil=True)
def chance_of(label, voxel, across, layers, proposed, bubble):
    """Chance that a label is proposed for a voxel: a neighbour's, and in a share of cases background instead.

    It does not depend on the voxel's present label, so that the chance of the way back is found the same way.

    Parameters
    ----------
    label
        (v,) labels.
    voxel, across, layers
        The voxel, and the distances to its neighbours.
    proposed
        The label.
    bubble
        Share of cells turned into background.
    """
    layer = voxel % layers
    same, cells = 0, 0
    for direction in range(6):
        if (direction == 4 and layer == layers - 1) or (direction == 5 and layer == 0):
            continue
        other = label[voxel + step_to(direction, across, layers)]
        same += other == proposed
        cells += other > 0
    if proposed == 0:
        return (same + bubble * cells) / 6.0
    return (1.0 - bubble) * same / 6.0


@njit(cache=True, nogil=True)
def alike_of(label, voxel, across, layers, cell):
    """How many of the eight neighbours in the layer belong to a cell."""
    alike = 0
    for dj in range(-1, 2):
        for di in range(-1, 2):
            alike += label[voxel + dj * across + di * layers] == cell
    return alike - (label[voxel] == cell)


@njit(cache=True, nogil=True)
def cell_change(grid, labels, cells, sizes, plan, voxel, cell, step):
    """Change of volume and shape terms when a cell gains (step 1) or loses (step -1) a voxel; 0 for the background."""
    if cell == 0:
        return 0.0
    if step < 0 and cells.volume[cell] == 1:
        return -math.inf
    layer, m = voxel % grid.nl, cells.component[cell]
    alike = alike_of(labels.label, voxel, (grid.nx + 2) * grid.nl, grid.nl, cell)
    return volume_change(
        cells.volume[cell], step, plan.voxel, sizes.mean[m], sizes.half_precision[m]
    ) + compactness_change(cells.area[cell, layer], cells.edge[cell, layer], step, alike, plan.shape)


@njit(cache=True, nogil=True)
def stays_whole(label, voxel, across, layers, old, new):
    """Whether the cell that loses the voxel keeps together around it, and the one that gains it touches it all round."""
    if old > 0:
        bits = neighbours_of(label, voxel, across, layers, old)
        if bits != 0 and not in_one_piece(bits):
            return False
    return new == 0 or in_one_piece(neighbours_of(label, voxel, across, layers, new))


@njit(cache=True, nogil=True)
def relabel(label, cells, voxel, across, layers, new):
    """Give a voxel another label and bring volumes, areas and edges of both cells up to date."""
    old, layer = label[voxel], voxel % layers
    if old > 0:
        alike = alike_of(label, voxel, across, layers, old)
        cells.volume[old] -= 1
        cells.area[old, layer] -= 1
        cells.edge[old, layer] -= 8 - 2 * alike
    if new > 0:
        alike = alike_of(label, voxel, across, layers, new)
        cells.volume[new] += 1
        cells.area[new, layer] += 1
        cells.edge[new, layer] += 8 - 2 * alike
    label[voxel] = new


@njit(cache=True, nogil=True)
def gain_of(grid, labels, cells, spots, rates, sizes, plan, move):
    """Change of the log posterior by a move.

    Parameters
    ----------
    grid, labels, cells, spots, rates, sizes, plan
        State.
    move
        (voxel, its label, the proposed label).
    """
    voxel, old, new = move
    change = earlier_change(labels.prior[voxel], labels.odds[labels.level[voxel]], old, new)
    change += exposure_change(cells.scale, cells.total, plan.voxel, old, new)
    change += cell_change(grid, labels, cells, sizes, plan, voxel, old, -1)
    change += cell_change(grid, labels, cells, sizes, plan, voxel, new, 1)
    if change == -math.inf:
        return change
    return change + counts_change(rates, cells, spots, voxel, old, new)


@njit(cache=True, nogil=True)
def accepts(label, across, layers, plan, move, change, chance):
    """Metropolis and Hastings: at temperature 1 with the ratio of proposals, in the hill-climb without it.

    Parameters
    ----------
    label, across, layers
        Labels and the distances in them.
    plan
        What the pass is told.
    move
        (voxel, its label, the proposed label).
    change
        Of the log posterior.
    chance
        Uniform number.
    """
    voxel, old, new = move
    change *= plan.cooling
    if plan.cooling == 1.0:
        back = chance_of(label, voxel, across, layers, old, plan.bubble)
        if back == 0.0:
            return False
        change += math.log(back / chance_of(label, voxel, across, layers, new, plan.bubble))
    if change < 0.0 and math.log(chance) >= change:
        return False
    return plan.connected == 0 or stays_whole(label, voxel, across, layers, old, new)


@njit(cache=True, nogil=True)
def propose(label, voxel, across, layers, bubble, word):
    """Label of a random neighbour, sometimes background instead of a cell's; -1 where there is no neighbour.

    The high part of the word picks the neighbour, the low part decides about the bubble.
    """
    scaled = int(word) * 6
    direction, rest = scaled >> 32, scaled & 0xFFFFFFFF
    layer = voxel % layers
    if (direction == 4 and layer == layers - 1) or (direction == 5 and layer == 0):
        return -1
    new = label[voxel + step_to(direction, across, layers)]
    return 0 if new > 0 and rest < bubble * 4294967296.0 else new


@njit(cache=True, nogil=True)
def try_voxel(grid, labels, cells, spots, rates, sizes, plan, asked):
    """Propose and decide for one voxel.

    Parameters
    ----------
    grid, labels, cells, spots, rates, sizes, plan
        State; labels and cells change.
    asked
        (voxel, proposed label, column's address, draw number).

    Returns
    -------
    int
        1 if the label changed.
    """
    voxel, new, item, k = asked
    label, across = labels.label, (grid.nx + 2) * grid.nl
    move = (voxel, int(label[voxel]), new)
    change = gain_of(grid, labels, cells, spots, rates, sizes, plan, move)
    if change == -math.inf:
        return 0
    chance = unit(words(plan.seed, VOXEL_MOVE, plan.sweep, item, k)[0])
    if not accepts(label, across, grid.nl, plan, move, change, chance):
        return 0
    relabel(label, cells, voxel, across, grid.nl, new)
    return 1
