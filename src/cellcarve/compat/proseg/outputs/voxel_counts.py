"""Transcripts by voxel, as gzipped CSV."""

from pathlib import Path

import numpy as np
import pyarrow as pa

from cellcarve.compat.proseg.outputs.tables import full, write_table
from cellcarve.voxels.result import VoxelRun


def write_voxel_counts(path: Path, run: VoxelRun) -> None:
    """Write how many transcripts of a gene lie in each voxel, having moved there by the same way.

    Columns ``gene``, ``count``, ``x``, ``y``, ``z`` (middle of the voxel where they were made) and ``dx``, ``dy``,
    ``dz`` (how far from there they were seen is minus this): µm, and normalised depth.

    Parameters
    ----------
    path
        File to make.
    run
        A finished chain.

    Raises
    ------
    OSError
        It cannot be written.
    """
    step = np.array([run.voxel_size, run.voxel_size, 1 / run.layers])
    low = np.array([run.x0, run.y0, 0.0])
    x, y = run.along(run.x, run.y) if run.bins is None else run.bins.middles(run.x, run.y)
    seen = np.floor((np.column_stack([x, y, run.z]) - low) / step).astype(np.int64)
    seen[:, 2] = np.minimum(seen[:, 2], run.layers - 1)
    place = np.maximum(seen, 0) + run.moved
    key = np.column_stack([place, run.moved, run.gene])
    order = np.lexsort(key.T[[3, 4, 5, 6, 0, 1, 2]])
    key = key[order]
    first = np.flatnonzero(np.append(True, (np.diff(key, axis=0) != 0).any(1))[: len(key)])
    count = np.diff(np.append(first, len(key)))
    key = key[first]
    columns = {
        "gene": pa.DictionaryArray.from_arrays(key[:, 6].astype(np.int32), pa.array(run.genes, pa.string())),
        "count": count.astype(np.uint32),
    }
    middle = low + (key[:, :3] + 0.5) * step
    moved = key[:, 3:6] * step
    middle[:, 0], middle[:, 1] = run.place(middle[:, 0], middle[:, 1])
    if run.bins is not None:
        moved[:, 0], moved[:, 1] = run.bins.turn(moved[:, 0], moved[:, 1])
    for axis, name in enumerate("xyz"):
        columns[name] = middle[:, axis].astype(np.float32)
    for axis, name in enumerate("xyz"):
        columns[f"d{name}"] = moved[:, axis].astype(np.float32)
    batch = full(columns)
    write_table(path, "csv-gz", batch.schema, [batch])
