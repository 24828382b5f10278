"""How large cells are, from a prior segmentation or as told."""

import numpy as np
from scipy.spatial import cKDTree

from cellcarve.errors import InputError, SettingsError
from cellcarve.mixture.molecules import Molecules
from cellcarve.settings import MixtureSettings
from cellcarve.settings.mixture import spread

_USUAL_SPREAD = "25%"
_LEAST_SPREAD = 0.05
_FEWEST_CENTRES = 3


def settle_scale(settings: MixtureSettings, molecules: Molecules, segment: np.ndarray) -> tuple[float, float]:
    """Radius of cells and its spread, both in µm.

    Parameters
    ----------
    settings
        May name either.
    molecules
        N transcripts.
    segment
        (N,) int32 prior segments, 0 = none.

    Raises
    ------
    SettingsError
        No radius is named, and there is no prior to measure it from.
    InputError
        The prior has too few segments to measure.
    """
    scale = settings.cell_scale
    if scale is None and not segment.any():
        raise SettingsError(
            "the mixture method needs the radius of a cell where there is no prior: give cell_scale (µm)"
        )
    measured = 0.0
    if scale is None:
        scale, measured = from_centres(molecules, segment)
    if settings.compat and settings.cell_scale is None and measured > 0:
        return scale, measured
    if settings.cell_scale_std is not None:
        return scale, spread(settings.cell_scale_std, scale)
    return scale, max(measured or spread(_USUAL_SPREAD, scale), _LEAST_SPREAD * scale)


def from_centres(molecules: Molecules, segment: np.ndarray) -> tuple[float, float]:
    """Half the distance of a segment's centre to the nearest other one: median, and spread by the median deviation."""
    inside = np.flatnonzero(segment > 0)
    owner = segment[inside]
    count = np.bincount(owner)
    held = np.flatnonzero(count)
    if len(held) < _FEWEST_CENTRES:
        raise InputError(
            f"the prior has {len(held)} segments with enough transcripts and 3 are needed to measure the size of "
            "cells; give cell_scale (µm)"
        )
    centres = np.column_stack([np.bincount(owner, axis[inside])[held] / count[held] for axis in molecules.at])
    half = cKDTree(centres).query(centres, k=2)[0][:, 1] / 2
    scale = float(np.median(half))
    return scale, float(1.4826 * np.median(np.abs(half - scale)))


def usual_count(density: float, scale: float) -> int:
    """A lower bound of transcripts per cell: a quarter of what a disc of the radius holds at the usual density."""
    return int(np.clip(round(density * np.pi * scale**2 / 4), 3, 200))
