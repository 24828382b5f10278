"""``segmentation.zarr``: a SpatialData store with points, shapes, labels and a table."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from cellcarve.data.result import Run
from cellcarve.write.anndata import anndata_of
from cellcarve.write.boundaries import boundaries_of
from cellcarve.write.raster import label_image
from cellcarve.write.transcripts import batches

_POINTS = ("x", "y", "z", "gene", "cell_id", "probability", "transcript_id")
_FEW = 2


def write_store(run: Run, path: Path) -> None:
    """Write the store.

    The library writes a store with a handful of points, so that all metadata are its own; the points' parquet is then
    replaced by all of them, streamed, which takes neither its time nor its memory.
    """
    from spatialdata import SpatialData
    from spatialdata.models import Labels2DModel, PointsModel, ShapesModel, TableModel
    from spatialdata.transformations import Identity, Scale, Sequence, Translation

    here = {"global": Identity()}
    first = next(_points(run)).slice(0, _FEW).to_pandas()
    axes = {axis: axis for axis in "xyz" if axis in first.columns}
    points = PointsModel.parse(first, coordinates=axes, feature_key="gene", transformations=here)
    frame = boundaries_of(run)
    if len(frame) == 0:
        SpatialData(points={"transcripts": points}).write(path)
        return _replace_points(run, path)
    shapes = ShapesModel.parse(frame.set_index("cell_id"), transformations=here)
    x, y = run.table.x, run.table.y
    image, side = label_image(
        run.summary.outlines, (float(x.min()), float(y.min()), float(x.max()), float(y.max()))
    )
    place = Sequence(
        [Scale([side, side], axes=("x", "y")), Translation([float(x.min()), float(y.min())], axes=("x", "y"))]
    )
    labels = Labels2DModel.parse(image, dims=("y", "x"), transformations={"global": place})
    counts = anndata_of(run)
    counts = counts[counts.obs_names.isin(frame["cell_id"])].copy()
    counts.obs["cell_id"] = counts.obs_names.to_numpy(dtype=object)
    counts.obs["region"] = _region(len(counts))
    table = TableModel.parse(counts, region="cell_boundaries", region_key="region", instance_key="cell_id")
    store = SpatialData(
        points={"transcripts": points},
        shapes={"cell_boundaries": shapes},
        labels={"cell_labels": labels},
        tables={"table": table},
    )
    store.write(path)
    return _replace_points(run, path)


def _region(rows: int) -> object:
    import pandas as pd

    return pd.Categorical(np.full(rows, "cell_boundaries", dtype=object))


def _points(run: Run) -> Iterator[pa.RecordBatch]:
    """Batches of the columns that points keep, text as plain strings, which every reader of the store understands."""
    for batch in batches(run):
        columns = {name: batch.column(name) for name in _POINTS if name in batch.schema.names}
        columns = {
            k: v.cast(pa.string()) if pa.types.is_dictionary(v.type) else v for k, v in columns.items()
        }
        yield pa.RecordBatch.from_pydict(columns)


def _replace_points(run: Run, path: Path) -> None:
    folder = path / "points" / "transcripts" / "points.parquet"
    old = sorted(folder.glob("*.parquet"))
    schema = pq.read_schema(old[0])
    for file in old:
        file.unlink()
    # The index that pandas wrote is not among our columns; the reader makes one of its own.
    kept = [name for name in schema.names if name in _POINTS]
    with pq.ParquetWriter(
        folder / "part.0.parquet", pa.schema([_field(schema, n) for n in kept]), compression="zstd"
    ) as writer:
        for batch in _points(run):
            writer.write_batch(batch.select(kept).cast(writer.schema))


def _field(schema: pa.Schema, name: str) -> pa.Field:
    field = schema.field(name)
    if (
        pa.types.is_dictionary(field.type)
        or pa.types.is_large_string(field.type)
        or pa.types.is_null(field.type)
    ):
        return pa.field(name, pa.string())
    return pa.field(name, field.type)
