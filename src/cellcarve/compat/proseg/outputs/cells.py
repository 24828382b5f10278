"""The table of cells."""

import numpy as np
import pyarrow as pa

from cellcarve.compat.proseg.outputs.tables import full
from cellcarve.data.arrow import as_text
from cellcarve.voxels.result import VoxelRun


def cell_table(run: VoxelRun) -> pa.RecordBatch:
    """One row per cell.

    Parameters
    ----------
    run
        A finished chain of C cells.

    Returns
    -------
    RecordBatch
        ``cell`` (uint32, counted from 0), ``original_cell_id``, ``centroid_x``, ``centroid_y`` (float32 µm, mean of
        the voxels), ``centroid_z`` (float32, normalised depth), ``cluster`` (uint16), ``volume`` (float32,
        layer-averaged µm²), ``surface_area`` (uint32, sides of voxels, diagonal ones too) and ``scale`` (float32).
    """
    x, y, z = run.centroid.astype(np.float32).T
    columns = {
        "cell": np.arange(len(run.names), dtype=np.uint32),
        "original_cell_id": as_text(run.names),
        "centroid_x": x,
        "centroid_y": y,
        "centroid_z": z,
        "cluster": run.component.astype(np.uint16),
        "volume": run.volume.astype(np.float32),
        "surface_area": run.surface.astype(np.uint32),
        "scale": run.scale.astype(np.float32),
    }
    return full(columns)
