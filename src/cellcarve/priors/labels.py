"""Label images as a prior: each pixel holds the number of a nucleus or cell, 0 = none."""

import gzip
from pathlib import Path

import numpy as np

from cellcarve.errors import InputError, SettingsError
from cellcarve.settings import PriorSettings

ENDINGS = (".tif", ".tiff", ".npy", ".npy.gz")


def load_image(path: Path) -> np.ndarray:
    """A 2-D array of whole numbers; of a stack of planes, the middle one.

    Raises
    ------
    InputError
        The file cannot be read, is no label image or could run code (a pickled array).
    """
    try:
        image = _open(path)
    except ValueError as error:
        if "pickle" in str(error).lower():
            raise InputError(
                f"{path} is a pickled array, which could run code when loaded; save plain numbers with "
                "numpy.save(path, labels.astype('uint32'))"
            ) from error
        raise InputError(
            f"{path} cannot be read as a label image ({error}); save it as .tif or .npy"
        ) from error
    except Exception as error:
        raise InputError(
            f"{path} cannot be read as a label image ({error}); save it as .tif or .npy"
        ) from error
    image = np.squeeze(image)
    if image.ndim == 3:
        image = image[len(image) // 2]
    if image.ndim != 2 or image.dtype.kind not in "uifb":
        raise InputError(
            f"{path} has shape {image.shape} and type {image.dtype}; a label image is 2-D and whole numbers"
        )
    if not np.any(image > 0):
        raise InputError(f"{path} holds no labels (no pixel above 0); check the file")
    return image


def _open(path: Path) -> np.ndarray:
    if path.name.endswith(".npy.gz"):
        with gzip.open(path) as file:
            return np.load(file, allow_pickle=False)
    if path.suffix == ".npy":
        return np.load(path, allow_pickle=False)
    import tifffile

    return tifffile.imread(path)


def label_rows(
    path: Path, x: np.ndarray, y: np.ndarray, settings: PriorSettings
) -> tuple[np.ndarray, list[str]]:
    """Label of the pixel in which each transcript lies.

    Parameters
    ----------
    x, y
        (N,) float32 µm.

    Returns
    -------
    tuple
        (N,) int64 label (0 = none or outside), and notes.

    Raises
    ------
    InputError
        The image cannot be read, or lies nowhere near the transcripts.
    """
    image = load_image(path)
    if settings.prior_flip_y:
        image = image[::-1]
    a, b, c, d, e, f = _affine(settings)
    turn = np.linalg.inv(np.array([[a, b], [d, e]]))
    column, row = turn @ np.stack([x.astype(np.float64) - c, y.astype(np.float64) - f])
    i, j = np.floor(row).astype(np.int64), np.floor(column).astype(np.int64)
    inside = (i >= 0) & (j >= 0) & (i < image.shape[0]) & (j < image.shape[1])
    if inside.mean() < 0.01:
        corners = np.array(
            [[0, 0], [0, image.shape[0]], [image.shape[1], 0], [image.shape[1], image.shape[0]]]
        )
        px, py = np.array([[a, b], [d, e]]) @ corners.T + np.array([[c], [f]])
        raise InputError(no_overlap(path, (px.min(), py.min(), px.max(), py.max()), x, y))
    label = np.zeros(len(x), np.int64)
    label[inside] = np.maximum(image[i[inside], j[inside]], 0).astype(np.int64)
    notes = (
        [f"label image {path.name} covers {inside.mean():.0%} of the transcripts"]
        if inside.mean() < 0.999
        else []
    )
    return label, notes


def no_overlap(path: Path, box: tuple[float, float, float, float], x: np.ndarray, y: np.ndarray) -> str:
    """The sentence for a prior that lies elsewhere than the transcripts."""
    return (
        f"prior {path} does not overlap the transcripts: it covers x {box[0]:.1f} to {box[2]:.1f} um and y {box[1]:.1f} to "
        f"{box[3]:.1f} um, the transcripts x {x.min():.1f} to {x.max():.1f} um and y {y.min():.1f} to {y.max():.1f} um; give "
        "--prior-scale and --prior-offset, --prior-affine or --prior-flip-y"
    )


def _affine(settings: PriorSettings) -> tuple[float, ...]:
    """X = a column + b row + c, y = d column + e row + f, in µm."""
    if settings.prior_affine is not None:
        numbers = _numbers(settings.prior_affine, 6, "prior_affine", "a,b,c,d,e,f")
        if abs(numbers[0] * numbers[4] - numbers[1] * numbers[3]) < 1e-12:
            raise SettingsError(
                f"prior_affine '{settings.prior_affine}' squeezes the image flat; check its six numbers"
            )
        return numbers
    scale = settings.prior_scale or 1.0
    x0, y0 = offset_of(settings)
    return scale, 0.0, x0, 0.0, scale, y0


def offset_of(settings: PriorSettings) -> tuple[float, ...]:
    """Offset x, y in µm; 0, 0 where none is given."""
    return _numbers(settings.prior_offset, 2, "prior_offset", "x,y") if settings.prior_offset else (0.0, 0.0)


def _numbers(text: str, count: int, name: str, form: str) -> tuple[float, ...]:
    try:
        numbers = tuple(float(v) for v in text.split(","))
    except ValueError:
        numbers = ()
    if len(numbers) != count:
        raise SettingsError(f"{name} '{text}' must be {count} numbers, written {form}")
    return numbers
