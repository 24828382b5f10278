"""Cells where no prior is given: compact groups of transcripts that are alike in their surroundings' expression.

Centres start on a hexagonal grid and move, as superpixels do (Achanta et al. 2012): a transcript joins the centre that
is nearest in place and in the programmes expressed around it; a centre moves to the mean of its transcripts. The inner
part of each group then serves as a nucleus, and the method goes on as with a prior.
"""

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from scipy import ndimage
from scipy.sparse import csr_matrix

from cellcarve.carve.lattice import lay_lattice, pixels_of
from cellcarve.carve.places import same_places
from cellcarve.carve.threads import on_threads
from cellcarve.carve.types import Types, learn_types, overall_shares, proportions, split_counts
from cellcarve.data import flat
from cellcarve.data.tiles import View, view_tile
from cellcarve.data.tissue import Tissue

# With half as many rounds F1 is 0.01 lower on simulated tissue, with twice as many between 0 and 0.006 higher.
_ROUNDS = 12
# How far a wholly different expression counts, in squared cell diameters: with half of it F1 is up to 0.008 lower, with
# twice up to 0.01 higher, and fewer cells are recovered on some tissue.
_UNLIKE = 8.0
# How far a transcript may lie from the centre that it joins, in cell diameters.
_REACH = 1.5
# Groups of neighbouring tiles are the same if their centres are no farther apart (µm).
_SAME = 1.0
# Core: within this share of a cell's radius. Smaller cores recover more cells, larger ones assign more transcripts right:
# 0.4 and 0.7 change the share of cells by +0.02 and -0.02, F1 by -0.004 and +0.008.
_CORE = 0.55


class _Groups(NamedTuple):
    """What a tile knows of its groups: rows (C,) of cores and their group; the same from the other grid."""

    tile: int
    row: np.ndarray
    group: np.ndarray
    again: np.ndarray
    centre: np.ndarray


def find_cells(tissue: Tissue, diameter: float, programmes: int, halo: float, threads: int) -> np.ndarray:
    """Give every transcript near the middle of a group a cell and mark it as core, in place.

    Parameters
    ----------
    diameter
        Usual diameter of a cell, µm.
    programmes
        Number of expression programmes to tell groups apart by.
    halo
        How far around a tile transcripts are looked at with it, µm.
    threads
        Tiles at work at the same time; 0 = one per processor.

    Returns
    -------
    numpy.ndarray
        (T,) int32 group of each transcript where groups start from another grid, -1 = none: what `agreement` asks for.
    """
    t = tissue.transcripts
    types = _types_of_squares(tissue, diameter / 2, programmes)
    t.cell[:] = 0
    t.core[:] = False
    tissue.cells = 0
    again = flat.zeros(len(t), np.int32)
    centres, held = [], []

    def one(tile: int) -> _Groups:
        view = view_tile(tissue, tile, halo)
        around = _surroundings(view, types)
        label, centre = _group(view, around, diameter, 0.0)
        core = _cores(tissue, tile, view, (label, centre), diameter)
        row, group = view.index[core], label[core]
        label, centre = _group(view, around, diameter, 0.5)
        return _Groups(tile, row, group, label[view.inside], centre)

    def take(found: _Groups) -> None:
        tissue.cells += _write(tissue, found.row, found.group, tissue.cells)
        first, last = t.start[found.tile], t.start[found.tile + 1]
        again[first:last] = found.again
        centres.append(found.centre)
        held.append((first, last))

    on_threads(one, np.flatnonzero(np.diff(t.start)).tolist(), threads, take)
    # Neighbouring tiles know the same group under two numbers.
    _, numbers = same_places(centres, _SAME)
    for (first, last), number in zip(held, numbers, strict=True):
        here = again[first:last]
        again[first:last] = np.where(here >= 0, number[here], -1)
    return again


def _types_of_squares(tissue: Tissue, side: float, programmes: int) -> Types:
    """Programmes learned from squares of tissue, at most 20 000 of them."""
    t = tissue.transcripts
    column = np.floor((t.x - tissue.grid.centre_x) / side).astype(np.int64)
    row = np.floor((t.y - tissue.grid.centre_y) / side).astype(np.int64)
    _, square = np.unique(row * 10_000_019 + column, return_inverse=True)
    stride = max(1, int(square.max()) // 20_000)
    chosen = np.flatnonzero(square % stride == 0)
    shape = (int(square.max()) // stride + 1, tissue.genes)
    one = np.ones(len(chosen), np.float32)
    counts = csr_matrix((one, (square[chosen] // stride, t.gene[chosen])), shape=shape)
    return learn_types(counts, overall_shares(t.gene, tissue.genes), programmes)


def _surroundings(view: View, types: Types) -> np.ndarray:
    """Square roots of the proportions of programmes around each transcript, (V, Q) float32 of unit length."""
    lattice = lay_lattice(view, 1.0)
    pixel = pixels_of(lattice, view.x, view.y)
    number = types.profile.shape[1]
    weight = np.tile(types.share, (len(lattice), 1)).astype(np.float32)
    one = np.ones(len(view), np.float32)
    for _ in range(3):
        gained = np.zeros(weight.shape)
        split_counts(pixel, view.gene, one, weight, types.profile, gained, np.empty((0, number)))
        for q in range(number):
            image = gained[:, q].reshape(lattice.ny, lattice.nx)
            gained[:, q] = 25 * ndimage.gaussian_filter(image, 2.0, truncate=3).ravel()
        weight = proportions(gained, types.share)
    return np.sqrt(weight[pixel])


def _group(view: View, around: np.ndarray, diameter: float, shift: float) -> tuple[np.ndarray, np.ndarray]:
    """Group (V,) int32 of each transcript, -1 = none, and the groups' centres (C, 2); the grid is shifted along x."""
    xmin, ymin, xmax, ymax = view.box
    step_y = diameter * math.sqrt(3) / 2
    # The grid is anchored to the middle of the tissue, so that tiles agree where to begin.
    rows = np.arange(math.floor(ymin / step_y), math.ceil(ymax / step_y) + 1)
    columns = np.arange(math.floor(xmin / diameter), math.ceil(xmax / diameter) + 1)
    y, x = np.meshgrid(rows * step_y, columns * diameter, indexing="ij")
    x = x + ((rows % 2)[:, None] / 2 + shift) * diameter
    centre = np.c_[x.ravel(), y.ravel()]
    like = np.zeros((len(centre), around.shape[1]), np.float32)
    label = np.full(len(view), -1, np.int32)
    for turn in range(_ROUNDS):
        unlike = _UNLIKE if turn else 0.0
        squares = _bucket(centre, view.box, _REACH * diameter)
        numbers = np.array([diameter, unlike, xmin, ymin])
        _join((view.x, view.y), around, centre, like, squares, numbers, label)
        inside = label >= 0
        count = np.bincount(label[inside], minlength=len(centre))
        safe = np.maximum(count, 1)
        for axis, v in enumerate((view.x, view.y)):
            mean = np.bincount(label[inside], v[inside], len(centre)) / safe
            centre[:, axis] = np.where(count > 0, mean, centre[:, axis])
        for q in range(around.shape[1]):
            like[:, q] = np.bincount(label[inside], around[inside, q], len(centre)) / safe
        like /= np.maximum(np.linalg.norm(like, axis=1, keepdims=True), 1e-9)
    return label, centre


def _bucket(
    centre: np.ndarray, box: tuple[float, float, float, float], side: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Centres sorted by square of the given side: starts, order and (columns, rows)."""
    columns = int((box[2] - box[0]) // side) + 3
    rows = int((box[3] - box[1]) // side) + 3
    column = np.clip(((centre[:, 0] - box[0]) // side).astype(np.int64) + 1, 0, columns - 1)
    row = np.clip(((centre[:, 1] - box[1]) // side).astype(np.int64) + 1, 0, rows - 1)
    square = row * columns + column
    order = np.argsort(square, kind="stable")
    return np.searchsorted(square[order], np.arange(rows * columns + 1)), order, np.array([columns, rows])


@njit(cache=True, nogil=True)
def _join(place, around, centre, like, squares, numbers, label):
    """Give each transcript to the nearest centre in place and expression within reach, the side of a square."""
    x, y = place
    first, order, shape = squares
    diameter, unlike, x0, y0 = numbers
    side = _REACH * diameter
    for t in range(len(x)):
        column, row = int((x[t] - x0) // side) + 1, int((y[t] - y0) // side) + 1
        best, chosen = _REACH**2, -1
        for v in range(max(row - 1, 0), min(row + 2, shape[1])):
            begin, end = v * shape[0] + max(column - 1, 0), v * shape[0] + min(column + 2, shape[0])
            for i in range(first[begin], first[end]):
                c = order[i]
                d = ((x[t] - centre[c, 0]) ** 2 + (y[t] - centre[c, 1]) ** 2) / diameter**2
                if d < best:
                    d += unlike * (1 - _alike(around, like, t, c))
                if d < best:
                    best, chosen = d, c
        label[t] = chosen


@njit(cache=True, nogil=True)
def _alike(around, like, t, c):
    """Cosine of the expression around a transcript and that of a group."""
    total = 0.0
    for q in range(around.shape[1]):
        total += around[t, q] * like[c, q]
    return total


def _cores(
    tissue: Tissue, tile: int, view: View, groups: tuple[np.ndarray, np.ndarray], diameter: float
) -> np.ndarray:
    """Transcripts (V,) bool near the middle of a group whose centre lies in the tile; groups have at least four."""
    label, centre = groups
    grid = tissue.grid
    at = grid.of(centre[:, 0] + grid.centre_x, centre[:, 1] + grid.centre_y)
    inside = label >= 0
    away = np.full(len(view), np.inf)
    middle = centre[label[inside]]
    away[inside] = np.hypot(view.x[inside] - middle[:, 0], view.y[inside] - middle[:, 1])
    core = inside & (away <= _CORE * diameter / 2)
    core[inside] &= at[label[inside]] == tile
    rich = np.bincount(label[core], minlength=len(centre)) >= 4
    core[inside] &= rich[label[inside]]
    return core


def _write(tissue: Tissue, row: np.ndarray, group: np.ndarray, found: int) -> int:
    """Write cores into the tissue, numbered from found + 1; returns how many cells they make."""
    groups, number = np.unique(group, return_inverse=True)
    t = tissue.transcripts
    t.cell[row] = found + 1 + number
    t.core[row] = True
    return len(groups)
