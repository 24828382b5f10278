"""Where a prior file lies: from its pixels or units to µm."""

from pathlib import Path

import numpy as np

from cellcarve.errors import SettingsError
from cellcarve.settings import PriorSettings


def placement(settings: PriorSettings) -> np.ndarray:
    """What turns (column, row, 1) of a label image, or (x, y, 1) of a polygon file, into µm.

    Parameters
    ----------
    settings
        Affine, or scale and offset; 1 µm a unit from (0, 0) where nothing is said.

    Returns
    -------
    numpy.ndarray
        (2, 3) float64.

    Raises
    ------
    SettingsError
        The numbers cannot be understood or squeeze the plane flat.
    """
    if settings.prior_affine is None:
        scale = settings.prior_scale or 1.0
        x0, y0 = (0.0, 0.0)
        if settings.prior_offset is not None:
            x0, y0 = _numbers(settings.prior_offset, "prior_offset", "x,y")
        return np.array([[scale, 0, x0], [0, scale, y0]])
    affine = np.array(_numbers(settings.prior_affine, "prior_affine", "a,b,c,d,e,f")).reshape(2, 3)
    if abs(np.linalg.det(affine[:, :2])) < 1e-12:
        raise SettingsError(
            f"prior_affine '{settings.prior_affine}' squeezes the prior flat; check its six numbers"
        )
    return affine


def apply(affine: np.ndarray, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Positions after an affine map of shape (2, 3)."""
    (a, b, c), (d, e, f) = affine
    return a * x + b * y + c, d * x + e * y + f


def elsewhere(path: Path, prior: tuple[np.ndarray, np.ndarray], x: np.ndarray, y: np.ndarray) -> str:
    """The sentence for a prior that lies elsewhere than the transcripts, both extents in µm."""
    px, py = prior
    return (
        f"prior {path} does not overlap the transcripts: it covers {extent(px, py)}, the transcripts cover "
        f"{extent(x, y)}; set --prior-scale, --prior-offset, --prior-affine or --prior-flip-y"
    )


def extent(x: np.ndarray, y: np.ndarray) -> str:
    """Where positions in µm lie, for people."""
    return f"x {x.min():.1f} to {x.max():.1f} and y {y.min():.1f} to {y.max():.1f} µm"


def _numbers(text: str, name: str, form: str) -> tuple[float, ...]:
    count = form.count(",") + 1
    try:
        numbers = tuple(float(v) for v in text.split(","))
    except ValueError:
        numbers = ()
    if len(numbers) != count or not np.isfinite(numbers).all():
        raise SettingsError(f"{name} '{text}' is not {count} numbers; write it as {form}")
    return numbers
