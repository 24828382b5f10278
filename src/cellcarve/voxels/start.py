"""First labels: what the prior says of each voxel, filled up and grown."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from cellcarve.chain.ridges import cost_of
from cellcarve.voxels.lattice import Frame, bands, block
from cellcarve.voxels.nearest import two_nearest
from cellcarve.voxels.paths import two_nearest_by_cost
from cellcarve.voxels.ridges import rise_of, steepness_of

# Distance alone makes no voxel surer than this, in log odds.
MOST_ODDS = 6.0
# How much more distance says where it is measured along ridges of RNA: density follows them, not the cells.
ALONG_RIDGES = 4.0
# Log odds of the 256 levels of a voxel's prior.
ODDS = ((np.arange(256) - 128) / 16).astype(np.float32)


def levels_of(weight: np.ndarray) -> np.ndarray:
    """Prior probabilities, float32, as uint8 steps of a sixteenth in log odds, 128 for one half; see `ODDS`."""
    sure = np.clip(weight.astype(np.float64), 1e-4, 1 - 1e-4)
    return np.clip(np.round(np.log(sure / (1 - sure)) * 16) + 128, 0, 255).astype(np.uint8)


@dataclass
class Start:
    """Labels before the chain begins; v voxels of the coarse lattice with their frame, P prior cells.

    Attributes
    ----------
    label, prior
        (v,) int32: cell and prior cell of each voxel, numbered as in the prior (0 = none).
    level
        (v,) uint8: of `levels_of`, of the probability of the prior cell where there is one.
    """

    label: np.ndarray
    prior: np.ndarray
    level: np.ndarray


@dataclass
class Nearest:
    """What distances say of the columns of a lattice.

    Attributes
    ----------
    cell
        (ny, nx) int32: the nearest cell, 0 = none within reach.
    level
        (ny, nx) uint8: of `levels_of`, how far it is believed in; None where distances make nothing believed.
    ridge
        How steep ridges of RNA between cells are; 0 where there are none. See `cellcarve.voxels.ridges`.
    """

    cell: np.ndarray
    level: np.ndarray | None
    ridge: float


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
    start = Start(np.zeros(size, np.int32), np.zeros(size, np.int32), np.zeros(size, np.uint8))
    levels = levels_of(np.array(weights, np.float32))
    for rows, level in (((cell > 0) & ~core, levels[1]), ((cell > 0) & core, levels[0])):
        where, who = seated(*votes(voxel[rows], cell[rows], np.ones(int(rows.sum()))))
        start.prior[where], start.level[where] = who, level
    start.label[where] = who
    return start


def fill_layers(frame: Frame, label: np.ndarray) -> None:
    """Labelled voxels copy their label to background voxels above and below, layer by layer; in place."""
    whole = block(frame.grid, label)
    for rows in bands(len(whole), whole[0].size):
        cube = whole[rows]
        for _ in range(frame.grid.nl - 1):
            before = cube.copy()
            for to, by in ((slice(1, None), slice(None, -1)), (slice(None, -1), slice(1, None))):
                empty = (cube[:, :, to] == 0) & (before[:, :, by] > 0)
                cube[:, :, to][empty] = before[:, :, by][empty]


def _beside(frame: Frame, label: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Bands of the lattice's rows, to be changed, and each as it was together with the voxels around it."""
    cube = block(frame.grid, label)
    edge = cube[0].copy()
    for rows in bands(frame.grid.ny, cube[0].size):
        before = cube[rows.start : rows.stop + 2].copy()
        before[0], edge = edge, before[-2].copy()
        yield cube[rows.start + 1 : rows.stop + 1, 1:-1], before


def pop_bubbles(frame: Frame, label: np.ndarray) -> None:
    """A background voxel whose four neighbours in its layer share a label takes it; in place."""
    for part, before in _beside(frame, label):
        up, down, left, right = before[:-2, 1:-1], before[2:, 1:-1], before[1:-1, :-2], before[1:-1, 2:]
        same = (up == down) & (left == right) & (up == left) & (part == 0)
        part[same] = up[same]


def expand(frame: Frame, label: np.ndarray, rounds: int) -> None:
    """Grow cells by one voxel in each round along the six directions; where two meet the lower number wins; in place."""
    most = np.iinfo(np.int32).max
    for _ in range(rounds):
        for part, before in _beside(frame, label):
            before[before == 0] = most
            here = before[1:-1, 1:-1]
            best = np.minimum(before[:-2, 1:-1], before[2:, 1:-1])
            for other in (before[1:-1, :-2], before[1:-1, 2:]):
                np.minimum(best, other, out=best)
            for to, by in ((slice(1, None), slice(None, -1)), (slice(None, -1), slice(1, None))):
                np.minimum(best[:, :, to], here[:, :, by], out=best[:, :, to])
            fresh = (part == 0) & (best < most)
            part[fresh] = best[fresh]


def columns_held(frame: Frame, label: np.ndarray) -> np.ndarray:
    """(ny, nx) int32 cell of every column: that of its middle layer, or of the next layer that has one."""
    cube = block(frame.grid, label)[1:-1, 1:-1]
    layers = np.argsort(np.abs(np.arange(frame.grid.nl) - (frame.grid.nl - 1) / 2), kind="stable")
    flat = np.zeros(cube.shape[:2], np.int32)
    for rows in bands(len(flat), cube[0].size):
        for k in layers:
            np.copyto(flat[rows], cube[rows, :, k], where=flat[rows] == 0)
    return flat


def nearest_cells(
    frame: Frame, held: np.ndarray, law: tuple[float, float], density: np.ndarray | None = None
) -> Nearest:
    """Cells nearest to the columns, and belief in them by distance.

    Parameters
    ----------
    frame
        The lattice.
    held
        (ny, nx) cells of the columns that distances are measured from.
    law
        Farthest distance in µm; log odds of the nearest cell per µm by which the next one is farther away.
    density
        (ny, nx) relative density of transcripts, where it is known finely enough to tell ridges.
    """
    farthest, pull = law
    reach = farthest / frame.side
    ridge = 0.0 if density is None else steepness_of(rise_of(density, held))
    if density is None or ridge == 0:
        cell, near, far = two_nearest(held, reach)
    else:
        cell, near, far = two_nearest_by_cost(held, cost_of(density, ridge), reach)
    if pull <= 0:
        return Nearest(cell, None, ridge)
    pull *= 1 + ALONG_RIDGES * min(ridge, 1.0)
    level = np.empty(cell.shape, np.uint8)
    for rows in bands(*cell.shape):
        odds = np.minimum(pull * frame.side * (far[rows] - near[rows]), MOST_ODDS)
        level[rows] = levels_of((1 / (1 + np.exp(-odds))).astype(np.float32))
    return Nearest(cell, level, ridge)


def grow(frame: Frame, start: Start, nearest: Nearest) -> None:
    """Give background to the nearest cell, so that neighbours meet halfway, and believe in it; in place.

    Parameters
    ----------
    frame
        The lattice.
    start
        Changes: labels of background voxels, and the prior of voxels that have none.
    nearest
        Cells of the columns.
    """
    label = block(frame.grid, start.label)[1:-1, 1:-1]
    for rows in bands(len(label), label[0].size):
        np.copyto(label[rows], nearest.cell[rows, :, None], where=label[rows] == 0)
    believe(frame, start, nearest)


def believe(frame: Frame, start: Start, nearest: Nearest) -> None:
    """Believe in the nearest cell where no other prior cell is known, in place."""
    if nearest.level is None:
        return
    prior, level = (block(frame.grid, v)[1:-1, 1:-1] for v in (start.prior, start.level))
    for rows in bands(len(prior), prior[0].size):
        free = (prior[rows] == 0) & (nearest.cell[rows] > 0)[:, :, None]
        np.copyto(level[rows], nearest.level[rows, :, None], where=free)
        np.copyto(prior[rows], nearest.cell[rows, :, None], where=free)
