"""One Metropolis step: propose a label for a voxel, sum the terms, accept, keep the books."""

import math

from numba import njit

from cellcarve.chain.compiled import LEAF
from cellcarve.chain.philox import unit, words
from cellcarve.chain.streams import VOXEL_MOVE
from cellcarve.voxels.terms.compactness import compactness_change
from cellcarve.voxels.terms.connectivity import in_one_piece, neighbours_of
from cellcarve.voxels.terms.counts import exposure_change
from cellcarve.voxels.terms.earlier import earlier_change
from cellcarve.voxels.terms.volume import volume_change


@njit(**LEAF)
def step_to(direction, across, layers):
    """Distance in `label` to the neighbour in one of the six directions; 4 and 5 lead along the layers."""
    if direction < 2:
        return layers if direction == 0 else -layers
    if direction < 4:
        return across if direction == 2 else -across
    return 1 if direction == 4 else -1


@njit(**LEAF)
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


@njit(**LEAF)
def alike_of(label, voxel, across, layers, cell):
    """How many of the eight neighbours in the layer belong to a cell."""
    alike = 0
    for dj in range(-1, 2):
        for di in range(-1, 2):
            alike += label[voxel + dj * across + di * layers] == cell
    return alike - (label[voxel] == cell)


@njit(**LEAF)
def cell_change(label, books, law, dims, voxel, cell, step):
    """Change of volume and shape terms when a cell gains (step 1) or loses (step -1) a voxel; 0 for the background.

    Parameters
    ----------
    label
        (v,) labels.
    books
        (volume, area, edge, component) of `Cells`.
    law
        (mean, half precision) of `Sizes`, volume of a voxel and its ln, weights of the shape and of the transcripts.
    dims
        (distance between rows in `label`, layers).
    voxel, cell, step
        The voxel, the cell, 1 or -1.
    """
    if cell == 0:
        return 0.0
    volume, area, edge, component = books
    mean, half_precision, _, log_voxel, weight, _ = law
    if step < 0 and volume[cell] == 1:
        return -math.inf
    layer, m = voxel % dims[1], component[cell]
    alike = alike_of(label, voxel, dims[0], dims[1], cell)
    size = volume_change(volume[cell], step, log_voxel, mean[m], half_precision[m])
    return size + compactness_change(area[cell, layer], edge[cell, layer], step, alike, weight)


@njit(**LEAF)
def light_change(label, believed, books, flow, law, dims, move):
    """Change of the log posterior by a move, but for the transcripts in the voxel.

    Parameters
    ----------
    label, books, law, dims
        As for `cell_change`.
    believed
        (prior, level, odds) of `Labels`.
    flow
        (scale, total) of `Cells`.
    move
        (voxel, its label, the proposed label).
    """
    voxel, old, new = move
    prior, level, odds = believed
    change = earlier_change(prior[voxel], odds[level[voxel]], old, new)
    change += law[5] * exposure_change(flow[0], flow[1], law[2], old, new)
    change += cell_change(label, books, law, dims, voxel, old, -1)
    return change + cell_change(label, books, law, dims, voxel, new, 1)


@njit(**LEAF)
def stays_whole(label, voxel, across, layers, old, new):
    """Whether the cell that loses the voxel keeps together around it, and the one that gains it touches it all round."""
    if old > 0:
        bits = neighbours_of(label, voxel, across, layers, old)
        if bits != 0 and not in_one_piece(bits):
            return False
    return new == 0 or in_one_piece(neighbours_of(label, voxel, across, layers, new))


@njit(**LEAF)
def relabel(label, books, voxel, dims, new):
    """Give a voxel another label and bring volumes, areas and edges of both cells up to date."""
    volume, area, edge, _ = books
    old, layer = label[voxel], voxel % dims[1]
    if old > 0:
        alike = alike_of(label, voxel, dims[0], dims[1], old)
        volume[old] -= 1
        area[old, layer] -= 1
        edge[old, layer] -= 8 - 2 * alike
    if new > 0:
        alike = alike_of(label, voxel, dims[0], dims[1], new)
        volume[new] += 1
        area[new, layer] += 1
        edge[new, layer] += 8 - 2 * alike
    label[voxel] = new


@njit(**LEAF)
def accepts(label, dims, plan, move, change, item):
    """Metropolis and Hastings: at temperature 1 with the ratio of proposals, in the hill-climb without it.

    Parameters
    ----------
    label, dims
        As for `cell_change`.
    plan
        What the pass is told.
    move
        (voxel, its label, the proposed label).
    change
        Of the log posterior.
    item
        Column of the voxel, for the address.
    """
    voxel, old, new = move
    across, layers = dims
    change *= plan.cooling
    if plan.cooling == 1.0:
        back = chance_of(label, voxel, across, layers, old, plan.bubble)
        if back == 0.0:
            return False
        change += math.log(back / chance_of(label, voxel, across, layers, new, plan.bubble))
    if change < 0.0:
        drawn = words(plan.seed, VOXEL_MOVE, plan.sweep, item, 1000 + voxel % layers)
        if math.log(unit(drawn[0])) >= change:
            return False
    return plan.connected == 0 or stays_whole(label, voxel, across, layers, old, new)


@njit(**LEAF)
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
