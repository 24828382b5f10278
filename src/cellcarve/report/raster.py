"""Pictures made of pixels: transcripts binned to a grid, grids turned into images that fit into a page."""

import base64
import io
import math

import numpy as np

from cellcarve.data import flat
from cellcarve.report.svg import Box

SAMPLE = 4_000_000


def sample(rows: int) -> slice:
    """Every k-th row, at most `SAMPLE` of them: enough for any picture, and its cost is bounded."""
    return slice(None, None, max(1, math.ceil(rows / SAMPLE)))


class Pixels:
    """A grid of square pixels over a box.

    Parameters
    ----------
    box
        (xmin, ymin, xmax, ymax) in µm.
    side
        Side of a pixel in µm; made larger where the grid would have more than `most` pixels a side.
    most
        Largest number of pixels along a side.
    """

    def __init__(self, box: Box, side: float, most: int) -> None:
        extent = max(box[2] - box[0], box[3] - box[1])
        self.side = max(side, extent / most)
        self.nx = max(1, math.ceil((box[2] - box[0]) / self.side))
        self.ny = max(1, math.ceil((box[3] - box[1]) / self.side))
        self.box = (box[0], box[1], box[0] + self.nx * self.side, box[1] + self.ny * self.side)

    def of(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Pixel number (int32) of each position in µm; positions outside go to the rim."""
        out = np.empty(len(x), np.int32)
        for first in range(0, len(x), flat.PIECE):
            part = slice(first, first + flat.PIECE)
            column = np.clip(((x[part] - self.box[0]) / self.side).astype(np.int32), 0, self.nx - 1)
            row = np.clip(((y[part] - self.box[1]) / self.side).astype(np.int32), 0, self.ny - 1)
            out[part] = row * np.int32(self.nx) + column
        return out

    def sums(self, pixel: np.ndarray, weight: np.ndarray | None = None) -> np.ndarray:
        """(ny, nx) number of items, or sum of their weights, per pixel."""
        total = np.zeros(self.nx * self.ny, np.int64 if weight is None else np.float64)
        for first in range(0, len(pixel), flat.PIECE):
            part = slice(first, first + flat.PIECE)
            own = None if weight is None else weight[part]
            total += np.bincount(pixel[part], weights=own, minlength=len(total))
        return total.reshape(self.ny, self.nx)


def indexed_uri(index: np.ndarray, colours: np.ndarray, clear: int | None = None) -> str:
    """A PNG as a data address.

    Parameters
    ----------
    index
        (h, w) uint8 colour numbers.
    colours
        (n, 3) uint8 red, green, blue.
    clear
        Colour number drawn transparent.
    """
    from PIL import Image

    picture = Image.fromarray(index)
    picture.putpalette(colours.astype(np.uint8).tobytes(), "RGB")
    options = {} if clear is None else {"transparency": clear}
    return _uri(picture, "PNG", **options)


def photo_uri(grey: np.ndarray) -> str:
    """A (h, w) or (h, w, 3) uint8 photograph as a JPEG data address."""
    from PIL import Image

    return _uri(Image.fromarray(grey), "JPEG", quality=82)


def _uri(picture: object, form: str, **options: object) -> str:
    buffer = io.BytesIO()
    picture.save(buffer, format=form, **options)  # type: ignore[attr-defined]
    return f"data:image/{form.lower()};base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"
