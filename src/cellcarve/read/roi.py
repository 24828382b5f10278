"""The region to segment: a box or polygons."""

from pathlib import Path

import numpy as np

from cellcarve.errors import InputError, SettingsError
from cellcarve.read.stream import first_line


def inside(roi: str, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Which positions (µm) lie in the region, (N,) bool.

    Parameters
    ----------
    roi
        ``"xmin,ymin,xmax,ymax"`` in µm, or a GeoJSON or GeoParquet file.

    Raises
    ------
    SettingsError
        It is neither four numbers in order nor a file.
    InputError
        The file cannot be read or holds no polygon, or no position lies in the region.
    """
    hit = _hit(roi, x, y)
    if not hit.any():
        raise InputError(
            f"no transcript lies in roi '{roi}': they go from x {x.min():.0f} to {x.max():.0f} and y {y.min():.0f} to "
            f"{y.max():.0f} µm"
        )
    return hit


def _hit(roi: str, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    path = Path(roi)
    if path.suffix.lower() in (".json", ".geojson", ".parquet") or path.exists():
        return _in_polygons(path, x, y)
    try:
        xmin, ymin, xmax, ymax = (float(v) for v in roi.split(","))
    except ValueError:
        raise SettingsError(
            f"roi '{roi}' is neither 'xmin,ymin,xmax,ymax' in um nor a polygon file; write four numbers"
        ) from None
    if not (xmin < xmax and ymin < ymax):
        raise SettingsError(
            f"roi '{roi}' is empty; write xmin,ymin,xmax,ymax with xmin < xmax and ymin < ymax"
        )
    return (x >= xmin) & (x < xmax) & (y >= ymin) & (y < ymax)


def _in_polygons(path: Path, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    import geopandas
    import shapely

    if not path.exists():
        raise InputError(f"roi file {path} does not exist; check the path")
    try:
        frame = geopandas.read_parquet(path) if path.suffix == ".parquet" else geopandas.read_file(path)
    except Exception as error:
        raise InputError(
            f"roi file {path} cannot be read ({first_line(error)}); give GeoJSON or GeoParquet polygons"
        ) from error
    region = shapely.union_all(frame.geometry.to_numpy())
    if region.is_empty or region.area == 0:
        raise InputError(f"roi file {path} holds no polygon; give GeoJSON or GeoParquet polygons in um")
    shapely.prepare(region)
    return shapely.contains_xy(region, x.astype(np.float64), y.astype(np.float64))
