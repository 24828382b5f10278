"""Outlines in µm: of each cell and layer, of all layers united, and by consensus."""

import numpy as np

from cellcarve.compat.proseg.outputs.columns import Columns
from cellcarve.compat.proseg.outputs.trace import trace
from cellcarve.voxels.result import VoxelRun


def column_polygons(run: VoxelRun, columns: Columns) -> np.ndarray:
    """Outlines of columns.

    Parameters
    ----------
    run
        A finished chain of C cells.
    columns
        Columns of each cell.

    Returns
    -------
    np.ndarray
        (C,) shapely multi-polygons in µm, one ring per polygon.
    """
    return _polygons(run, columns.start, columns.row, columns.column)


def layer_polygons(run: VoxelRun) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Outlines by layer.

    Parameters
    ----------
    run
        A finished chain.

    Returns
    -------
    cell, layer
        (P,) int64 cell, counted from 0, and layer of each polygon, in this order; only layers where a cell is.
    polygon
        (P,) shapely multi-polygons in µm.
    """
    key = run.voxel_cell.astype(np.int64) * run.layers + run.voxel_k
    first = np.flatnonzero(np.diff(key, prepend=-1))
    start = np.append(first, len(key)).astype(np.int64)
    cell, layer = np.divmod(key[first], run.layers)
    return cell - 1, layer, _polygons(run, start, run.voxel_j, run.voxel_i)


def _polygons(run: VoxelRun, start: np.ndarray, row: np.ndarray, column: np.ndarray) -> np.ndarray:
    import shapely

    groups = len(start) - 1
    if len(row) == 0:
        return np.empty(0, object)
    group, ring, corner = trace(start, row, column)
    place = np.array([run.x0, run.y0]) + corner * np.float64(run.voxel_size)
    place = np.column_stack(run.place(place[:, 0], place[:, 1]))
    parts = np.append(0, np.cumsum(np.bincount(group, minlength=groups)))
    return shapely.from_ragged_array(
        shapely.GeometryType.MULTIPOLYGON, place, (ring, np.arange(len(ring)), parts)
    )
