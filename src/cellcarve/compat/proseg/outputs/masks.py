"""Label image of the consensus cells."""

from pathlib import Path

import numpy as np

from cellcarve.compat.proseg.outputs.columns import Columns
from cellcarve.voxels.result import VoxelRun


def write_masks(path: Path, run: VoxelRun, columns: Columns) -> None:
    """Write a TIFF of 32-bit cell numbers: 0 = no cell, else the cell's number plus one.

    A pixel is a voxel seen from above; row 0 and column 0 lie at the smallest y and x. The description tells the
    side of a pixel and the corner of the image in µm; where rows were counted in bins the image lies along their array,
    and ``affine`` leads from there to the tissue.

    Parameters
    ----------
    path
        File to make.
    run
        A finished chain.
    columns
        The columns of each cell, by consensus.

    Raises
    ------
    OSError
        It cannot be written.
    """
    import json

    import tifffile

    cell = np.repeat(np.arange(1, len(columns.start), dtype=np.uint32), np.diff(columns.start))
    row, column, (x0, y0), shape = _unfolded(run, columns)
    label = np.zeros(shape, np.uint32)
    label[row, column] = cell
    side = float(run.voxel_size)
    about: dict[str, object] = {"pixel_size_um": side, "x0_um": x0, "y0_um": y0}
    if run.bins is not None:
        about["affine"] = run.bins.affine
    told = json.dumps(about)
    per_cm = 1e4 / side
    tifffile.imwrite(
        path,
        label,
        compression="zlib",
        description=told,
        metadata=None,
        resolution=(per_cm, per_cm),
        resolutionunit="CENTIMETER",
        software="cellcarve",
    )


def _unfolded(
    run: VoxelRun, columns: Columns
) -> tuple[np.ndarray, np.ndarray, tuple[float, float], tuple[int, int]]:
    """Row and column of the image that each column lies in, and the image's corner in µm and shape."""
    low, side = np.array([run.x0, run.y0], np.float64), run.voxel_size
    if run.folds is None:
        return columns.row, columns.column, (float(low[0]), float(low[1])), run.shape
    middle = low + (np.column_stack([columns.column, columns.row]) + 0.5) * side
    place = np.floor((np.column_stack(run.folds.place(*middle.T)) - low) / side).astype(np.int64)
    seen = np.floor((np.array([[v.min(), v.max()] for v in (run.x, run.y)]) - low[:, None]) / side).astype(
        np.int64
    )
    first = np.minimum(place.min(0, initial=np.iinfo(np.int64).max), seen[:, 0])
    last = np.maximum(place.max(0, initial=np.iinfo(np.int64).min), seen[:, 1])
    column, row = (place - first).T
    corner, (across, down) = low + first * side, last - first + 1
    return row, column, (float(corner[0]), float(corner[1])), (int(down), int(across))
