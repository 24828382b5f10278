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

    side = float(run.voxel_size)
    cell = np.repeat(np.arange(1, len(columns.start), dtype=np.uint32), np.diff(columns.start))
    row, column, shape = _unfolded(run, columns)
    label = np.zeros(shape, np.uint32)
    label[row, column] = cell
    about: dict[str, object] = {"pixel_size_um": side, "x0_um": float(run.x0), "y0_um": float(run.y0)}
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


def _unfolded(run: VoxelRun, columns: Columns) -> tuple[np.ndarray, np.ndarray, tuple[int, int]]:
    """Row and column of the image that each column lies in, and the image's shape."""
    if run.folds is None:
        return columns.row, columns.column, run.shape
    rows, across = run.shape
    # The last ones are the image's own.
    j, i = np.append(columns.row, rows - 1), np.append(columns.column, across - 1)
    x, y = run.folds.place(*(low + (n + 0.5) * run.voxel_size for low, n in ((run.x0, i), (run.y0, j))))
    row, column = (
        np.floor((v - low) / run.voxel_size).astype(np.int64) for v, low in ((y, run.y0), (x, run.x0))
    )
    return row[:-1], column[:-1], (int(row[-1]) + 1, int(column[-1]) + 1)
