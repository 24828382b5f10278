"""Transcripts cut into square tiles: what a segmentation method works on."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class TileGrid:
    """Square tiles over the tissue, row by row.

    Attributes
    ----------
    x0, y0
        Lower corner in µm.
    side
        Side of a tile in µm.
    nx, ny
        Tiles along x and y.
    centre_x, centre_y
        Middle of the tissue in µm; lattices are anchored here, so that they do not depend on the tiles.
    """

    x0: float
    y0: float
    side: float
    nx: int
    ny: int
    centre_x: float
    centre_y: float

    def __len__(self) -> int:
        return self.nx * self.ny

    def of(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Tile number (int64) of each position (µm)."""
        column = np.clip(((x - self.x0) / self.side).astype(np.int64), 0, self.nx - 1)
        row = np.clip(((y - self.y0) / self.side).astype(np.int64), 0, self.ny - 1)
        return row * self.nx + column

    def box(self, tile: int) -> tuple[float, float, float, float]:
        """Bounds (xmin, ymin, xmax, ymax) of a tile in µm."""
        row, column = divmod(tile, self.nx)
        x, y = self.x0 + column * self.side, self.y0 + row * self.side
        return x, y, x + self.side, y + self.side

    def around(self, tile: int) -> list[int]:
        """The tile and its up to eight neighbours, in ascending order."""
        row, column = divmod(tile, self.nx)
        rows = range(max(row - 1, 0), min(row + 2, self.ny))
        columns = range(max(column - 1, 0), min(column + 2, self.nx))
        return [r * self.nx + c for r in rows for c in columns]


@dataclass
class Transcripts:
    """Kept transcripts sorted by tile and then by position; T transcripts.

    Attributes
    ----------
    x, y, z
        (T,) float32, µm; z is 0 where the input has none.
    gene
        (T,) int32.
    cell
        (T,) int32, prior cell: 0 = none, else 1 .. P.
    core
        (T,) bool, anchors its prior cell.
    row
        (T,) int64, row of the input.
    start
        (tiles + 1,) int64, where each tile's transcripts begin.
    """

    x: np.ndarray
    y: np.ndarray
    z: np.ndarray
    gene: np.ndarray
    cell: np.ndarray
    core: np.ndarray
    row: np.ndarray
    start: np.ndarray

    def __len__(self) -> int:
        return len(self.x)


@dataclass
class Tissue:
    """Transcripts with their prior cells and their tile grid.

    Attributes
    ----------
    transcripts
        The kept transcripts.
    grid
        How they are cut into tiles.
    genes
        Number of genes G.
    cells
        Number of prior cells P.
    """

    transcripts: Transcripts
    grid: TileGrid
    genes: int
    cells: int
