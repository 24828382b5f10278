"""Where the cells of a family lie, and their bodies."""

import numpy as np

from cellcarve.simulate.cells import Cells
from cellcarve.simulate.families.kinds import Family
from cellcarve.simulate.hashing import keys, normals, uniforms
from cellcarve.simulate.nuclei import Nuclei

# Radius of every nucleus (µm).
NUCLEUS = 3.0
# Height of a row of a hexagonal lattice, and of a layer of balls, over the spacing.
ROW, LAYER = 3**0.5 / 2, 0.85
# Empty rim around the cells (µm).
RIM = 12.0


def lay_cells(family: Family, number: int, seed: int, depth: float, angle: float | None) -> Cells:
    """About `number` cells on a jittered lattice.

    Parameters
    ----------
    family
        Their shapes and packing.
    number
        How many, about.
    seed
        Seed of the simulation.
    depth
        Thickness of the section (µm).
    angle
        Direction of the long axes (radians); None = each cell has its own.

    Returns
    -------
    Cells
        Numbered from 1; the corner of the square that holds them lies at x = y = 0.
    """
    i, j, layer, layers = _sites(family, number, depth)
    key = keys(seed, 41, i, j, layer)
    off = (uniforms(key, 3) - 0.5) * 2 * family.jitter * family.spacing
    x = RIM + (i + 0.5 + 0.5 * ((j + layer) % 2)) * family.spacing + off[0]
    y = RIM + (j + 0.5 + layer * 2 / 3) * ROW * family.spacing + off[1]
    z = (layer + 0.5) * depth / layers + (0.5 * off[2] if family.layers else 0.0)
    body = np.column_stack([x, y, z, *_metric(family, key, angle)])
    return Cells(np.arange(1, len(key) + 1), key, layer, body, x, y, z)


def _sites(family: Family, number: int, depth: float) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """Column, row and layer of every place of the lattice, and the number of layers."""
    layers = max(1, round(depth / (LAYER * family.spacing))) if family.layers else 1
    columns = max(1, round((number / layers * ROW) ** 0.5))
    rows = max(1, round(number / layers / columns))
    grid = np.meshgrid(*(np.arange(n) for n in (layers, rows, columns)), indexing="ij")
    layer, j, i = (part.ravel() for part in grid)
    return i, j, layer, layers


def _metric(family: Family, key: np.ndarray, angle: float | None) -> tuple[np.ndarray, ...]:
    """Squared metric xx, xy, yy, zz, size and reach of each cell, as in `Cells`."""
    random = normals(key ^ np.uint64(0x4C11), 2)
    size = family.radius * np.exp(family.spread * random[0])
    stretch = np.sqrt(family.stretch * np.exp(family.wild * random[1]))
    turn = np.pi * uniforms(key ^ np.uint64(0x2B6D), 1)[0] if angle is None else np.full(len(key), angle)
    cos, sin = np.cos(turn), np.sin(turn)
    long, short = 1 / stretch**2, stretch**2
    xx = cos**2 * long + sin**2 * short
    yy = sin**2 * long + cos**2 * short
    xy = cos * sin * (long - short)
    return xx, xy, yy, np.full(len(key), float(family.layers)), size, np.full(len(key), family.reach)


def side_of(cells: Cells) -> float:
    """Side of the square that holds the cells with a rim around them (µm)."""
    return float(max(cells.x.max(), cells.y.max()) + RIM)


def round_nuclei(cells: Cells) -> Nuclei:
    """A round nucleus of `NUCLEUS` µm in the middle of every cell."""
    radius = np.full(len(cells), NUCLEUS)
    one, zero = np.ones(len(cells)), np.zeros(len(cells))
    shape = np.column_stack([cells.x, cells.y, cells.z, radius, radius, radius, one, zero])
    return Nuclei(shape, one)
