"""A prior segmentation from an image: tif, npy, mat, or any other greyscale image."""

from pathlib import Path

import numpy as np

from cellcarve.errors import InputError
from cellcarve.priors.labels import open_image, refuse_picture
from cellcarve.read.stream import first_line


def load_labels(path: Path) -> np.ndarray:
    """Labels of an image; the connected pieces of a mask are numbered.

    Parameters
    ----------
    path
        Whatever `open_image` opens.

    Returns
    -------
    numpy.ndarray
        (rows, columns) of whole numbers, 0 = none.

    Raises
    ------
    InputError
        The file is missing, cannot be read, is not two-dimensional, holds no labels or is a picture.
    """
    if not path.is_file():
        raise InputError(f"prior segmentation {path} does not exist; a column is written as :NAME")
    try:
        image = np.squeeze(open_image(path))
    except (KeyboardInterrupt, InputError):
        raise
    except Exception as error:
        raise InputError(
            f"{path} cannot be read as an image of labels ({first_line(error)}); save it again"
        ) from error
    if image.ndim != 2 or image.dtype.kind not in "uifb":
        raise InputError(
            f"{path} has shape {image.shape} and type {image.dtype}; a prior is a 2-D image of whole numbers"
        )
    if image.dtype.kind == "f" and not np.array_equal(image, np.floor(image)):
        raise InputError(f"{path} holds fractions; a prior holds one whole number per segment")
    if image.size and image.min() < 0:
        raise InputError(
            f"{path} holds numbers below 0; a prior holds one whole number per segment, 0 = none"
        )
    top = image.max() if image.size else 0
    if top <= 0:
        raise InputError(f"{path} holds no labels: no pixel is above 0; check that it is the segmented image")
    refuse_picture(image, path)
    return _numbered(image, top)


def labels_under(
    image: np.ndarray,
    position: tuple[np.ndarray, np.ndarray],
    pixel: float,
    offset: tuple[float, float],
    compat: str,
) -> tuple[np.ndarray, int]:
    """Label of the pixel under each molecule; half-way between two middles it is the later one.

    Parameters
    ----------
    image
        (rows, columns) labels.
    position
        x and y, (K,) each.
    pixel, offset
        Side of a pixel, and position of the middle of the first.
    compat
        ``"0.7"`` for the old rule, which counts pixels from 1, so that the middle of the first lies a pixel further, and
        takes the even one of two half-way.

    Returns
    -------
    tuple
        (K,) int64 labels, 0 outside of the image; number of molecules inside.
    """
    steps = ((v.astype(np.float64) - low) / pixel for v, low in zip(position, offset, strict=True))
    column, row = (np.rint(v) - 1 if compat else np.floor(v + 0.5) for v in steps)
    inside = (row >= 0) & (column >= 0) & (row < image.shape[0]) & (column < image.shape[1])
    label = np.zeros(len(row), np.int64)
    label[inside] = image[row[inside].astype(np.int64), column[inside].astype(np.int64)]
    return label, int(inside.sum())


def _numbered(image: np.ndarray, top: float) -> np.ndarray:
    """Labels themselves, or the 4-connected pieces of a mask."""
    if np.any((image > 0) & (image != top)):
        return image if image.dtype.kind in "ui" else image.astype(np.int64)
    from scipy.ndimage import label

    return label(image == top)[0]
