"""A small part of a large image, read without loading the rest."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from cellcarve.data.table import Image
from cellcarve.report.svg import Box

LARGEST_WHOLE = 80_000_000


@dataclass(frozen=True)
class Crop:
    """Pixels (h, w) uint8, stretched to full contrast, and the box they cover in µm."""

    pixels: np.ndarray
    box: Box


def best_image(images: tuple[Image, ...]) -> Image | None:
    """The image to lay beneath: the nuclear stain where its name tells, else the first."""
    stains = [i for i in images if any(word in i.name.lower() for word in ("dapi", "nucl", "morphology"))]
    return next(iter(stains or images), None)


def crop_of(image: Image, box: Box) -> Crop | None:
    """The part of an image inside a box, or None where the image does not reach it or cannot be read.

    Parameters
    ----------
    image
        TIFF and OME-TIFF are read in pieces, and of a z stack the middle plane; other formats have to be
        decoded whole and are read up to `LARGEST_WHOLE` pixels.
    box
        (xmin, ymin, xmax, ymax) in µm.
    """
    try:
        found = _tiff(image, box) if image.path.suffix.lower() in (".tif", ".tiff") else _whole(image, box)
    except Exception:  # the image is an ornament: an unreadable one must not cost the report
        return None
    if found is None:
        return None
    pixels, place = found
    if image.flip_y:
        pixels = pixels[::-1]
    return Crop(_stretch(pixels), place)


def _tiff(image: Image, box: Box) -> tuple[np.ndarray, Box] | None:
    import tifffile

    with tifffile.TiffFile(image.path, _multifile=False) as file:
        page = _plane(file)
        window = _window(image, (page.shape[0], page.shape[1]), box)
        if window is None:
            return None
        rows, columns, place = window
        if page.is_memmappable:
            return np.array(page.asarray(out="memmap")[rows, columns]), place
        return np.asarray(_lazy(page)[rows, columns]), place


def _plane(file: Any) -> Any:
    """The page to draw: the middle one of a z stack, else the first (of channels, the nuclear stain)."""
    axes = file.series[0].axes
    first = file.pages[0]
    planes = file.series[0].shape[axes.index("Z")] if "Z" in axes and "C" not in axes else 1
    middle = file.pages[planes // 2] if planes > 1 and len(file.pages) >= planes else first
    return middle if middle.shape == first.shape else first


def _lazy(page: Any) -> Any:
    """An array that decodes only the tiles or strips it is asked for."""
    import zarr

    return zarr.open(page.aszarr(), mode="r")


def _whole(image: Image, box: Box) -> tuple[np.ndarray, Box] | None:
    from PIL import Image as Picture

    with Picture.open(image.path) as picture:
        if picture.width * picture.height > LARGEST_WHOLE:
            return None
        window = _window(image, (picture.height, picture.width), box)
        if window is None:
            return None
        rows, columns, place = window
        return np.asarray(picture.crop((columns.start, rows.start, columns.stop, rows.stop))), place


def _window(image: Image, shape: tuple[int, int], box: Box) -> tuple[slice, slice, Box] | None:
    """Rows and columns of a box, and the box they really cover."""
    left, right = (box[0] - image.x0) / image.pixel, (box[2] - image.x0) / image.pixel
    top, bottom = (box[1] - image.y0) / image.pixel, (box[3] - image.y0) / image.pixel
    if image.flip_y:
        top, bottom = shape[0] - bottom, shape[0] - top
    columns = slice(max(0, int(np.floor(left))), min(shape[1], int(np.ceil(right))))
    rows = slice(max(0, int(np.floor(top))), min(shape[0], int(np.ceil(bottom))))
    if columns.start >= columns.stop or rows.start >= rows.stop:
        return None
    low, high = (shape[0] - rows.stop, shape[0] - rows.start) if image.flip_y else (rows.start, rows.stop)
    place = (
        image.x0 + columns.start * image.pixel,
        image.y0 + low * image.pixel,
        image.x0 + columns.stop * image.pixel,
        image.y0 + high * image.pixel,
    )
    return rows, columns, place


def _stretch(pixels: np.ndarray) -> np.ndarray:
    """Grey values 0 .. 255; the darkest hundredth becomes black, the brightest two thousandths white."""
    grey = pixels.astype(np.float32)
    if grey.ndim == 3:
        grey = grey[..., :3].mean(axis=2)
    low, high = np.percentile(grey, (1, 99.8))
    share = np.clip((grey - low) / max(high - low, 1.0), 0, 1)
    return np.rint(255 * share).astype(np.uint8)
