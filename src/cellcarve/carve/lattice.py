"""Pixels of a view: coarse ones carry labels, fine ones (half as wide) carry density and distances."""

from dataclasses import dataclass

import numpy as np

from cellcarve.data.tiles import View


@dataclass(frozen=True)
class Lattice:
    """Square pixels over a view, aligned to the middle of the tissue.

    Attributes
    ----------
    pixel
        Side of a pixel in µm; a fine pixel is half as wide.
    x0, y0
        Lower corner in µm from the middle of the tissue, a multiple of `pixel`.
    nx, ny
        Pixels along x and y.
    """

    pixel: float
    x0: float
    y0: float
    nx: int
    ny: int

    def __len__(self) -> int:
        return self.nx * self.ny


def lay_lattice(view: View, pixel: float) -> Lattice:
    """The smallest lattice that covers the view's box."""
    xmin, ymin, xmax, ymax = view.box
    ix, iy = int(np.floor(xmin / pixel)), int(np.floor(ymin / pixel))
    nx, ny = int(np.ceil(xmax / pixel)) - ix, int(np.ceil(ymax / pixel)) - iy
    return Lattice(pixel, ix * pixel, iy * pixel, nx, ny)


def pixels_of(lattice: Lattice, x: np.ndarray, y: np.ndarray, parts: int = 1) -> np.ndarray:
    """Pixel number (int32, row by row) of each position; `parts` = 2 asks for fine pixels."""
    scale = parts / lattice.pixel
    column = np.clip(((x - lattice.x0) * scale).astype(np.int32), 0, lattice.nx * parts - 1)
    row = np.clip(((y - lattice.y0) * scale).astype(np.int32), 0, lattice.ny * parts - 1)
    return row * np.int32(lattice.nx * parts) + column
