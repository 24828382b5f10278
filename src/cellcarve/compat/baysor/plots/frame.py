"""How large a picture of the molecules is, and where they lie in it."""

import math
from dataclasses import dataclass

import numpy as np

from cellcarve.compat.baysor.config import Config

# Fewer molecules than fill a picture still get one that can be looked at.
_LEAST_SIDE = 1500
# Room around the molecules, as a share of the longer side.
_MARGIN = 0.01
_LARGEST_DOT = 13


@dataclass(frozen=True)
class Frame:
    """A picture of the molecules; pixel (0, 0) is where x and y are smallest.

    Attributes
    ----------
    x0, y0
        Position of its corner.
    pixel
        Side of a pixel, in the units of the coordinates.
    width, height
        In pixels.
    dot
        Diameter of a molecule in pixels.
    """

    x0: float
    y0: float
    pixel: float
    width: int
    height: int
    dot: int

    def place(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Positions in pixels, float64."""
        return (x - np.float64(self.x0)) / self.pixel, (y - np.float64(self.y0)) / self.pixel


def frame_for(x: np.ndarray, y: np.ndarray, config: Config) -> Frame:
    """A picture in which a cell has the pixels that were asked for, as far as the largest size allows.

    Parameters
    ----------
    x, y
        (K,) positions.
    config
        Pixels per cell, molecules per cell and largest size.
    """
    plotting = config.plotting
    wide, high = float(np.ptp(x)), float(np.ptp(y))
    margin = _MARGIN * max(wide, high) or 0.5
    wide, high = wide + 2 * margin, high + 2 * margin
    area = plotting.min_pixels_per_cell**2 * len(x) / max(config.data.min_molecules_per_cell, 3)
    side = max(math.sqrt(area * max(wide, high) / min(wide, high)), _LEAST_SIDE)
    pixel = max(wide, high) / min(side, plotting.max_plot_size)
    width, height = math.ceil(wide / pixel), math.ceil(high / pixel)
    apart = math.sqrt(width * height / len(x))
    dot = int(np.clip(round(apart * 0.6), 1, _LARGEST_DOT))
    return Frame(float(x.min()) - margin, float(y.min()) - margin, pixel, width, height, dot)
