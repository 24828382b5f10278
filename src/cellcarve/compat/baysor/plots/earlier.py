"""Outlines of the prior segments, for drawing."""

import numpy as np

from cellcarve.compat.baysor.options import Options
from cellcarve.compat.baysor.prior import Laid, first_pixel
from cellcarve.data.table import Table
from cellcarve.mixture.result import Rings
from cellcarve.summarise.outlines import outline

# Outlines are made for molecules of cells of about this radius in µm; pixels are closer together, and are made to
# look like molecules of larger cells, so that outlines keep to their edges.
_USUAL, _USUAL_OF_PIXELS = 6.5, 30.0
_MOST_POINTS = 2_000_000


def prior_rings(table: Table, laid: Laid, options: Options) -> Rings | None:
    """A ring per prior segment: around its pixels where it came from an image, else around its molecules.

    Parameters
    ----------
    table
        K molecules.
    laid
        The prior, and its image.
    options
        Where the image lies.
    """
    if laid.segment is None or not laid.segment.any():
        return None
    if laid.image is None:
        inside = laid.segment > 0
        x, y, code = table.x[inside], table.y[inside], laid.segment[inside]
    else:
        x, y, code = _pixels(laid.image, options)
    names, code = np.unique(code, return_inverse=True)
    unit = laid.scale.value / (_USUAL if laid.image is None else _USUAL_OF_PIXELS)
    low = np.float64(x.min()), np.float64(y.min())
    place = [((v - at) / unit).astype(np.float32) for v, at in zip((x, y), low, strict=True)]
    drawn = outline(place[0], place[1], (code + 1).astype(np.int32), len(names))
    return Rings(drawn.cell, drawn.x * unit + low[0], drawn.y * unit + low[1], drawn.start)


def _pixels(image: np.ndarray, options: Options) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Positions and labels of labelled pixels, of every k-th row and column where there are many."""
    step = 1
    while np.count_nonzero(image[::step, ::step]) > _MOST_POINTS:
        step += 1
    row, column = np.nonzero(image[::step, ::step])
    label = image[::step, ::step][row, column]
    x, y = (
        v * step * options.pixel + low for v, low in zip((column, row), first_pixel(options), strict=True)
    )
    return x, y, label
