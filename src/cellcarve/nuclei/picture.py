"""A picture of any size, read square by square."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cellcarve.errors import InputError

TIFFS = (".tif", ".tiff", ".btf")
OTHERS = (".npy", ".png", ".jpg", ".jpeg")


@dataclass
class Picture:
    """One channel of a picture; of a stack of planes, the brightest of each pixel.

    Attributes
    ----------
    path
        The file.
    shape
        Rows and columns.
    pixel
        µm per pixel as the file tells; None where it does not.
    """

    path: Path
    shape: tuple[int, int]
    pixel: float | None
    _pixels: Any
    _axes: str
    _channel: int

    def read(self, rows: slice, columns: slice) -> np.ndarray:
        """(rows, columns) float32 of a square."""
        places = {"Y": rows, "X": columns, "C": self._channel, "S": self._channel}
        values = np.asarray(self._pixels[tuple(places.get(axis, slice(None)) for axis in self._axes)])
        deep = values.ndim - 2
        return values.max(axis=tuple(range(deep))).astype(np.float32) if deep else values.astype(np.float32)


@contextmanager
def open_picture(path: Path, channel: int) -> Iterator[Picture]:
    """Open a picture.

    Parameters
    ----------
    path
        TIFF, OME-TIFF (the full size of a pyramid is taken), npy, PNG or JPEG.
    channel
        Which channel, counted from 0.

    Yields
    ------
    Picture
        Readable while the block lasts.

    Raises
    ------
    InputError
        It cannot be read, is no picture, or has fewer channels.
    """
    if not path.is_file():
        raise InputError(f"{path} does not exist; check the path")
    if not path.name.lower().endswith(TIFFS + OTHERS):
        raise InputError(f"{path} has an unknown ending; give a .tif, .npy, .png or .jpg")
    try:
        if path.name.lower().endswith(TIFFS):
            with _tiff(path) as (pixels, axes, pixel):
                yield _picture(path, pixels, axes, (pixel, channel))
        else:
            pixels = _whole(path)
            yield _picture(path, pixels, "YXS"[: pixels.ndim], (None, channel))
    except (OSError, ValueError) as error:
        what = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
        raise InputError(f"{path} cannot be read as a picture ({what}); save it again") from error


def _picture(path: Path, pixels: Any, axes: str, facts: tuple[float | None, int]) -> Picture:
    size = dict(zip(axes, pixels.shape, strict=False))
    if len(axes) != len(pixels.shape) or not {"Y", "X"} <= set(axes):
        raise InputError(f"{path} has shape {tuple(pixels.shape)}; a picture has rows and columns")
    channels = size.get("C", size.get("S", 1))
    if facts[1] >= channels:
        raise InputError(f"{path} has {channels} channel(s), counted from 0; there is no channel {facts[1]}")
    return Picture(path, (size["Y"], size["X"]), facts[0], pixels, axes, facts[1])


@contextmanager
def _tiff(path: Path) -> Iterator[tuple[Any, str, float | None]]:
    import tifffile
    import zarr

    with tifffile.TiffFile(path) as file:
        if not file.series:
            raise InputError(f"{path} holds no picture; save it again")
        series = file.series[0]
        store = series.aszarr(level=0)
        try:
            axes = series.axes.replace("Q", "Z").replace("I", "Z")
            yield zarr.open(store, mode="r"), axes, _pixel(file.ome_metadata)
        finally:
            store.close()


def _pixel(metadata: str | None) -> float | None:
    """µm per pixel of an OME-TIFF."""
    found = re.search(r'PhysicalSizeX="([0-9.eE+-]+)"', metadata or "")
    unit = re.search(r'PhysicalSizeXUnit="([^"]+)"', metadata or "")
    if found is None or (
        unit is not None and unit[1] not in ("µm", "\u03bcm", "um", "&#181;m", "micrometer")
    ):
        return None
    return float(found[1])


def _whole(path: Path) -> np.ndarray:
    if path.name.lower().endswith(".npy"):
        return np.load(path, mmap_mode="r", allow_pickle=False)
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = None
    with Image.open(path) as file:
        return np.asarray(file)
