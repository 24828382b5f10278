"""The lattice over the tissue, coarse first, then fine: micrometres to voxels."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numba import njit

from cellcarve.chain.compiled import LEAF
from cellcarve.errors import MemoryBudgetError, SettingsError
from cellcarve.settings import VoxelSettings
from cellcarve.voxels.state import Cells, Grid

MOST_VOXELS = 2**31 - 1
# Entries of a large array that are worked on at a time: what is made meanwhile is small beside the array.
BAND = 1 << 18


@dataclass(frozen=True)
class Frame:
    """Where a lattice lies.

    Attributes
    ----------
    x0, y0
        Its lower corner, µm.
    side
        Of a voxel, µm.
    grid
        Its voxels and tiles.
    """

    x0: float
    y0: float
    side: float
    grid: Grid

    @property
    def voxel(self) -> float:
        """Volume of a voxel: layer-averaged area in µm²."""
        return self.side * self.side / self.grid.nl


def sides_of(settings: VoxelSettings, usual: float = 1.0) -> tuple[float, int]:
    """Side of a fine voxel in µm, and how many of them a coarse one is wide.

    Parameters
    ----------
    settings
        They may give either, both or none.
    usual
        Side of a fine voxel where none is given, µm.

    Raises
    ------
    SettingsError
        The coarse side is no multiple of the fine one.
    """
    coarse, fine = settings.burnin_voxel_size, settings.voxel_size
    if fine is None:
        fine = usual if coarse is None else coarse / 2
    if coarse is None:
        coarse = 2 * fine
    ratio = coarse / fine
    if round(ratio) < 1 or abs(ratio - round(ratio)) > 1e-5 * ratio:
        raise SettingsError(
            f"burnin_voxel_size ({coarse:g}) must be a whole multiple of voxel_size ({fine:g}); for example "
            f"{max(1, round(ratio)) * fine:g}"
        )
    return fine, round(ratio)


def lay_frame(box: tuple[float, float, float, float], side: float, quad: float, layers: int) -> Frame:
    """The lattice that covers a box.

    Parameters
    ----------
    box
        xmin, ymin, xmax, ymax in µm.
    side
        Of a voxel, µm.
    quad
        Side of a tile, µm.
    layers
        Layers of voxels.

    Raises
    ------
    MemoryBudgetError
        It would have 2^31 voxels or more.
    """
    nx, ny = int((box[2] - box[0]) / side) + 1, int((box[3] - box[1]) / side) + 1
    if (nx + 2) * (ny + 2) * layers > MOST_VOXELS:
        raise MemoryBudgetError(
            f"{nx:,} x {ny:,} x {layers} voxels are more than one run can hold; take larger voxels (--voxel-size), fewer "
            "layers (--voxel-layers) or a part of the tissue"
        )
    tile = max(1, round(quad / side))
    return Frame(box[0], box[1], side, Grid(nx, ny, layers, tile, -(-nx // tile), -(-ny // tile)))


def refine(frame: Frame, ratio: int) -> Frame:
    """The same lattice with every voxel cut into ratio² ones."""
    g = frame.grid
    fine = Grid(g.nx * ratio, g.ny * ratio, g.nl, g.tile * ratio, g.across, g.down)
    if (fine.nx + 2) * (fine.ny + 2) * fine.nl > MOST_VOXELS:
        raise MemoryBudgetError(
            f"{fine.nx:,} x {fine.ny:,} x {fine.nl} voxels are more than one run can hold; take larger voxels "
            "(--voxel-size), fewer layers (--voxel-layers) or a part of the tissue"
        )
    return Frame(frame.x0, frame.y0, frame.side / ratio, fine)


def voxels_of(frame: Frame, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Voxel number (int32) of positions; z is normalised."""
    g = frame.grid
    i = np.clip(((x - frame.x0) / frame.side).astype(np.int64), 0, g.nx - 1)
    j = np.clip(((y - frame.y0) / frame.side).astype(np.int64), 0, g.ny - 1)
    k = np.minimum((z * g.nl).astype(np.int64), g.nl - 1)
    return (((j + 1) * (g.nx + 2) + i + 1) * g.nl + k).astype(np.int32)


def columns_of(frame: Frame, voxel: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Column i, row j and layer k of voxel numbers."""
    g = frame.grid
    column = voxel // g.nl
    return column % (g.nx + 2) - 1, column // (g.nx + 2) - 1, voxel % g.nl


def block(grid: Grid, flat: np.ndarray) -> np.ndarray:
    """A flat array over voxels as (ny + 2, nx + 2, nl), a view; voxel (i, j) lies at [j + 1, i + 1]."""
    return flat.reshape(grid.ny + 2, grid.nx + 2, grid.nl)


def bands(rows: int, width: int) -> Iterator[slice]:
    """Slices of the rows of an array, each of about `BAND` entries; a row has `width` of them."""
    step = max(1, BAND // max(width, 1))
    for first in range(0, rows, step):
        yield slice(first, min(first + step, rows))


def split_bands(coarse: Grid, fine: Grid, flat: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """A flat array over coarse voxels copied to the fine ones: rows of `block` and their inner columns, band by band."""
    ratio = fine.nx // coarse.nx
    inside = block(coarse, flat)[1:-1, 1:-1]
    for rows in bands(coarse.ny, ratio**2 * coarse.nx * coarse.nl):
        part = inside[rows].repeat(ratio, 0).repeat(ratio, 1)
        yield slice(rows.start * ratio + 1, rows.stop * ratio + 1), part


def split_voxels(coarse: Grid, fine: Grid, flat: np.ndarray) -> np.ndarray:
    """A flat array over coarse voxels copied to the fine ones."""
    out = np.zeros((fine.ny + 2) * (fine.nx + 2) * fine.nl, flat.dtype)
    for rows, part in split_bands(coarse, fine, flat):
        block(fine, out)[rows, 1:-1] = part
    return out


def renumber(rank: np.ndarray, flat: np.ndarray) -> None:
    """Numbers replaced by their ranks, in place."""
    for part in bands(len(flat), 1):
        flat[part] = rank[flat[part]]


def cells_met(label: np.ndarray, cells: int) -> np.ndarray:
    """(cells,) bool: which of so many cells occur in an array, the background at 0."""
    met = np.zeros(cells, bool)
    for part in bands(label.size, 1):
        met[label.ravel()[part]] = True
    return met


@njit(**LEAF)
def measure(label, grid, cells):
    """Volumes, areas and edges of all cells from the labels; they change."""
    across, nl = (grid.nx + 2) * grid.nl, grid.nl
    cells.volume[:] = 0
    cells.area[:] = 0
    cells.edge[:] = 0
    for voxel in range(across + nl, label.size - across - nl):
        cell = label[voxel]
        if cell == 0:
            continue
        other = 0
        for dj in range(-1, 2):
            for di in range(-1, 2):
                other += label[voxel + dj * across + di * nl] != cell
        cells.volume[cell] += 1
        cells.area[cell, voxel % nl] += 1
        cells.edge[cell, voxel % nl] += other


@njit(**LEAF)
def sum_places(label, grid, held, along_x, along_y):
    """Voxels of every cell, and sums of their columns and rows: int64 (c,) of zeros; they change."""
    voxel = 0
    for j in range(-1, grid.ny + 1):
        for i in range(-1, grid.nx + 1):
            for _ in range(grid.nl):
                cell = label[voxel]
                voxel += 1
                if cell > 0:
                    held[cell] += 1
                    along_x[cell] += i
                    along_y[cell] += j


@njit(**LEAF)
def open_tiles(label, grid, opened):
    """Open the tiles that hold labels: `opened`, uint8 (tiles,), changes."""
    voxel = 0
    for j in range(-1, grid.ny + 1):
        for i in range(-1, grid.nx + 1):
            for _ in range(grid.nl):
                if label[voxel] > 0:
                    opened[(j // grid.tile) * grid.across + i // grid.tile] = 1
                voxel += 1


def measure_cells(frame: Frame, label: np.ndarray, cells: Cells) -> None:
    """Bring volumes, areas and edges of all cells up to date, in place."""
    measure(label, frame.grid, cells)
