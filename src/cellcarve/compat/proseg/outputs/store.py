"""The SpatialData store, in zarr format 2 as proseg lays it out."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from cellcarve.compat.proseg.outputs import genes, zarr2
from cellcarve.compat.proseg.outputs.tables import write_table
from cellcarve.compat.proseg.outputs.transcripts import transcript_batches
from cellcarve.data.arrow import as_column, as_text
from cellcarve.data.table import Table
from cellcarve.voxels.result import VoxelRun

SHAPES = "cell_boundaries"
TABLE_KEYS = {"region": SHAPES, "region_key": "region", "instance_key": "cell"}
# Cells in a row group of the shapes' file.
SHAPES_AT_ONCE = 100_000


@dataclass(frozen=True)
class Told:
    """What the store says of the run, and what goes into it.

    Parameters
    ----------
    version
        Version of the program.
    arguments
        Its command line.
    seconds
        How long it took.
    columns
        Columns of the transcripts beyond the oldest ones; None leaves the transcripts out.
    factors
        Rows of the tables of factors that are written at a time; 0 leaves them out, as proseg did before 3.2.
    """

    version: str
    arguments: str
    seconds: float
    columns: tuple[str, ...] | None = ("qv",)
    factors: int = 0


def write_store(path: Path, run: VoxelRun, table: Table, polygons: np.ndarray, told: Told) -> None:
    """Write the store.

    Parameters
    ----------
    path
        Folder to make.
    run
        A finished chain of C cells.
    table
        What it read.
    polygons
        (C,) consensus outlines in µm.
    told
        What to say of the run.

    Raises
    ------
    OSError
        It cannot be written.
    """
    zarr2.group(path, {"spatialdata_attrs": {"version": "0.1"}})
    _write_shapes(zarr2.group(path / "shapes") / SHAPES, polygons)
    points = zarr2.group(path / "points")
    if told.columns is not None:
        keys = {"version": "0.1", "feature_key": "gene", "instance_key": "assignment"}
        folder = zarr2.group(points / "transcripts", _element("points", "xyz", keys))
        (folder / "points.parquet").mkdir()
        schema, batches = transcript_batches(run, table, told.columns)
        write_table(folder / "points.parquet" / "part.0.parquet", "parquet", schema, batches, 9)
    _write_table(zarr2.group(path / "tables") / "table", run, told)


def _element(kind: str, axes: str, attributes: dict[str, str]) -> dict[str, Any]:
    """Attributes of an element whose coordinates are µm in the global system."""
    own, world = (
        {"axes": [{"name": a, "type": "space", "unit": "unit"} for a in axes], "name": name}
        for name in (axes, "global")
    )
    return {
        "axes": list(axes),
        "coordinateTransformations": [{"input": own, "output": world, "type": "identity"}],
        "encoding-type": f"ngff:{kind}",
        "spatialdata_attrs": attributes,
    }


def _write_shapes(path: Path, polygons: np.ndarray) -> None:
    import shapely

    zarr2.group(path, _element("shapes", "xy", {"version": "0.2"}))
    column = {"encoding": "WKB", "geometry_types": ["MultiPolygon"], "crs": None}
    geo = {"version": "1.0.0", "primary_column": "geometry", "columns": {"geometry": column}}
    fields = [pa.field("cell", pa.uint32(), False), pa.field("geometry", pa.binary(), False)]
    schema = pa.schema(fields, metadata={"geo": json.dumps(geo)})
    with pq.ParquetWriter(path / "shapes.parquet", schema, compression="zstd") as writer:
        for first in range(0, len(polygons), SHAPES_AT_ONCE):
            shapes = polygons[first : first + SHAPES_AT_ONCE]
            cell = np.arange(first, first + len(shapes), dtype=np.uint32)
            columns = [as_column(cell), as_text(shapely.to_wkb(shapes))]
            writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=schema))


def _write_table(path: Path, run: VoxelRun, told: Told) -> None:
    attributes = {"encoding-type": "anndata", "encoding-version": "0.1.0"}
    kind = {"spatialdata-encoding-type": "ngff:regions_table", "version": "0.1"}
    zarr2.group(path, attributes | kind | TABLE_KEYS)
    zarr2.sparse(path / "X", run.counts.astype(np.uint32))
    _write_cells(path / "obs", run)
    _write_genes(path / "var", run)
    by_cell, by_gene = zarr2.mapping(path / "obsm"), zarr2.mapping(path / "varm")
    zarr2.numbers(by_cell / "spatial", run.centroid[:, :2].astype(np.float32))
    if told.factors:
        zarr2.by_rows(by_cell / "metagene_rates", run.latent.shape, genes.phi(run, told.factors))
        shape = (len(run.genes), run.latent.shape[1])
        zarr2.by_rows(by_gene / "metagene_loadings", shape, genes.theta(run, told.factors))
    pairs = zarr2.mapping(path / "obsp")
    if run.transitions.shape[0] == len(run.names):
        zarr2.sparse(pairs / "transition_counts", run.transitions.tocsr().astype(np.uint32))
    for name in ("layers", "varp"):
        zarr2.mapping(path / name)
    notes = zarr2.mapping(path / "uns")
    keys = zarr2.mapping(notes / "spatialdata_attrs")
    for name, value in TABLE_KEYS.items():
        zarr2.text(keys / name, value)
    about = zarr2.mapping(notes / "proseg_run")
    facts = {"version": told.version, "args": told.arguments, "duration": f"{told.seconds:.3f}s"}
    for name, value in facts.items():
        zarr2.text(about / name, value)


def _write_cells(path: Path, run: VoxelRun) -> None:
    cells = len(run.names)
    x, y, z = run.centroid.astype(np.float32).T
    columns = {
        "cell": np.arange(cells, dtype=np.uint32),
        "centroid_x": x,
        "centroid_y": y,
        "centroid_z": z,
        "component": run.component.astype(np.uint32),
        "volume": run.volume.astype(np.float32),
        "surface_area": run.surface.astype(np.float32),
        "scale": run.scale.astype(np.float32),
    }
    names = list(columns)
    zarr2.frame(path, map(str, range(cells)), [names[0], "original_cell_id", *names[1:], "region"])
    for name, values in columns.items():
        zarr2.numbers(path / name, values)
    zarr2.words(path / "original_cell_id", run.names)
    zarr2.categories(path / "region", np.zeros(cells, np.int8), [SHAPES])


def _write_genes(path: Path, run: VoxelRun) -> None:
    """The genes; background rates by layer and stratum, and the first few again under the names of proseg."""
    _, layers, strata = run.background_rate.shape
    rate = run.background_rate.astype(np.float32).reshape(len(run.genes), layers * strata)
    plain = {f"lambda_bg_{k}": rate[:, k] for k in range(layers)}
    each = {f"lambda_bg_{k // strata}_{k % strata}": rate[:, k] for k in range(layers * strata)}
    zarr2.frame(path, run.genes, ["gene", "total_count", *plain, *each])
    zarr2.words(path / "gene", run.genes)
    zarr2.numbers(path / "total_count", run.gene_total.astype(np.uint32))
    for name, values in {**plain, **each}.items():
        zarr2.numbers(path / name, values)
