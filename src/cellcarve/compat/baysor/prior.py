"""The prior segmentation laid over the molecules, and the scale that goes with it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cellcarve.compat.baysor.derive import least, per_segment
from cellcarve.compat.baysor.implied import PRIOR, believe
from cellcarve.compat.baysor.loading import Molecules
from cellcarve.compat.baysor.log import Log
from cellcarve.compat.baysor.options import Options
from cellcarve.compat.baysor.prior_column import drop_small, segments
from cellcarve.compat.baysor.prior_image import labels_under, load_labels
from cellcarve.compat.baysor.scale import Scale, given_scale, measured, radii_of_segments, wants_prior
from cellcarve.data.prior import Prior
from cellcarve.errors import InputError

_XENIUM_UNASSIGNED = "-1"


@dataclass
class Laid:
    """A prior over K molecules.

    Attributes
    ----------
    segment
        (K,) int32, 0 = none; what the column ``prior_segmentation`` holds. None without a prior.
    prior
        The same for the method, its cells numbered without gaps.
    scale
        Radius of cells and its spread.
    image
        Labels of the image, small ones taken out, for drawing; None without an image.
    """

    segment: np.ndarray | None
    prior: Prior
    scale: Scale
    image: np.ndarray | None = None


def lay_prior(molecules: Molecules, options: Options, log: Log) -> Laid:
    """Lay the prior over the molecules, and find the scale.

    Parameters
    ----------
    molecules
        K molecules.
    options
        What the prior is and how it is read.
    log
        Told how much of the data it covers.

    Raises
    ------
    InputError
        The prior cannot be read, lies elsewhere, or allows no scale to be measured.
    """
    if options.prior.startswith(":"):
        laid = _from_column(molecules, options, log)
    elif options.prior:
        laid = _from_image(molecules, options, log)
    else:
        laid = _unnamed(molecules, options)
    believe(laid.prior, molecules.implied)
    return laid


def _unnamed(molecules: Molecules, options: Options) -> Laid:
    """No prior, or by the old rules what an earlier run may have left in the table."""
    segment = molecules.implied.get(PRIOR, np.zeros(len(molecules))).astype(np.int32)
    source = f"column {PRIOR}" if PRIOR in molecules.implied else "none"
    scale = given_scale(options.config)
    return Laid(segment if PRIOR in molecules.implied else None, _prior(segment, source, options), scale)


def _from_column(molecules: Molecules, options: Options, log: Log) -> Laid:
    config = options.config
    free = [config.segmentation.unassigned_prior_label]
    if options.coordinates.is_dir():
        free.append(_XENIUM_UNASSIGNED)
    if molecules.prior_code is None:
        raise InputError(
            f"{molecules.path} was read without its column '{options.prior[1:]}'; name it as :NAME"
        )
    found = segments(molecules.prior_code, molecules.prior_words, tuple(free), options.compat, log)
    segment = drop_small(found, per_segment(config))
    _tell(segment, log)
    if wants_prior(config):
        radius = radii_of_segments(molecules.table, segment, least(config), log)
        scale = measured(radius, config, options.compat, log)
    else:
        scale = given_scale(config)
    return Laid(segment, _prior(segment, f"column {options.prior[1:]}", options), scale)


def _from_image(molecules: Molecules, options: Options, log: Log) -> Laid:
    config, path = options.config, Path(options.prior)
    image = load_labels(path)
    x, y = molecules.table.x, molecules.table.y
    label, inside = labels_under(image, (x, y), options.pixel, options.offset, options.compat)
    _tell_cover(image, inside, molecules, options, log)
    if not label.any():
        raise InputError(_nowhere(path, image, molecules))
    values, code = np.unique(label, return_inverse=True)
    first = int(values[0] > 0)
    segment = drop_small(code.astype(np.int32) + first, per_segment(config))
    _tell(segment, log)
    kept = values[np.unique(segment[segment > 0]) - first]
    image = np.where(np.isin(image, kept), image, 0)
    if wants_prior(config):
        if len(kept) == 0:
            raise InputError(
                f"no segment of {path} has {per_segment(config)} molecules, so that no scale can be measured; give --scale"
            )
        pixels = np.unique(image[image > 0], return_counts=True)[1]
        scale = measured(np.sqrt(pixels / np.pi) * options.pixel, config, options.compat, log)
    else:
        scale = given_scale(config)
    return Laid(segment, _prior(segment, f"image {path.name}", options), scale, image)


def first_pixel(options: Options) -> tuple[float, float]:
    """Where the middle of an image's first pixel lies; the old rule counts pixels from 1."""
    shift = options.pixel if options.compat else 0.0
    return options.offset[0] + shift, options.offset[1] + shift


def _prior(segment: np.ndarray, source: str, options: Options) -> Prior:
    """The prior for the method."""
    used = np.unique(segment[segment > 0])
    number = np.zeros(int(segment.max(initial=0)) + 1, np.int32)
    number[used] = np.arange(1, len(used) + 1)
    cell = number[segment]
    kind = "nuclei" if len(used) else "none"
    confidence = options.config.segmentation.prior_segmentation_confidence
    return Prior(cell, cell > 0, list(map(str, used.tolist())), kind, source, confidence)


def _tell(segment: np.ndarray, log: Log) -> None:
    number = len(np.unique(segment[segment > 0]))
    share = np.count_nonzero(segment) / len(segment)
    log.note(f"Prior segmentation: {number} segments with {share:.1%} of the molecules")
    if number == 0:
        log.warn(
            "no prior segment has enough molecules: the prior is not used; lower min_molecules_per_segment"
        )


def _tell_cover(image: np.ndarray, inside: int, molecules: Molecules, options: Options, log: Log) -> None:
    """Warn where image and molecules hardly fit together."""
    path, pixel = Path(options.prior), options.pixel
    outside = len(molecules) - inside
    if outside:
        log.warn(
            f"{outside} of {len(molecules)} molecules lie outside of {path.name} ({_size(image)}); they have no prior"
        )
    wide, high = (float(np.ptp(v)) / pixel for v in (molecules.table.x, molecules.table.y))
    if (
        inside == len(molecules)
        and (wide < image.shape[1] / 2 or high < image.shape[0] / 2)
        and len(molecules) > 1
    ):
        log.warn(
            f"the molecules span {wide:.0f} x {high:.0f} pixels of an image of {_size(image)}; check --prior-pixel-size"
        )


def _nowhere(path: Path, image: np.ndarray, molecules: Molecules) -> str:
    x, y = molecules.table.x, molecules.table.y
    return (
        f"{path} ({_size(image)}): no molecule lies on a segment; x goes from {x.min():.1f} to {x.max():.1f} and y from "
        f"{y.min():.1f} to {y.max():.1f}; the coordinates have to be in its pixels, or --prior-pixel-size and "
        "--prior-offset say how they relate"
    )


def _size(image: np.ndarray) -> str:
    return f"{image.shape[1]} x {image.shape[0]} pixels"
