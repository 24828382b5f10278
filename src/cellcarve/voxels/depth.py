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


def normalise(x: np.ndarray, y: np.ndarray, z: np.ndarray | None) -> tuple[np.ndarray, DepthLaw]:
    """Depth from 0 to 1.

    Parameters
    ----------
    x, y, z
        (T,) positions in µm; z may be None.

    Returns
    -------
    tuple
        (T,) float32 depth, and the law it follows, as `VoxelRun.z_of`. All zero where z is missing or the same
        everywhere.
    """
    if z is None or len(z) == 0 or z.min() == z.max():
        return np.zeros(len(x), np.float32), (0.0, 0.0, 0.0, 0.0, 0.0)
    slope_x, slope_y, intercept = _plane(x, y, z)
    level = z.astype(np.float64) - slope_x * x - slope_y * y - intercept
    ends = [int(LOWEST * (len(z) - 1)), int(HIGHEST * (len(z) - 1))]
    low, high = (float(v) for v in np.partition(level, ends)[ends])
    span = high - low if high > low else 1.0
    depth = ((np.clip(level, low, high) - low) / span).astype(np.float32)
    return depth, (low, high, slope_x, slope_y, intercept)
