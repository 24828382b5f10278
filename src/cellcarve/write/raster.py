"""Label image of the cells' polygons."""

import math

import numpy as np

from cellcarve.data.result import Outlines
from cellcarve.data.rings import paint

MOST_PIXELS = 4096
FINEST = 1.0


def label_image(outlines: Outlines) -> tuple[np.ndarray, float, tuple[float, float]]:
    """Cell numbers on square pixels of 1 µm, or wider where the image would exceed 4096 pixels a side.

    Parameters
    ----------
    outlines
        At least one polygon.

    Returns
    -------
    tuple
        (rows, columns) int32 image, 0 = no cell; the side of a pixel in µm; (x, y) in µm of the corner of
        its first pixel.
    """
    x0, y0 = float(outlines.x.min()), float(outlines.y.min())
    width, height = float(outlines.x.max()) - x0, float(outlines.y.max()) - y0
    side = max(FINEST, max(width, height) / MOST_PIXELS)
    shape = [min(max(math.ceil(extent / side), 1), MOST_PIXELS) for extent in (height, width)]
    x, y = outlines.x.astype(np.float64), outlines.y.astype(np.float64)
    image = paint((x, y, outlines.start), outlines.cell, np.array([x0, y0]), side, (shape[0], shape[1]))
    return image, side, (x0, y0)
