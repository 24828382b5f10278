"""A SpatialData store in the current form of that library."""

import shutil
import warnings
from pathlib import Path

import numpy as np

from cellcarve.convert.source import Finished


def write_spatialdata(finished: Finished, path: Path) -> None:
    """Write transcripts, outlines and counts.

    A run's own store is copied; one of proseg is written anew, with the cells' numbers as the names of outlines,
    and with points where they were seen.

    Parameters
    ----------
    finished
        A finished segmentation.
    path
        Folder to make.

    Raises
    ------
    OSError
        It cannot be written.
    """
    own = finished.folder / "segmentation.zarr"
    if own.is_dir():
        shutil.copytree(own, path)
        return
    from spatialdata import SpatialData

    elements = {"shapes": {"cell_boundaries": _shapes(finished)}, "tables": {"table": _table(finished)}}
    if finished.parts:
        elements["points"] = {"transcripts": _points(finished)}
    with warnings.catch_warnings():
        # What the libraries have to say to each other, users can do nothing about.
        warnings.simplefilter("ignore")
        SpatialData(**elements).write(path)


def _drawn(finished: Finished) -> np.ndarray:
    return np.flatnonzero([shape is not None for shape in finished.polygon])


def _shapes(finished: Finished):  # type: ignore[no-untyped-def]
    import geopandas
    from spatialdata.models import ShapesModel
    from spatialdata.transformations import Identity

    own = _drawn(finished)
    index = finished.table.obs_names.to_numpy(object)[own]
    frame = geopandas.GeoDataFrame(geometry=finished.polygon[own], index=index)
    return ShapesModel.parse(frame, transformations={"global": Identity()})


def _table(finished: Finished):  # type: ignore[no-untyped-def]
    import pandas as pd
    from spatialdata.models import TableModel

    table = finished.table[_drawn(finished)].copy()
    table.uns.pop("spatialdata_attrs", None)
    table.obs["cell_id"] = pd.Series(table.obs_names.to_numpy(object), table.obs_names, dtype=object)
    table.obs["region"] = pd.Categorical(np.full(table.n_obs, "cell_boundaries", object))
    return TableModel.parse(table, region="cell_boundaries", region_key="region", instance_key="cell_id")


def _points(finished: Finished):  # type: ignore[no-untyped-def]
    import dask.dataframe as dd
    from spatialdata.models import PointsModel
    from spatialdata.transformations import Identity

    frame = dd.read_parquet([str(part) for part in finished.parts])
    axes = {axis: finished.columns[axis] for axis in "xyz" if finished.columns[axis] in frame.columns}
    made = {axis: f"made_{axis}" for axis in "xyz" if finished.columns[axis] != axis}
    frame = frame.rename(columns=made).rename(columns={column: axis for axis, column in axes.items()})
    if "gene" in frame:
        frame["gene"] = frame["gene"].astype(str).astype("category").cat.as_known()
    return PointsModel.parse(
        frame,
        coordinates={axis: axis for axis in axes},
        feature_key="gene",
        instance_key=finished.columns["cell"],
        transformations={"global": Identity()},
    )
