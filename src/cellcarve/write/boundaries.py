"""``boundaries.parquet`` and its companions: GeoParquet polygons in µm."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cellcarve.data.prior import Prior
from cellcarve.data.result import Outlines, Run

if TYPE_CHECKING:
    from geopandas import GeoDataFrame


def boundaries_of(run: Run) -> "GeoDataFrame":
    """The cells' outlines.

    Parameters
    ----------
    run
        A finished run.

    Returns
    -------
    GeoDataFrame
        ``cell_id`` and ``geometry`` (µm), a row per cell that has a polygon.
    """
    return _frame(run.summary.outlines, run.segmentation.names)


def write_boundaries(run: Run, folder: Path) -> None:
    """Write the polygons, those of the layers where there are any, and those of the prior where known.

    Parameters
    ----------
    run
        A finished run.
    folder
        Where ``boundaries.parquet``, ``boundaries_layers.parquet`` and ``prior_boundaries.parquet`` go.

    Raises
    ------
    OSError
        They cannot be written.
    """
    boundaries_of(run).to_parquet(folder / "boundaries.parquet")
    if run.summary.layers:
        layers = sorted(run.summary.layers.items())
        parts = [_frame(outlines, run.segmentation.names).assign(layer=layer) for layer, outlines in layers]
        _stack(parts).to_parquet(folder / "boundaries_layers.parquet")
    prior = _prior_outlines(run.prior)
    if len(prior.cell):
        _frame(prior, run.prior.names).to_parquet(folder / "prior_boundaries.parquet")


def read_outlines(path: Path, names: list[str]) -> Outlines:
    """Outlines of a file that `write_boundaries` wrote.

    Parameters
    ----------
    path
        The file.
    names
        Cell ids in the order of their numbers; all ids of the file are among them.

    Returns
    -------
    Outlines
        A ring per row of the file.
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq
    import shapely

    table = pq.read_table(path, columns=["cell_id", "geometry"])
    number = pc.index_in(table["cell_id"].cast(pa.string()), pa.array(names, pa.string())).to_numpy() + 1
    ring = shapely.from_wkb(table["geometry"].to_numpy())
    corner, owner = shapely.get_coordinates(ring, return_index=True)
    start = np.searchsorted(owner, np.arange(len(ring) + 1)).astype(np.int64)
    x, y = corner.T.astype(np.float32)
    return Outlines(number.astype(np.int32), x, y, start)


def _prior_outlines(prior: Prior) -> Outlines:
    """Those prior cells that have an outline."""
    start = prior.outline_start
    # Fewer than four corners, the first repeated at the end, enclose nothing.
    whole = np.flatnonzero(np.diff(start) >= 4)
    length = np.diff(start)[whole]
    edge = np.concatenate([[0], np.cumsum(length)]).astype(np.int64)
    vertex = np.arange(edge[-1]) + np.repeat(start[whole] - edge[:-1], length)
    return Outlines((whole + 1).astype(np.int32), prior.outline_x[vertex], prior.outline_y[vertex], edge)


def _frame(outlines: Outlines, names: list[str]) -> "GeoDataFrame":
    import geopandas

    cell = [names[number - 1] for number in outlines.cell]
    return geopandas.GeoDataFrame({"cell_id": np.array(cell, object)}, geometry=_polygons(outlines))


def _polygons(outlines: Outlines) -> np.ndarray:
    """(B,) polygons from flat rings."""
    import shapely

    if len(outlines.cell) == 0:
        return np.empty(0, object)
    corner = np.column_stack([outlines.x, outlines.y]).astype(np.float64)
    ring = np.arange(len(outlines.cell) + 1)
    return shapely.from_ragged_array(shapely.GeometryType.POLYGON, corner, (outlines.start, ring))


def _stack(parts: "list[GeoDataFrame]") -> "GeoDataFrame":
    import pandas as pd

    return pd.concat(parts, ignore_index=True)  # type: ignore[return-value]
