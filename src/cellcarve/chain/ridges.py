"""Density of transcripts relative to its surroundings, and ways across ridges of it.

In most tissues transcripts thin out beyond the nucleus and the middle between two nuclei is the best guess at their
border. Where they grow denser instead, they do so towards the membrane, and the border follows the ridge: ways across
it are long.
"""

import math

import numpy as np

# Widths in µm over which transcripts are counted: of a place, and of its wider surroundings.
NARROW, WIDE = 0.8, 8.0
# Side of a pixel (µm) above which those next to nuclei hold part of their RNA, so that nothing can be compared.
COARSEST = 1.25
# Weight of the surroundings in a place's density.
FLOOR = 0.3
# Nearest nuclei of each between which is looked, pixels by which they are apart at least, and fewest such pairs.
NEIGHBOURS, WIDEST, FEWEST = 4, 2.5, 50
# Parts of the gap between two nuclei that are beside the first, and half way.
BESIDE, HALF_WAY = (0.05, 0.1, 0.15), (0.4, 0.45, 0.5)


def relative_density(count: np.ndarray, side: float) -> np.ndarray:
    """(ny, nx) float32 density of transcripts, relative to that of the wider surroundings; 1 where there are none.

    Parameters
    ----------
    count
        (ny, nx) float32 transcripts in each pixel.
    side
        Side of a pixel, µm.
    """
    from scipy.ndimage import gaussian_filter

    narrow, wide = (gaussian_filter(count, s / side, mode="constant") for s in (NARROW, WIDE))
    np.maximum(wide, np.float32(1e-6), out=wide)
    narrow /= wide
    narrow[wide <= 1e-3 * count.mean()] = 1
    return narrow


def rise_between(density: np.ndarray, middle: np.ndarray, radius: np.ndarray) -> float:
    """Ln of the density half way between neighbouring nuclei over that beside them; 0 where too few are apart.

    Parameters
    ----------
    density
        (ny, nx) of `relative_density`.
    middle, radius
        (n, 2) rows and columns of the middles of nuclei, and (n,) their radii, in pixels.
    """
    from scipy.ndimage import map_coordinates
    from scipy.spatial import cKDTree

    if len(middle) <= NEIGHBOURS:
        return 0.0
    away, other = (found[:, 1:] for found in cKDTree(middle).query(middle, NEIGHBOURS + 1))
    gap = away - radius[:, None] - radius[other]
    a, k = np.nonzero(gap > WIDEST)
    if len(a) < FEWEST:
        return 0.0
    away, gap, b = away[a, k], gap[a, k], other[a, k]
    way = (middle[b] - middle[a]) / away[:, None]

    def at(parts: tuple[float, ...]) -> float:
        """Mean density at these parts of the gap."""
        places = [middle[a] + way * (radius[a] + part * gap)[:, None] for part in parts]
        return float(map_coordinates(density, np.concatenate(places).T - 0.5, order=1, mode="nearest").mean())

    return math.log(max(at(HALF_WAY), 1e-3) / max(at(BESIDE), 1e-3))


def cost_of(density: np.ndarray, steepness: float) -> np.ndarray:
    """(ny, nx) float32 cost of a way by density."""
    cost = density + np.float32(FLOOR)
    cost /= np.float32(1 + FLOOR)
    cost **= np.float32(steepness)
    return cost
