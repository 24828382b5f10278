"""Where the pixels of an image lie."""

from dataclasses import dataclass

import numpy as np

from cellcarve.convert.source import Finished
from cellcarve.errors import SettingsError


@dataclass(frozen=True)
class Pixels:
    """Pixels of an image.

    Parameters
    ----------
    side
        Side of a pixel in µm.
    x0, y0
        Position in µm of the outer corner of its first pixel.
    """

    side: float
    x0: float = 0.0
    y0: float = 0.0

    def of(self, place: np.ndarray) -> np.ndarray:
        """Places (n, 2) in µm as pixels, to a hundredth."""
        return np.round((place - (self.x0, self.y0)) / self.side, 2)


def pixels(side: float | None, origin: tuple[float, float] | None) -> Pixels | None:
    """Pixels as the user told them; None where nothing was said.

    Raises
    ------
    SettingsError
        They are no pixels, or their side is not told.
    """
    if side is None and origin is None:
        return None
    if side is None:
        raise SettingsError("--origin needs --pixel-size, the side of a pixel in µm (0.2125 for Xenium)")
    if not side > 0:
        raise SettingsError(f"--pixel-size must be above 0, not {side:g}")
    return Pixels(side, *(origin or (0.0, 0.0)))


def pixels_of(finished: Finished) -> Pixels:
    """Pixels of the first image that a run was given.

    Parameters
    ----------
    finished
        A finished segmentation.

    Raises
    ------
    SettingsError
        There was none.
    """
    images = finished.record.get("images") or []
    if not images:
        raise SettingsError(
            f"nothing tells the pixels of the image that '{finished.folder}' is to be laid over; give --pixel-size (µm; "
            "0.2125 for Xenium), and --origin where the image does not begin at 0,0"
        )
    return Pixels(images[0]["pixel"], images[0]["x0"], images[0]["y0"])
