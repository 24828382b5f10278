"""A field of transcripts with two round nuclei, and their outlines in every form."""

import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from cellcarve.data.table import Table

CENTRES = {"left": 20.0, "right": 60.0}
RADIUS = 8.0


@pytest.fixture
def table():
    """4,000 transcripts in 80 x 40 µm, the first hundred of them not kept."""
    rng = np.random.default_rng(3)
    n = 4000
    status = np.zeros(n, np.uint8)
    status[:100] = 3
    return Table(
        platform="table",
        files=(),
        ids=pa.array(np.arange(n, dtype=np.uint64)),
        x=rng.uniform(0, 80, n).astype(np.float32),
        y=rng.uniform(0, 40, n).astype(np.float32),
        z=None,
        gene=rng.integers(0, 2, n).astype(np.int32),
        genes=["A", "B"],
        quality=None,
        fov=None,
        fovs=[],
        cell=np.zeros(n, np.int32),
        cell_names=[],
        nucleus=None,
        status=status,
    )


@pytest.fixture
def discs(table):
    """(N,) the true cell of each kept transcript: 1 left, 2 right."""
    near = [np.hypot(table.x - x, table.y - 20) < RADIUS for x in CENTRES.values()]
    return np.where(table.status == 0, np.select(near, [1, 2], 0), 0)


@pytest.fixture
def celled(table, discs):
    """The same table with the instrument's cells in it, ids far apart."""
    table.cell, table.cell_names = discs.astype(np.int32), ["left", "right"]
    return table


@pytest.fixture
def vertices():
    """One row a vertex, as Xenium names the columns."""
    angle = np.append(np.linspace(0, 2 * np.pi, 59, endpoint=False), 0)
    rings = [
        pd.DataFrame(
            {"cell_id": name, "vertex_x": x + RADIUS * np.cos(angle), "vertex_y": 20 + RADIUS * np.sin(angle)}
        )
        for name, x in CENTRES.items()
    ]
    return pd.concat(rings, ignore_index=True)


@pytest.fixture
def shapes(vertices):
    """The outlines as shapely polygons by name."""
    import shapely

    return {
        name: shapely.Polygon(ring[["vertex_x", "vertex_y"]].to_numpy())
        for name, ring in vertices.groupby("cell_id")
    }


@pytest.fixture
def write_json(tmp_path):
    """Write something as JSON; its path."""

    def write(content, name="nuclei.geojson"):
        path = tmp_path / name
        path.write_text(json.dumps(content))
        return path

    return write
