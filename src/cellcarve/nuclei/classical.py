"""Nuclei by local threshold, blob centres and watershed: no training, no weights, any tissue that DAPI stains well."""

from dataclasses import dataclass

import numpy as np

from cellcarve.nuclei.picture import Picture
from cellcarve.nuclei.settings import NucleiSettings

# µm per pixel in which nuclei are drawn, and in which their surroundings are measured.
_WORK, _COARSE = 0.5, 2.0
# How much the threshold of the whole picture counts beside that of the surroundings.
_GLOBAL = 0.4
# A nucleus ends where its brightness falls to this share of the way from its surroundings to its top.
_EDGE = 0.35
_SMOOTH, _FINE = 0.8, 0.5
_ROWS = 4096
_MOST_LOGIT = 6.0


@dataclass(frozen=True)
class Light:
    """How bright a nucleus must be, over a whole picture.

    Attributes
    ----------
    threshold
        (rows, columns) float32, log brightness.
    factor
        Pixels of the picture per pixel of `threshold`.
    """

    threshold: np.ndarray
    factor: int

    def at(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """(len(rows), len(columns)) float32 at places in pixels of the picture, smoothly in between."""
        from scipy.ndimage import map_coordinates

        places = np.meshgrid(rows / self.factor - 0.5, columns / self.factor - 0.5, indexing="ij")
        return map_coordinates(self.threshold, places, order=1, mode="nearest")


def measure_light(picture: Picture, pixel: float, settings: NucleiSettings) -> Light:
    """Thresholds from the whole picture at a coarse scale, so that they do not depend on tiles.

    Parameters
    ----------
    picture
        The picture.
    pixel
        µm per pixel.
    settings
        Diameter and contrast.
    """
    from scipy.ndimage import gaussian_filter
    from skimage.filters import threshold_otsu

    factor = max(1, round(_COARSE / pixel))
    step = _ROWS // factor * factor or factor
    height, width = picture.shape
    strips = [
        shrunk(picture.read(slice(a, min(a + step, height)), slice(0, width)), factor)
        for a in range(0, height, step)
    ]
    log = np.log1p(np.concatenate(strips))
    whole = threshold_otsu(log) if np.ptp(log) > 0 else float(log.max())
    around = gaussian_filter(log, settings.diameter / (pixel * factor))
    threshold = _GLOBAL * whole + (1 - _GLOBAL) * around + np.log(settings.contrast)
    floor = float(np.percentile(log, 5)) + np.log(settings.contrast)
    return Light(np.maximum(threshold, floor).astype(np.float32), factor)


def shrunk(image: np.ndarray, factor: int) -> np.ndarray:
    """Means of squares of pixels; those at the edges are filled up with their last row and column."""
    rows, columns = (-n % factor for n in image.shape)
    full = np.pad(image, ((0, rows), (0, columns)), mode="edge")
    height, width = full.shape
    return full.reshape(height // factor, factor, width // factor, factor).mean(axis=(1, 3), dtype=np.float32)


def working_factor(pixel: float) -> int:
    """Pixels of the picture per pixel in which nuclei are drawn."""
    return max(1, round(_WORK / pixel))


def draw(
    image: np.ndarray, threshold: np.ndarray, pixel: float, settings: NucleiSettings
) -> tuple[np.ndarray, np.ndarray]:
    """Nuclei of a piece of a picture.

    Parameters
    ----------
    image
        (rows, columns) float32 brightness.
    threshold
        (rows, columns) float32, log brightness that a nucleus has at least.
    pixel
        µm per pixel of both.
    settings
        Diameter and least area.

    Returns
    -------
    tuple
        (rows, columns) int32 labels from 1, 0 = none; and float32 logits of belonging to a nucleus.
    """
    from scipy.ndimage import binary_fill_holes, binary_opening, gaussian_filter, gaussian_laplace
    from skimage.feature import peak_local_max
    from skimage.segmentation import watershed

    log = np.log1p(image)
    bright = binary_fill_holes(binary_opening(gaussian_filter(log, _SMOOTH / pixel) > threshold))
    blob = -gaussian_laplace(log, settings.diameter / 4 / pixel)
    near = max(1, int(settings.diameter / 2 / pixel))
    peaks = peak_local_max(
        blob, min_distance=near, labels=bright.astype(np.int32), threshold_abs=0.0, exclude_border=False
    )
    seeds = np.zeros(image.shape, np.int32)
    seeds[tuple(peaks.T)] = np.arange(1, len(peaks) + 1)
    label = watershed(-blob, seeds, mask=bright).astype(np.int32)
    label, logit = _trimmed(label, gaussian_filter(image, _FINE / pixel), pixel, settings)
    return _large(label, settings.least_area / pixel**2), logit


def _trimmed(
    label: np.ndarray, image: np.ndarray, pixel: float, settings: NucleiSettings
) -> tuple[np.ndarray, np.ndarray]:
    """Labels cut off where brightness falls below a share of each nucleus's own; and logits."""
    from scipy.ndimage import gaussian_filter, maximum, minimum, minimum_filter

    smooth = gaussian_filter(image, 1 / pixel)
    number = np.arange(label.max() + 1)
    top = maximum(smooth, label, number)
    reach = int(1.25 * settings.diameter / pixel) | 1
    low = minimum(minimum_filter(smooth, reach), label, number)
    span = np.maximum(np.asarray(top) - np.asarray(low), 1e-6)
    height = ((image - np.asarray(low)[label]) / span[label] - _EDGE).astype(np.float32)
    logit = np.where(label > 0, np.clip(_MOST_LOGIT * height, -_MOST_LOGIT, _MOST_LOGIT), -_MOST_LOGIT)
    return np.where(height > 0, label, 0), logit.astype(np.float32)


def _large(label: np.ndarray, least: float) -> np.ndarray:
    """The largest piece of each label, where it is large enough, numbered from 1."""
    from skimage.measure import label as pieces_of

    piece = pieces_of(label, connectivity=1)
    size = np.bincount(piece.ravel())
    owner = np.zeros(len(size), np.int64)
    owner[piece.ravel()] = label.ravel()
    size[owner == 0] = 0
    order = np.lexsort((-size, owner))
    first = np.append(True, owner[order][1:] != owner[order][:-1])
    best = order[first & (owner[order] > 0)]
    best = np.sort(best[size[best] >= max(least, 1)])
    number = np.zeros(len(size), np.int32)
    number[best] = np.arange(1, len(best) + 1)
    return number[piece]
