"""Depth made comparable: tilt taken out, outliers clipped, the section one unit thick."""

import numpy as np

LOWEST, HIGHEST = 0.01, 0.99
DepthLaw = tuple[float, float, float, float, float]


def _plane(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> tuple[float, float, float]:
    """Least-squares slopes along x and y, and intercept, of z over all rows."""
    centre = [float(v.mean(dtype=np.float64)) for v in (x, y, z)]
    dx, dy, dz = (v.astype(np.float64) - c for v, c in zip((x, y, z), centre, strict=True))
    normal = np.array([[dx @ dx, dx @ dy], [dx @ dy, dy @ dy]])
    slope = np.linalg.lstsq(normal, np.array([dx @ dz, dy @ dz]), rcond=None)[0]
    return float(slope[0]), float(slope[1]), float(centre[2] - slope @ centre[:2])


def _level(x: np.ndarray, y: np.ndarray, z: np.ndarray, plane: tuple[float, float, float]) -> np.ndarray:
    """(T,) float64 z above a plane."""
    slope_x, slope_y, intercept = plane
    return z.astype(np.float64) - slope_x * x - slope_y * y - intercept


def law_of(x: np.ndarray, y: np.ndarray, z: np.ndarray | None) -> DepthLaw:
    """How depth is normalised.

    Parameters
    ----------
    x, y, z
        (T,) positions in µm; z may be None.

    Returns
    -------
    DepthLaw
        As `VoxelRun.z_of`; all zero where z is missing or the same everywhere.
    """
    if z is None or len(z) == 0 or z.min() == z.max():
        return 0.0, 0.0, 0.0, 0.0, 0.0
    plane = _plane(x, y, z)
    level = _level(x, y, z, plane)
    ends = [int(LOWEST * (len(z) - 1)), int(HIGHEST * (len(z) - 1))]
    low, high = (float(v) for v in np.partition(level, ends)[ends])
    return low, high, *plane


def depth_of(x: np.ndarray, y: np.ndarray, z: np.ndarray | None, law: DepthLaw) -> np.ndarray:
    """(T,) float32 depth from 0 to 1 of positions in µm, by a law; all zero where the law is."""
    if z is None or not any(law):
        return np.zeros(len(x), np.float32)
    low, high, *plane = law
    span = high - low if high > low else 1.0
    level = _level(x, y, z, (plane[0], plane[1], plane[2]))
    return ((np.clip(level, low, high) - low) / span).astype(np.float32)
