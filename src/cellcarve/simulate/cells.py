"""The cells of the tissue, found again by any block that needs them."""

from dataclasses import dataclass, fields

import numpy as np
from scipy.spatial import cKDTree

from cellcarve.simulate.fields import height, unwarp
from cellcarve.simulate.hashing import keys, normals, uniforms
from cellcarve.simulate.kinds import KINDS, Kind
from cellcarve.simulate.plan import Plan

# Height of a cell over its diameter: sections hold mostly one layer of cells, with tilted borders.
TALL = 2.6
# How far seeds lie from their place on the lattice, in spacings: along the tissue and across it.
JITTER = 0.13
# Standard deviation of the logarithm of a cell's own elongation, on top of its region's.
SKEW = 0.27
# Seeds nearer to each other than this share of their cells' diameter are not both cells.
CLOSEST = 0.6
JITTER_Z = 0.12


@dataclass
class Cells:
    """Cells in a part of the tissue; n cells.

    Attributes
    ----------
    number
        (n,) int64, the cell's number in the whole tissue, from 1.
    key
        (n,) uint64, addresses the cell's random numbers.
    kind
        (n,) int64, index into `KINDS`.
    body
        (n, 9) float64: seed x, y, z in undeformed space; squared metric xx, xy, yy, zz; size; reach (µm).
    x, y, z
        (n,) float64, the seed's place in the tissue (µm).
    """

    number: np.ndarray
    key: np.ndarray
    kind: np.ndarray
    body: np.ndarray
    x: np.ndarray
    y: np.ndarray
    z: np.ndarray

    def __len__(self) -> int:
        return len(self.number)

    def take(self, index: np.ndarray) -> "Cells":
        """Some of the cells, by position or mask."""
        return Cells(*(getattr(self, item.name)[index] for item in fields(self)))


def join(parts: list[Cells]) -> Cells:
    """Cells of several blocks together."""
    return Cells(*(np.concatenate([getattr(p, item.name) for p in parts]) for item in fields(Cells)))


def cells_of(plan: Plan, column: int, row: int) -> Cells:
    """The cells whose place on the lattice lies in a block, numbered from 1 within it."""
    cells = join([_of_kind(plan, kind, plan.box(column, row)) for kind in range(len(KINDS))])
    cells.number[:] = np.arange(1, len(cells) + 1)
    return cells


def crowded(cells: Cells) -> np.ndarray:
    """(n,) bool, seeds too near to one of another region: the one of lower key gives way."""
    usual = np.array([kind.usual for kind in KINDS])
    seed = cells.body[:, :3] * (1, 1, 1 / TALL)
    pairs = cKDTree(seed).query_pairs(CLOSEST * float(usual.max()), output_type="ndarray")
    a, b = pairs[:, 0], pairs[:, 1]
    apart = np.sqrt(((seed[a] - seed[b]) ** 2).sum(axis=1))
    room = CLOSEST * np.minimum(usual[cells.kind[a]], usual[cells.kind[b]])
    other = cells.kind[a] != cells.kind[b]
    a, b = a[other & (apart < room)], b[other & (apart < room)]
    gone = np.zeros(len(cells), bool)
    gone[np.where(cells.key[a] < cells.key[b], a, b)] = True
    return gone


def _of_kind(plan: Plan, kind: int, box: tuple[float, float, float, float]) -> Cells:
    shape = KINDS[kind]
    i, j, layer, u, v = _sites(plan, shape, box)
    field = np.stack([height(wave, u, v) for wave in plan.region])
    here = field.argmax(axis=0) == kind
    i, j, layer, u, v = (part[here] for part in (i, j, layer, u, v))
    key = keys(plan.settings.seed, 17 + kind, i, j, layer)
    random = uniforms(key, 5)
    kept = random[4] < shape.kept
    key, layer, u, v, random = key[kept], layer[kept], u[kept], v[kept], random[:, kept]
    cos, sin = np.cos(shape.angle), np.sin(shape.angle)
    along, across = (
        (random[0] - 0.5) * 2 * JITTER * shape.along,
        (random[1] - 0.5) * 2 * JITTER * shape.across,
    )
    u, v = u + cos * along - sin * across, v + sin * along + cos * across
    z = plan.settings.depth / 2 + (layer + (random[2] - 0.5) * 2 * JITTER_Z) * shape.usual * TALL
    x, y = unwarp(plan.warp, u, v, z)
    body = np.column_stack([u, v, z, *_metric(shape, key)])
    return Cells(np.zeros(len(key), np.int64), key, np.full(len(key), kind), body, x, y, z)


def _sites(plan: Plan, shape: Kind, box: tuple[float, float, float, float]) -> tuple[np.ndarray, ...]:
    """Lattice addresses i, j, layer with their places u, v in a box of undeformed space."""
    xmin, ymin, xmax, ymax = box
    cos, sin = np.cos(shape.angle), np.sin(shape.angle)
    corner = np.array([(x, y) for x in (xmin, xmax) for y in (ymin, ymax)])
    p, q = corner @ (cos, sin) / shape.along, corner @ (-sin, cos) / shape.across
    layers = int(np.ceil((plan.settings.depth / 2) / (shape.usual * TALL))) + 1
    grids = [np.arange(np.floor(s.min()) - 1, np.ceil(s.max()) + 2) for s in (p, q)]
    i, j, layer = (g.ravel() for g in np.meshgrid(*grids, np.arange(-layers, layers + 1), indexing="ij"))
    # Layers are offset against each other, so that cells do not stand in columns.
    a, b = (i + 0.5 * (layer % 2)) * shape.along, (j + 0.37 * layer) * shape.across
    u, v = cos * a - sin * b, sin * a + cos * b
    here = (u >= xmin) & (u < xmax) & (v >= ymin) & (v < ymax)
    address = (part[here].astype(np.int64) for part in (i, j, layer))
    return (*address, u[here], v[here])


def _metric(shape: Kind, key: np.ndarray) -> tuple[np.ndarray, ...]:
    """Each cell's own squared metric, size and reach: elongated, turned and scaled at random."""
    random = normals(key ^ np.uint64(0x5BF0), 4)
    stretch = (shape.along / shape.across) ** 0.5 * np.exp(SKEW * random[0])
    angle = shape.angle + 0.25 * random[1]
    size = 0.5 * shape.usual * np.exp(shape.spread * random[2])
    tall = TALL * np.exp(0.1 * random[3])
    cos, sin = np.cos(angle), np.sin(angle)
    long, short = 1 / stretch**2, stretch**2
    xx = cos**2 * long + sin**2 * short
    yy = sin**2 * long + cos**2 * short
    xy = cos * sin * (long - short)
    return xx, xy, yy, 1 / tall**2, size, np.full(len(key), shape.reach)
