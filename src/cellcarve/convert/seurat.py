"""A folder like the output of a Xenium run, which Seurat, Giotto, squidpy and others read."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.parquet as pq
from scipy.sparse import csc_matrix

from cellcarve.convert.source import Finished
from cellcarve.data.tenx import write_h5, write_mex
from cellcarve.errors import InputError

# Quality of transcripts that the input told none of: readers leave out what has less than 20.
FULL = 40.0
PLAIN = csv.WriteOptions(quoting_style="needed")


def write_bundle(finished: Finished, path: Path) -> None:
    """Write counts, cells, outlines and transcripts under the names and columns of a Xenium run.

    ``cell_feature_matrix.h5`` and ``cell_feature_matrix/``; ``cells``, ``cell_boundaries``, ``nucleus_boundaries``
    (where nuclei are known) and ``transcripts``, each as ``.parquet`` and ``.csv.gz``, as older readers know only
    the latter; ``experiment.xenium``.

    Parameters
    ----------
    finished
        A finished segmentation.
    path
        Folder to make.

    Raises
    ------
    InputError
        It holds no transcripts.
    OSError
        It cannot be written.
    """
    if not finished.parts:
        raise InputError(
            f"'{finished.folder}' holds no transcripts; write it without --exclude-spatialdata-transcripts"
        )
    path.mkdir()
    names, genes = (list(map(str, axis)) for axis in (finished.table.obs_names, finished.table.var_names))
    counts = csc_matrix(finished.table.X.T).T.tocsr()
    write_h5(path / "cell_feature_matrix.h5", counts, names, genes)
    write_mex(path / "cell_feature_matrix", counts, names, genes)
    _write_cells(path, finished, names)
    _write_vertices(path / "cell_boundaries", finished.polygon, names)
    if any(shape is not None for shape in finished.nucleus):
        _write_vertices(path / "nucleus_boundaries", finished.nucleus, names)
    _write_transcripts(path, finished, pa.array(names, pa.string()))
    about = {"run_name": finished.folder.name, "analysis_sw_version": "xenium-1.9.0.0", "pixel_size": 0.2125}
    (path / "experiment.xenium").write_text(json.dumps(about, indent=2) + "\n")


def _write_cells(path: Path, finished: Finished, names: list[str]) -> None:
    import shapely

    obs = finished.table.obs
    held = np.asarray(finished.table.X.sum(1)).ravel().astype(np.int64)
    none = np.zeros(len(names), np.int64)
    columns: dict[str, Any] = {
        "cell_id": pa.array(names, pa.string()),
        "x_centroid": obs["x"].to_numpy(np.float64),
        "y_centroid": obs["y"].to_numpy(np.float64),
        "transcript_counts": held,
        "control_probe_counts": none,
        "control_codeword_counts": none,
        "unassigned_codeword_counts": none,
        "total_counts": held,
        "cell_area": np.nan_to_num(shapely.area(finished.polygon)),
        "nucleus_area": np.nan_to_num(shapely.area(finished.nucleus)),
        "segmentation_method": pa.array(["cellcarve"] * len(names), pa.string()),
    }
    _both(path / "cells", pa.table(columns))


def _write_vertices(path: Path, shapes: np.ndarray, names: list[str]) -> None:
    """Corners of the largest part of each outline."""
    import shapely

    from cellcarve.convert.ranger.write import largest

    ring = largest(shapes)
    corner, owner = shapely.get_coordinates(ring, return_index=True)
    cell = pa.array(names, pa.string()).take(pa.array(owner))
    _both(path, pa.table({"cell_id": cell, "vertex_x": corner[:, 0], "vertex_y": corner[:, 1]}))


def _write_transcripts(path: Path, finished: Finished, names: pa.Array) -> None:
    import gzip

    names = pa.concat_arrays([names, pa.array(["UNASSIGNED"])])
    columns = ("id", "gene", "x", "y", "z", "qv", "cell")
    schema = _transcripts(next(finished.transcripts(*columns)), names).schema
    table, text = path / "transcripts.parquet", path / "transcripts.csv.gz"
    with (
        pq.ParquetWriter(table, schema, compression="zstd") as writer,
        text.open("wb") as raw,
        gzip.GzipFile("", "wb", 1, raw, mtime=0) as file,
        csv.CSVWriter(pa.PythonFile(file, mode="w"), schema, write_options=PLAIN) as lines,
    ):
        for batch in finished.transcripts(*columns):
            part = _transcripts(batch, names)
            writer.write_table(part)
            lines.write_table(part)


def _transcripts(batch: dict[str, Any], names: pa.Array) -> pa.Table:
    rows = len(batch["cell"])
    still = pa.array(np.zeros(rows, np.float32))
    quality = batch.get("qv", pa.array(np.full(rows, FULL, np.float32)))
    columns = {
        "transcript_id": batch["id"],
        "cell_id": names.take(pa.array(np.where(batch["cell"] < 0, len(names) - 1, batch["cell"]))),
        "feature_name": batch["gene"].cast(pa.string()),
        "x_location": batch["x"],
        "y_location": batch["y"],
        "z_location": batch.get("z", still),
        "qv": quality.fill_null(FULL).cast(pa.float32()),
    }
    return pa.table(columns)


def _both(path: Path, table: pa.Table) -> None:
    pq.write_table(table, path.with_suffix(".parquet"), compression="zstd")
    with pa.CompressedOutputStream(str(path.with_suffix(".csv.gz")), "gzip") as file:
        csv.write_csv(table, file, PLAIN)
