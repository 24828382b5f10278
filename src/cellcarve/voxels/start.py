"""First labels: what the prior says of each voxel, filled up and grown."""

from dataclasses import dataclass

import numpy as np

from cellcarve.chain.ridges import cost_of
from cellcarve.voxels.lattice import Frame, block
from cellcarve.voxels.nearest import two_nearest
from cellcarve.voxels.paths import two_nearest_by_cost
from cellcarve.voxels.ridges import rise_of, steepness_of

# Distance alone makes no voxel surer than this, in log odds.
MOST_ODDS = 6.0
# How much more distance says where it is measured along ridges of RNA: density follows them, not the cells.
ALONG_RIDGES = 4.0


@dataclass
class Start:
    """Labels before the chain begins; v voxels of the coarse lattice with their frame, P prior cells.

    Attributes
    ----------
    label, prior
        (v,) int32: cell and prior cell of each voxel, numbered as in the prior (0 = none).
    weight
        (v,) float32: probability of the prior cell, where there is one.
    ridge
        How steep ridges of RNA between cells are; 0 where there are none. See `cellcarve.voxels.ridges`.
    """

    label: np.ndarray
    prior: np.ndarray
    weight: np.ndarray
    ridge: float = 0.0


def votes(
    voxel: np.ndarray, cell: np.ndarray, weight: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Votes summed by voxel and cell.

    Parameters
    ----------
    voxel, cell
        (n,) votes.
    weight
        (n,) what each is worth.

    Returns
    -------
    tuple
        Voxel, cell and summed weight of each pair; voxels ascend, and within each the weights fall, ties to the
        smaller cell.
    """
    if len(voxel) == 0:
        return np.empty(0, np.int64), np.empty(0, np.int32), np.empty(0)
    base = int(cell.max()) + 1
    pair, which = np.unique(voxel.astype(np.int64) * base + cell, return_inverse=True)
    total = np.bincount(which, weight)
    where, who = np.divmod(pair, base)
    order = np.lexsort((who, -total, where))
    return where[order], who[order].astype(np.int32), total[order]


def winners(
    voxel: np.ndarray, cell: np.ndarray, weight: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The cell with the most weight in each voxel, its voxel (ascending), and its weight; takes what `votes` takes."""
    where, who, total = votes(voxel, cell, weight)
    first = np.flatnonzero(np.diff(where, prepend=-1))
    return where[first], who[first], total[first]


def seated(where: np.ndarray, who: np.ndarray, total: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Winners of voxels, with a seat for cells that win nowhere.

    Such a cell gets the voxel where it has most votes, if the winner there has one to spare.
    Without this a nucleus crowded by its neighbours would be lost.

    Parameters
    ----------
    where, who, total
        What `votes` returns.

    Returns
    -------
    tuple
        Voxels, ascending, and their cells.
    """
    first = np.flatnonzero(np.diff(where, prepend=-1))
    voxel, cell = where[first], who[first].copy()
    won = np.bincount(cell, minlength=int(who.max(initial=0)) + 1)
    rest = np.flatnonzero(won[who] == 0)
    rest = rest[np.lexsort((where[rest], -total[rest], who[rest]))]
    rest = rest[np.flatnonzero(np.diff(who[rest], prepend=-1))]
    # Of several that want one voxel, the one with most votes there.
    rest = rest[np.lexsort((who[rest], -total[rest], where[rest]))]
    rest = rest[np.flatnonzero(np.diff(where[rest], prepend=-1))]
    seat = np.searchsorted(voxel, where[rest])
    order = np.lexsort((seat, -total[rest], cell[seat]))
    rest, seat = rest[order], seat[order]
    holder = cell[seat]
    rank = np.arange(len(rest)) - np.searchsorted(holder, holder)
    spare = rank < won[holder] - 1
    cell[seat[spare]] = who[rest[spare]]
    return voxel, cell


def from_rows(
    frame: Frame, voxel: np.ndarray, cell: np.ndarray, core: np.ndarray, weights: tuple[float, float]
) -> Start:
    """Labels by the votes of transcripts.

    Parameters
    ----------
    frame
        The coarse lattice.
    voxel, cell, core
        (T,) voxel, prior cell and whether it is nuclear, of each transcript.
    weights
        Prior probability of voxels with nuclear votes, and of those with other votes.
    """
    g = frame.grid
    size = (g.ny + 2) * (g.nx + 2) * g.nl
    start = Start(np.zeros(size, np.int32), np.zeros(size, np.int32), np.zeros(size, np.float32))
    for rows, weight in (((cell > 0) & ~core, weights[1]), ((cell > 0) & core, weights[0])):
        where, who = seated(*votes(voxel[rows], cell[rows], np.ones(int(rows.sum()))))
        start.prior[where], start.weight[where] = who, weight
    start.label[where] = who
    return start


def fill_layers(frame: Frame, label: np.ndarray) -> None:
    """Labelled voxels copy their label to background voxels above and below, layer by layer; in place."""
    cube = block(frame.grid, label)
    for _ in range(frame.grid.nl - 1):
        before = cube.copy()
        for to, by in ((slice(1, None), slice(None, -1)), (slice(None, -1), slice(1, None))):
            empty = (cube[:, :, to] == 0) & (before[:, :, by] > 0)
            cube[:, :, to][empty] = before[:, :, by][empty]


def pop_bubbles(frame: Frame, label: np.ndarray) -> None:
    """A background voxel whose four neighbours in its layer share a label takes it; in place."""
    cube = block(frame.grid, label)
    up, down, left, right = cube[:-2, 1:-1], cube[2:, 1:-1], cube[1:-1, :-2], cube[1:-1, 2:]
    same = (up == down) & (left == right) & (up == left) & (cube[1:-1, 1:-1] == 0)
    cube[1:-1, 1:-1][same] = up[same]


def expand(frame: Frame, label: np.ndarray, rounds: int) -> None:
    """Grow cells by one voxel in each round along the six directions; where two meet the lower number wins; in place."""
    cube = block(frame.grid, label)
    inside = np.zeros(cube.shape, bool)
    inside[1:-1, 1:-1] = True
    most = np.iinfo(np.int32).max
    for _ in range(rounds):
        known = np.where(cube > 0, cube, most)
        best = np.full(cube.shape, most, np.int32)
        for axis in range(3):
            for to, by in ((slice(1, None), slice(None, -1)), (slice(None, -1), slice(1, None))):
                target = best[(slice(None),) * axis + (to,)]
                np.minimum(target, known[(slice(None),) * axis + (by,)], out=target)
        fresh = inside & (cube == 0) & (best < most)
        cube[fresh] = best[fresh]


def columns_held(frame: Frame, label: np.ndarray) -> np.ndarray:
    """(ny, nx) int32 cell of every column: that of its middle layer, or of the next layer that has one."""
    cube = block(frame.grid, label)[1:-1, 1:-1]
    layers = np.argsort(np.abs(np.arange(frame.grid.nl) - (frame.grid.nl - 1) / 2), kind="stable")
    flat = np.zeros(cube.shape[:2], np.int32)
    for k in layers:
        np.copyto(flat, cube[:, :, k], where=flat == 0)
    return flat


def grow(
    frame: Frame, start: Start, held: np.ndarray, law: tuple[float, float], density: np.ndarray | None = None
) -> None:
    """Give background to the nearest cell, so that neighbours meet halfway, and believe in it by distance; in place.

    Parameters
    ----------
    frame
        The lattice.
    start
        Changes: labels of background voxels, and the prior of voxels that have none.
    held
        (ny, nx) cells of the columns that distances are measured from.
    law
        Farthest growth in µm; log odds of the nearest cell per µm by which the next one is farther away.
    density
        (ny, nx) relative density of transcripts, where it is known finely enough to tell ridges.
    """
    farthest, pull = law
    reach = farthest / frame.side
    start.ridge = 0.0 if density is None else steepness_of(rise_of(density, held))
    if density is None or start.ridge == 0:
        cell, near, far = two_nearest(held, reach)
    else:
        cell, near, far = two_nearest_by_cost(held, cost_of(density, start.ridge), reach)
    label, prior, weight = (
        block(frame.grid, v)[1:-1, 1:-1] for v in (start.label, start.prior, start.weight)
    )
    np.copyto(label, cell[:, :, None], where=label == 0)
    if pull > 0:
        pull *= 1 + ALONG_RIDGES * min(start.ridge, 1.0)
        odds = np.minimum(pull * frame.side * (far - near), MOST_ODDS)
        free = (prior == 0) & (cell > 0)[:, :, None]
        np.copyto(weight, (1 / (1 + np.exp(-odds)))[:, :, None].astype(np.float32), where=free)
        np.copyto(prior, cell[:, :, None], where=free)
