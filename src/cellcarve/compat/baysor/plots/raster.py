"""Molecules as pixels: where several share one, their colours are mixed."""

import math

import numpy as np

from cellcarve.compat.baysor.plots.frame import Frame
from cellcarve.report.raster import indexed_uri

# Levels of red, green and blue that a picture has; its last colour is the paper.
_LEVELS = (6, 7, 6)


def picture(frame: Frame, x: np.ndarray, y: np.ndarray, colour: np.ndarray) -> str:
    """A picture of the molecules as a data address, transparent where there are none.

    Parameters
    ----------
    frame
        Its size.
    x, y
        (K,) positions.
    colour
        (K, 3) uint8 red, green and blue.
    """
    across, down = (np.floor(v).astype(np.int64) for v in frame.place(x, y))
    shape = frame.height + 2 * frame.dot, frame.width + 2 * frame.dot
    pixel = (down + frame.dot) * shape[1] + across + frame.dot
    size = shape[0] * shape[1]
    sums = [np.bincount(pixel, minlength=size).astype(np.float32)]
    sums += [np.bincount(pixel, colour[:, k], size).astype(np.float32) for k in range(3)]
    spread = [_disc(layer.reshape(shape), frame.dot) for layer in sums]
    count = np.maximum(spread[0], 1)
    index = np.zeros(count.shape, np.uint8)
    for layer, levels in zip(spread[1:], _LEVELS, strict=True):
        index = (index * levels + np.rint(layer / count / 255 * (levels - 1))).astype(np.uint8)
    clear = int(np.prod(_LEVELS))
    index[spread[0] == 0] = clear
    cut = slice(frame.dot, frame.dot + frame.height), slice(frame.dot, frame.dot + frame.width)
    return indexed_uri(np.ascontiguousarray(index[cut]), _palette(), clear)


def _disc(layer: np.ndarray, diameter: int) -> np.ndarray:
    """Each value spread over a disc, a row of it at a time; the rim is wide enough for that."""
    if diameter == 1:
        return layer
    middle = (diameter - 1) // 2
    # Sums along rows are of whole numbers far below 2^24, so that single precision is exact.
    total = np.cumsum(layer, axis=1)
    out = np.zeros_like(layer)
    for row in range(diameter):
        half = math.sqrt((diameter / 2) ** 2 - (row - (diameter - 1) / 2) ** 2)
        wide = max(1, 2 * round(half - 0.5 * (diameter % 2)) + diameter % 2)
        run = total.copy()
        run[:, wide:] -= total[:, :-wide]
        left = middle - (wide - 1) // 2
        out += np.roll(run, (row - middle, left - middle), (0, 1))
    return out


def _palette() -> np.ndarray:
    """(253, 3) uint8: a cube of colours, and white."""
    axes = [np.rint(np.linspace(0, 255, levels)) for levels in _LEVELS]
    cube = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    return np.concatenate([cube, [[255, 255, 255]]]).astype(np.uint8)
