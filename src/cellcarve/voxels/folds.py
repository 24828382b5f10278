"""Pieces of tissue that lie far apart on a slide, moved together: no lattice is laid over what is empty between them."""

import math
from dataclasses import dataclass

import numpy as np

# Squares of more than one slide, by far.
MOST_SQUARES = 1 << 27
# It must be worth it: the lattice shrinks to this part or less.
WORTH = 0.7
_BLOCK = 1 << 20


@dataclass(frozen=True)
class Folds:
    """Where each of P pieces lies and goes.

    Attributes
    ----------
    low
        (2,) float64 µm, x and y of the corner of both rasters of squares.
    side
        Of a square, µm.
    here, there
        Piece of each square of the tissue, and of the lattice: (rows, columns) int32, 0 = none.
    shift
        (P + 1, 2) float64 µm by which pieces move down x and y; entry 0 is 0.
    """

    low: np.ndarray
    side: float
    here: np.ndarray
    there: np.ndarray
    shift: np.ndarray

    def along(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Positions on the lattice, float64, of positions in the tissue."""
        return self._moved(x, y, self.here, -1)

    def place(self, u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The way back."""
        return self._moved(u, v, self.there, 1)

    def _moved(
        self, x: np.ndarray, y: np.ndarray, squares: np.ndarray, sign: int
    ) -> tuple[np.ndarray, np.ndarray]:
        out = np.array(x, np.float64), np.array(y, np.float64)
        for first in range(0, len(x), _BLOCK):
            part = slice(first, first + _BLOCK)
            column, row = (_squares(v[part], low, self.side) for v, low in zip(out, self.low, strict=True))
            rows, columns = squares.shape
            piece = squares[np.clip(row, 0, rows - 1), np.clip(column, 0, columns - 1)]
            for axis in (0, 1):
                out[axis][part] += sign * self.shift[piece, axis]
        return out


def fold(x: np.ndarray, y: np.ndarray, margin: float, unit: float) -> Folds | None:
    """Move pieces of tissue together.

    Parameters
    ----------
    x, y
        (T,) positions in µm.
    margin
        What stays empty at least around each piece, µm.
    unit
        Of which shifts are multiples, µm.

    Returns
    -------
    Folds or None
        None where little would be won.
    """
    from scipy.ndimage import find_objects, label

    side = math.ceil(margin / unit) * unit
    low = np.array([x.min(), y.min()], np.float64) - side
    columns, rows = (int((v.max() - b) / side) + 2 for v, b in ((x, low[0]), (y, low[1])))
    if rows * columns > MOST_SQUARES:
        return None
    held = np.zeros((rows, columns), bool)
    for first in range(0, len(x), _BLOCK):
        part = slice(first, first + _BLOCK)
        held[_squares(y[part], low[1], side), _squares(x[part], low[0], side)] = True
    around = np.ones((3, 3), bool)
    here = label(_spread(held), around)[0].astype(np.int32)
    boxes = find_objects(here)
    size = np.array([[part.stop - part.start for part in box] for box in boxes])
    corner, shape = _packed(size)
    if shape[0] * shape[1] > WORTH * rows * columns:
        return None
    there = np.zeros(shape, np.int32)
    shift = np.zeros((len(boxes) + 1, 2))
    for k, (box, (row, column), (high, wide)) in enumerate(zip(boxes, corner, size, strict=True), 1):
        there[row : row + high, column : column + wide] = k
        shift[k] = (box[1].start - column) * side, (box[0].start - row) * side
    return Folds(low, side, here, there, shift)


def _squares(x: np.ndarray, low: float, side: float) -> np.ndarray:
    return np.floor((x.astype(np.float64) - low) / side).astype(np.int64)


def _spread(held: np.ndarray) -> np.ndarray:
    """Squares that are held or touch one that is."""
    from scipy.ndimage import binary_dilation

    return binary_dilation(held, np.ones((3, 3), bool))


def _packed(size: np.ndarray) -> tuple[np.ndarray, tuple[int, int]]:
    """Row and column of boxes of so many rows and columns, on shelves, the high ones first; and the shape of it all."""
    width = max(int(size[:, 1].max()), math.ceil(math.sqrt((size[:, 0] * size[:, 1]).sum())))
    corner = np.zeros_like(size)
    row = column = height = 0
    for k in np.argsort(-size[:, 0], kind="stable").tolist():
        high, wide = size[k].tolist()
        if column + wide > width:
            row, column, height = row + height, 0, 0
        corner[k] = row, column
        column, height = column + wide, max(height, high)
    return corner, (row + height, width)
