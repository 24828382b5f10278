"""Label images as a prior: each pixel holds the number of a nucleus or cell, 0 = none."""

import gzip
import math
from pathlib import Path

import numpy as np

from cellcarve.data.table import Table
from cellcarve.errors import InputError, SettingsError
from cellcarve.priors.found import Found, kept_rows
from cellcarve.priors.holds import holds_nuclei
from cellcarve.priors.matlab import read_matlab
from cellcarve.priors.placement import apply, elsewhere, placement
from cellcarve.settings import PriorSettings

ENDINGS = (".tif", ".tiff", ".npy", ".npy.gz", ".mat")
_BLOCK = 4_000_000
_SAMPLE = 10_000_000
# Fewer pairs of neighbouring pixels than this tell nothing of an image.
_FEW_PAIRS = 1000


def from_labels(table: Table, settings: PriorSettings, path: Path) -> Found:
    """The labels under the kept transcripts; cells are named by their labels and ordered by number.

    Parameters
    ----------
    table
        N rows.
    settings
        Where the image lies and what it holds.
    path
        The image.

    Returns
    -------
    Found
        Cells, all of their rows nuclear where the image holds nuclei.

    Raises
    ------
    InputError
        The image cannot be read, holds no labels or lies elsewhere than the transcripts.
    SettingsError
        Offset or affine cannot be understood, or the size of a pixel is not given.
    """
    import pandas as pd

    affine = placement(settings)
    notes: list[str] = []
    image = load_image(path, notes)
    if settings.prior_affine is None and settings.prior_scale is None:
        raise SettingsError(f"nothing says how wide a pixel of {path} is; give --prior-scale in µm")
    if settings.prior_flip_y:
        image = image[::-1]
    row = kept_rows(table)
    label, covered = labels_at(image, affine, table.x[row], table.y[row])
    if not np.any(label > 0):
        corners = np.array([[0, image.shape[1]] * 2, [0, 0, *[image.shape[0]] * 2]])
        raise InputError(_unmet(path, covered, apply(affine, *corners), table.x[row], table.y[row]))
    notes.append(f"label image {path.name} covers {covered / len(row):.1%} of the transcripts")
    code, values = pd.factorize(np.where(label > 0, label, -1), sort=True)
    first = int(values[0] < 0)
    names = [str(value) for value in values[first:].tolist()]
    cell = (code + 1 - first).astype(np.int32)
    area = _usual_area(image) * abs(float(np.linalg.det(affine[:, :2])))
    nucleus = cell > 0 if holds_nuclei(settings, path.name, area, notes) else None
    return Found(cell, names, nucleus, f"label image {path.name}", notes)


def load_image(path: Path, notes: list[str]) -> np.ndarray:
    """A 2-D array of labels from a file.

    Of a stack of planes the middle one counts, and the pieces of a mask (all pixels 0 or one other value) are
    numbered; both are noted.

    Raises
    ------
    InputError
        The file cannot be read, is no label image (a picture, for one), or could run code (a pickled array).
    """
    try:
        image = np.squeeze(open_image(path))
    except InputError:
        raise
    except Exception as error:
        if any(word in str(error) for word in ("pickle", "Python objects")):
            raise InputError(
                f"{path} is damaged, or a pickled array, which could run code when loaded; save plain numbers with "
                "numpy.save(path, labels.astype('uint32'))"
            ) from error
        what = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
        raise InputError(
            f"{path} cannot be read as a label image ({what}); save it again as .tif or .npy"
        ) from error
    if image.ndim == 3 and image.shape[2] > 4:
        notes.append(f"{path.name} is a stack of {len(image)} planes, of which the middle one is used")
        image = image[len(image) // 2]
    if image.ndim != 2 or image.dtype.kind not in "uifb":
        raise InputError(
            f"{path} has shape {image.shape} and type {image.dtype}; a label image is 2-D and of whole numbers"
        )
    if image.dtype.kind == "f" and not np.array_equal(image, np.floor(image)):
        raise InputError(f"{path} holds fractions; a label image holds one whole number per nucleus or cell")
    if image.size == 0 or image.max() <= 0:
        raise InputError(f"{path} holds no labels: no pixel is above 0; check that it is the segmented image")
    refuse_picture(image, path)
    return _number_mask(image, path, notes)


def refuse_picture(image: np.ndarray, path: Path) -> None:
    """Refuse a microscope's picture that was given in place of its segmentation.

    Labels fill patches, so that neighbouring pixels mostly hold the same number; in a picture with hardly any pixel
    at 0 they hardly ever do.

    Parameters
    ----------
    image
        (rows, columns) of numbers, 0 = none.
    path
        Where it was read from.

    Raises
    ------
    InputError
        It is a picture.
    """
    step = max(1, math.isqrt(image.size // _SAMPLE))
    left, right = image[::step, :-1], image[::step, 1:]
    both = (left > 0) & (right > 0)
    pairs = np.count_nonzero(both)
    if pairs < max(_FEW_PAIRS, both.size / 2) or np.count_nonzero((left == right) & both) > pairs / 2:
        return
    raise InputError(
        f"{path} is a picture, not a label image: pixels beside each other hardly ever hold the same number; find the nuclei "
        "in it with 'cellcarve nuclei' first"
    )


def labels_at(image: np.ndarray, affine: np.ndarray, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, int]:
    """Label of the pixel under each position.

    Parameters
    ----------
    image
        (rows, columns) labels.
    affine
        (2, 3), from (column, row) of a pixel's corner to µm.
    x, y
        (N,) float32 µm.

    Returns
    -------
    tuple
        (N,) int64 labels, 0 where there is none or outside of the image; number of positions inside of it.
    """
    label = np.zeros(len(x), np.int64)
    covered = 0
    turn = np.linalg.inv(affine[:, :2])
    back = np.column_stack([turn, -turn @ affine[:, 2]])
    # Blocks bound the memory of the steps in between.
    for a in range(0, len(x), _BLOCK):
        part = slice(a, a + _BLOCK)
        column, row = (np.floor(v) for v in apply(back, x[part].astype(float), y[part].astype(float)))
        inside = (row >= 0) & (column >= 0) & (row < image.shape[0]) & (column < image.shape[1])
        pixel = image[row[inside].astype(np.int64), column[inside].astype(np.int64)]
        label[part][inside] = np.maximum(pixel, 0).astype(np.int64)
        covered += int(inside.sum())
    return label, covered


def open_image(path: Path) -> np.ndarray:
    """Pixels of a ``.npy``, ``.npy.gz``, MATLAB or TIFF file, or of any other that Pillow opens, whatever they mean."""
    name = path.name.lower()
    if name.endswith(".gz"):
        with gzip.open(path) as file:
            return np.load(file, allow_pickle=False)
    if name.endswith(".npy"):
        return np.load(path, mmap_mode="r", allow_pickle=False)
    if name.endswith(".mat"):
        return read_matlab(path)
    if name.endswith((".tif", ".tiff")):
        import tifffile

        return tifffile.imread(path)
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = None
    with Image.open(path) as picture:
        return np.asarray(picture)


def _number_mask(image: np.ndarray, path: Path, notes: list[str]) -> np.ndarray:
    """The image itself, or the connected pieces of a mask by number."""
    top = image.max()
    if np.any((image > 0) & (image != top)):
        return image
    from scipy.ndimage import label

    pieces, number = label(image == top)
    if number == 1:
        return image
    notes.append(
        f"{path.name} is a mask without numbers: each of its {number:,} connected pieces counts as one"
    )
    return pieces


def _usual_area(image: np.ndarray) -> float:
    """Median pixels per label, from a lattice of pixels where the image is large."""
    step = max(1, math.isqrt(image.size // _SAMPLE))
    sample = image[::step, ::step]
    count = np.unique(sample[sample > 0], return_counts=True)[1]
    return float(np.median(count)) * step * step if len(count) else 0.0


def _unmet(
    path: Path, covered: int, corners: tuple[np.ndarray, np.ndarray], x: np.ndarray, y: np.ndarray
) -> str:
    if covered == 0:
        return elsewhere(path, corners, x, y)
    return (
        f"prior {path}: {covered:,} transcripts lie in the image but none on a label; set --prior-scale, "
        "--prior-offset, --prior-affine or --prior-flip-y"
    )
