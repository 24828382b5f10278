"""``boundaries.parquet`` and ``boundaries_layers.parquet``: GeoParquet polygons in µm."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cellcarve.data.result import Outlines, Run

if TYPE_CHECKING:
    from geopandas import GeoDataFrame


def boundaries_of(run: Run) -> "GeoDataFrame":
    """One polygon per cell that has one; columns ``cell_id`` and ``geometry``."""
    return _frame(run.summary.outlines, run.segmentation.names)


def write_boundaries(run: Run, folder: Path) -> None:
    """Write the polygons, and those of the layers where the tissue has depth."""
    boundaries_of(run).to_parquet(folder / "boundaries.parquet")
    if run.summary.layers:
        import geopandas
        import pandas as pd

        parts = [
            _frame(o, run.segmentation.names).assign(layer=k) for k, o in sorted(run.summary.layers.items())
        ]
        frame = geopandas.GeoDataFrame(pd.concat(parts, ignore_index=True))
        frame.to_parquet(folder / "boundaries_layers.parquet")


def polygons(outlines: Outlines) -> np.ndarray:
    """(B,) shapely polygons from flat rings."""
    import shapely

    if len(outlines.cell) == 0:
        return np.empty(0, object)
    place = np.column_stack([outlines.x, outlines.y]).astype(np.float64)
    ring = np.arange(len(outlines.cell) + 1)
    return shapely.from_ragged_array(shapely.GeometryType.POLYGON, place, (outlines.start, ring))


def _frame(outlines: Outlines, names: list[str]) -> "GeoDataFrame":
    import geopandas

    cell = np.array(names, dtype=object)[outlines.cell - 1] if len(outlines.cell) else np.empty(0, object)
    return geopandas.GeoDataFrame({"cell_id": cell}, geometry=polygons(outlines))
