"""The usual radius of a cell, measured from a prior segmentation."""

from dataclasses import dataclass

import numpy as np

from cellcarve.compat.baysor.config import Config
from cellcarve.compat.baysor.log import Log
from cellcarve.compat.baysor.values import spread
from cellcarve.data.table import Table
from cellcarve.errors import InputError

# Makes the median of absolute deviations that of a normal distribution.
MAD = 1.4826
# A spread of nothing would leave no cell any freedom.
LEAST_SPREAD = 0.05
_CENTRES = 3


@dataclass(frozen=True)
class Scale:
    """Radius of cells and its spread, in the units of the coordinates."""

    value: float
    spread: float


def wants_prior(config: Config) -> bool:
    """The scale is to be measured from the prior."""
    return config.segmentation.scale <= 0


def given_scale(config: Config) -> Scale:
    """The scale that was asked for."""
    part = config.segmentation
    return Scale(part.scale, spread(part.scale_std, part.scale))


def measured(radius: np.ndarray, config: Config, compat: str, log: Log) -> Scale:
    """Median and spread of radii; a spread that someone asked for wins, but for the old rules.

    Parameters
    ----------
    radius
        (S,) radii, at least one.
    config
        Says whether the spread was asked for.
    compat
        ``"0.7"`` for the old rules, by which the spread is that of the radii, whatever was asked for.
    log
        Told what was measured.
    """
    value = float(np.median(radius))
    found = MAD * float(np.median(np.abs(radius - value)))
    if not (compat and found > 0):
        found = max(found, LEAST_SPREAD * value)
    asked = "segmentation.scale_std" in config.given and not compat
    scale = Scale(value, spread(config.segmentation.scale_std, value) if asked else found)
    log.note(
        f"Scale {scale.value:.4g} with spread {scale.spread:.4g}, measured from {len(radius)} prior segments"
    )
    return scale


def radii_of_segments(table: Table, segment: np.ndarray, least: int, log: Log) -> np.ndarray:
    """Half of the distance from each segment's centre to the nearest other centre.

    Where fewer than three segments have enough molecules, the extent of the segments themselves is taken.

    Parameters
    ----------
    table
        K molecules.
    segment
        (K,) int, 0 = none.
    least
        Molecules that a segment needs to count.
    log
        Warned where there are few.

    Returns
    -------
    numpy.ndarray
        (S,) radii.

    Raises
    ------
    InputError
        No segment has enough molecules.
    """
    from scipy.spatial import KDTree

    size = np.bincount(segment)
    size[0] = 0
    chosen = np.flatnonzero(size >= least)
    if len(chosen) == 0:
        raise InputError(
            f"no prior segment has {least} molecules, so that no scale can be measured; give --scale or a lower -m"
        )
    axes = [axis for axis in (table.x, table.y, table.z) if axis is not None]
    centre = (
        np.column_stack([np.bincount(segment, weights=axis) for axis in axes])[chosen] / size[chosen, None]
    )
    if len(chosen) >= _CENTRES:
        distance, _ = KDTree(centre).query(centre, k=2)
        radius = distance[:, 1] / 2
        if np.median(radius) > 0:
            return radius
    log.warn(
        f"only {len(chosen)} prior segments have {least} molecules: the scale is that of their own extent; "
        "--scale would be safer"
    )
    return _extent(axes, segment, chosen)


def _extent(axes: list[np.ndarray], segment: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Twice the standard deviation along an axis: the radius of an evenly filled disc."""
    number = np.bincount(segment)
    variance = np.zeros(len(number))
    for axis in axes[:2]:
        centred = axis - np.float64(axis.mean())
        first, second = np.bincount(segment, centred), np.bincount(segment, centred**2)
        with np.errstate(invalid="ignore", divide="ignore"):
            variance += (second / number - (first / number) ** 2) / 2
    radius = 2 * np.sqrt(np.maximum(variance[chosen], 0))
    if not (radius > 0).any():
        raise InputError("the prior segments have no extent, so that no scale can be measured; give --scale")
    return radius[radius > 0]
