"""Cells by genes as one file."""

from pathlib import Path

import numpy as np

from cellcarve.convert.source import Finished


def write_h5ad(finished: Finished, path: Path) -> None:
    """Write the counts, with the table of cells, its text as categories, and positions in ``obsm["spatial"]``.

    Parameters
    ----------
    finished
        A finished segmentation.
    path
        File to make.

    Raises
    ------
    OSError
        It cannot be written.
    """
    table = finished.table.copy()
    table.uns.pop("spatialdata_attrs", None)
    if "spatial" not in table.obsm:
        table.obsm["spatial"] = table.obs[["x", "y"]].to_numpy(np.float32)
    for frame in (table.obs, table.var):
        frame.index = frame.index.to_numpy(object)
        for name in [name for name, kind in frame.dtypes.items() if kind.kind == "O"]:
            frame[name] = frame[name].astype("category")
    table.write_h5ad(path, compression="gzip", compression_opts=1)
