"""What ways between a nucleus and a transcript cost: where RNA gathers along membranes, those across a ridge are long."""

from typing import NamedTuple

import numpy as np
from numba import njit

from cellcarve.chain.compiled import LEAF
from cellcarve.chain.ridges import COARSEST, NARROW, cost_of, relative_density, rise_between
from cellcarve.mixture.molecules import Points
from cellcarve.mixture.nuclei import Nuclei

# What is a micrometre where a cell's radius is the scale: coordinates may be in any unit.
_RADIUS = 5.0
# How steeply the cost of a way rises with density, for a rise between nuclei by a factor of e beyond what even tissue
# may have, and at most: fitted on fields of an embryo; simulated families without ridges rise by 0.02 at most.
_STEEPNESS, _LEAST, _STEEPEST = 10.0, 0.03, 1.2


class Ways(NamedTuple):
    """Cost of ways by place.

    Attributes
    ----------
    cost
        (ny, nx) float32 cost per distance in each pixel; (1, 1) of ones where all ways cost the same.
    x0, y0
        Lower corner, µm.
    side
        Side of a pixel, µm.
    """

    cost: np.ndarray
    x0: float
    y0: float
    side: float


def lay_ways(at: Points, nuclei: Nuclei, scale: float) -> Ways:
    """Ways by the density of transcripts, where there are ridges between nuclei and transcripts enough to see them.

    Parameters
    ----------
    at
        N transcripts.
    nuclei
        Where they are, and how large.
    scale
        Radius of cells, µm.
    """
    x0, y0 = float(at.x.min()), float(at.y.min())
    width, height = float(at.x.max()) - x0, float(at.y.max()) - y0
    unit = scale / _RADIUS
    side = max(NARROW * unit, np.sqrt(width * height / len(at.x)))
    plain = Ways(np.ones((1, 1), np.float32), x0, y0, np.inf)
    if side > COARSEST * unit or nuclei.rim == 0:
        return plain
    nx, ny = int(width / side) + 1, int(height / side) + 1
    pixel = ((at.y - y0) / side).astype(np.int32) * np.int32(nx) + ((at.x - x0) / side).astype(np.int32)
    count = np.bincount(pixel, minlength=nx * ny).reshape(ny, nx).astype(np.float32)
    density = relative_density(count, side / unit)
    rise = rise_between(density, (nuclei.middle[:, 1::-1] - (y0, x0)) / side, nuclei.radius / side)
    steep = min(max(_STEEPNESS * (rise - _LEAST), 0.0), _STEEPEST)
    return Ways(cost_of(density, steep), x0, y0, float(side)) if steep > 0 else plain


@njit(**LEAF)
def mean_cost(ways, x, y, to_x, to_y):
    """Mean cost along a straight way."""
    ny, nx = ways.cost.shape
    steps = int(np.sqrt((to_x - x) ** 2 + (to_y - y) ** 2) / ways.side) + 1
    total = 0.0
    for s in range(steps):
        part = (s + 0.5) / steps
        column = int((x + part * (to_x - x) - ways.x0) / ways.side)
        row = int((y + part * (to_y - y) - ways.y0) / ways.side)
        total += ways.cost[min(max(row, 0), ny - 1), min(max(column, 0), nx - 1)]
    return total / steps
