from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest
import shapely
from scipy.sparse import csr_matrix
from scipy.spatial import cKDTree

from cellcarve.data.prior import Prior
from cellcarve.data.segmentation import Segmentation
from cellcarve.data.table import Table


def leaky(cells=60, per_cell=80, side=90.0, leak=0.05, seed=0):
    """Transcripts with their nearest of `cells` centres as cell, some of them given to the next one: x, y, cell."""
    rng = np.random.default_rng(seed)
    place = rng.uniform(0, side, (cells * per_cell, 2)).astype(np.float32)
    near = cKDTree(rng.uniform(0, side, (cells, 2))).query(place, 2)[1]
    cell = np.where(rng.random(len(place)) < leak, near[:, 1], near[:, 0]) + 1
    return place[:, 0].copy(), place[:, 1].copy(), cell.astype(np.int32)


def run_parts(x, y, z, gene, cell, cells):
    """Table, prior and segmentation in which cell `cells` is new and the others come from the prior."""
    n = len(x)
    genes = int(gene.max(initial=0)) + 1
    table = Table(
        "memory", (), pa.array(np.arange(n)), x, y, z, gene.astype(np.int32), [f"g{i}" for i in range(genes)],
        None, None, [], np.zeros(n, np.int32), [], None, np.zeros(n, np.uint8),
    )  # fmt: skip
    names = [f"n{i}" for i in range(1, cells)]
    before = np.where(cell == cells, 0, cell).astype(np.int32)
    prior = Prior(before, before > 0, names, "nuclei", "made up")
    old = np.append(np.arange(1, cells), 0).astype(np.int32)
    segmentation = Segmentation(
        cell, cell, np.where(cell > 0, 0.75, 0).astype(np.float32), 0 * cell, cell == 0, [*names, "new-1"],
        np.where(old > 0, 0, 1).astype(np.uint8), old, np.ones(cells, np.float32), np.zeros(cells, np.int32),
        csr_matrix((cells, genes), dtype=np.float32),
    )  # fmt: skip
    return SimpleNamespace(table=table, prior=prior, segmentation=segmentation)


def polygons(outlines):
    ring = np.repeat(np.arange(len(outlines.cell)), np.diff(outlines.start))
    place = np.column_stack([outlines.x, outlines.y]).astype(float)
    return shapely.polygons(shapely.linearrings(place, indices=ring))


def overlap(shapes):
    """Largest area that two polygons share."""
    a, b = shapely.STRtree(shapes).query(shapes, "intersects")
    pair = a < b
    return shapely.area(shapely.intersection(shapes[a[pair]], shapes[b[pair]])).max(initial=0)


def check(outlines, cell):
    """One closed, counter-clockwise, valid ring per cell with transcripts; none overlaps another."""
    np.testing.assert_array_equal(outlines.cell, np.unique(cell[cell > 0]))
    first, last = outlines.start[:-1], outlines.start[1:] - 1
    np.testing.assert_array_equal(outlines.x[first], outlines.x[last])
    np.testing.assert_array_equal(outlines.y[first], outlines.y[last])
    shapes = polygons(outlines)
    assert shapely.is_valid(shapes).all()
    assert shapely.is_ccw(shapely.get_exterior_ring(shapes)).all()
    assert shapely.area(shapes).min() > 0
    assert overlap(shapes) < 1e-6
    return shapes


def held(outlines, shapes, x, y, cell):
    """Whether each transcript lies in its own cell's polygon."""
    position = np.searchsorted(outlines.cell, cell)
    return shapely.contains_xy(shapes[position], x.astype(float), y.astype(float))


@pytest.fixture(scope="session")
def tools():
    """The makers and checks of this file."""
    makers = {"leaky": leaky, "run_parts": run_parts}
    return SimpleNamespace(**makers, check=check, held=held, overlap=overlap, polygons=polygons)


@pytest.fixture(scope="session")
def tissue():
    """A small tissue with leaks."""
    x, y, cell = leaky()
    return SimpleNamespace(x=x, y=y, cell=cell, cells=60)
