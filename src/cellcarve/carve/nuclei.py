"""Nuclei: which transcripts anchor each cell, and the centre and radius that they show."""

from dataclasses import dataclass

import numpy as np


@dataclass
class Nuclei:
    """Where each cell's nucleus lies; C cells, entry 0 unused.

    Attributes
    ----------
    transcripts
        (C + 1,) int64 transcripts in the nucleus.
    x, y
        (C + 1,) float32 centre in µm.
    radius
        (C + 1,) float32 µm, shrunk towards the usual radius as far as sampling error asks.
    usual
        Geometric mean of the radii of all nuclei, µm.
    """

    transcripts: np.ndarray
    x: np.ndarray
    y: np.ndarray
    radius: np.ndarray
    usual: float


def moments(label: np.ndarray, x: np.ndarray, y: np.ndarray, cells: int) -> tuple[np.ndarray, ...]:
    """Number of points, means and unbiased second moments of each label 1 .. `cells` (0 is left out).

    Parameters
    ----------
    label
        (n,) int32.
    x, y
        (n,) positions in µm.

    Returns
    -------
    tuple
        n, mean x, mean y, var x, var y, cov xy; (cells + 1,) float64 each.
    """
    n = np.bincount(label, minlength=cells + 1).astype(np.float64)
    safe = np.maximum(n, 1)

    def mean(v: np.ndarray) -> np.ndarray:
        return np.bincount(label, v, cells + 1) / safe

    mx, my = mean(x.astype(np.float64)), mean(y.astype(np.float64))
    dx, dy = x - mx[label], y - my[label]
    unbiased = safe / np.maximum(safe - 1, 1)
    return n, mx, my, mean(dx * dx) * unbiased, mean(dy * dy) * unbiased, mean(dx * dy) * unbiased


def extent(label: np.ndarray, x: np.ndarray, y: np.ndarray, cells: int) -> np.ndarray:
    """sqrt(det covariance) of each label's points, (cells + 1,) µm²: proportional to the area of a uniform disc."""
    return size_of(*moments(label, x, y, cells)[3:])


def size_of(xx: np.ndarray, yy: np.ndarray, xy: np.ndarray) -> np.ndarray:
    """sqrt(det covariance), µm², from second moments (var x, var y, cov xy)."""
    return np.sqrt(np.maximum(xx * yy - xy * xy, 1e-9))


def measure(label: np.ndarray, x: np.ndarray, y: np.ndarray, cells: int) -> Nuclei:
    """Centres and radii of nuclei from their transcripts.

    The radius is that of a disc with the nucleus' second moments. Log size and elongation are shrunk by empirical
    Bayes: for n points spread evenly over a disc the log size has sampling variance 1/(3n), more where they are few
    (0.6/n at seven), and an isotropic nucleus shows a squared elongation of 4/(3n) by chance.

    Parameters
    ----------
    label
        (n,) int32 cell of each nuclear transcript, 1 .. cells.
    x, y
        (n,) µm.
    cells
        Number of cells.

    Returns
    -------
    Nuclei
        Of all cells, entry 0 unused. A nucleus of one transcript has the median size; all radii are 3 µm where none has
        four.
    """
    n, mx, my, xx, yy, xy = moments(label, x, y, cells)
    size = np.maximum((xx + yy) / 2, 1e-6)
    sound = np.flatnonzero(n >= 4)
    if len(sound) == 0:
        radius = np.full(cells + 1, 3.0)
    else:
        middle = np.median(np.log(size[sound]))
        log_size = np.where(n >= 2, np.maximum(np.log(size), middle - 4), middle)
        long = np.hypot((xx - yy) / 2, xy) / size
        few = np.maximum(n, 1)
        spread = max(float(np.mean(long[sound] ** 2 - 1.333 / n[sound])), 0.01)
        long = np.minimum(long * spread / (spread + 1.333 / few), 0.8)
        spread = max(float(np.var(log_size[sound]) - np.mean(0.333 / n[sound])), 0.01)
        log_size = middle + (log_size - middle) * spread / (spread + 0.6 / few)
        radius = 2 * np.exp(log_size / 2) * (1 - long**2) ** 0.25
    live = n > 0
    live[0] = False
    usual = float(np.exp(np.log(radius[live]).mean())) if live.any() else 3.0
    x32, y32, radius32 = (v.astype(np.float32) for v in (mx, my, radius))
    return Nuclei(n.astype(np.int64), x32, y32, radius32, usual)
