"""Polygon files as a prior: Xenium and MERSCOPE boundaries, GeoJSON, GeoParquet."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cellcarve.errors import InputError, nearest

ENDINGS = (".parquet", ".geojson", ".json", ".csv", ".csv.gz", ".gz", ".feather", ".shp", ".gpkg")
_NAMES = ("cell_id", "cell", "EntityID", "poly_ID", "id", "name")


@dataclass
class Rings:
    """Outer rings of polygons; P polygons, V vertices.

    Attributes
    ----------
    name
        P names; a cell may own several rings.
    x, y
        (V,) float64 vertices.
    start
        (P + 1,) int64 where each ring begins.
    """

    name: list[str]
    x: np.ndarray
    y: np.ndarray
    start: np.ndarray


def load_rings(path: Path) -> Rings:
    """Rings of a polygon file.

    Raises
    ------
    InputError
        The file is missing, damaged or of a form that is not known.
    """
    if not path.exists():
        raise InputError(f"prior {path} does not exist; check --prior")
    import pandas as pd
    import pyarrow.parquet as pq

    try:
        if path.suffix == ".parquet":
            geometry = {"geometry", "Geometry"} & set(pq.read_schema(path).names)
            return (
                _from_frame(pd.read_parquet(path), path)
                if geometry
                else _from_vertices(pd.read_parquet(path), path)
            )
        if path.suffix in (".csv", ".gz"):
            return _from_vertices(pd.read_csv(path, dtype={"poly_ID": str, "cell_id": str}), path)
        import geopandas

        return _from_frame(geopandas.read_file(path), path)
    except InputError:
        raise
    except Exception as error:
        raise InputError(
            f"prior {path} cannot be read as polygons ({str(error)[:120]}); copy or export it again"
        ) from error


def _from_vertices(table: Any, path: Path) -> Rings:
    """One row a vertex: ``cell_id, vertex_x, vertex_y`` (Xenium) or ``poly_ID, x, y``."""
    names = list(table.columns)
    x = next((c for c in ("vertex_x", "x") if c in names), None)
    y = next((c for c in ("vertex_y", "y") if c in names), None)
    key = next((c for c in _NAMES if c in names), None)
    if x is None or y is None or key is None:
        wrong = "cell_id" if key is None else "vertex_x" if x is None else "vertex_y"
        raise InputError(
            f"prior {path} has no column '{wrong}'{nearest(wrong, names)}; vertices need cell_id, vertex_x, vertex_y"
        )
    ring = table[key].astype(str)
    if "label_id" in names:
        ring = ring + "\0" + table["label_id"].astype(str)
    code, _ = _codes(ring)
    begins = np.flatnonzero(np.diff(code, prepend=-1) != 0)
    return Rings(
        table[key].astype(str).to_numpy()[begins].tolist(),
        table[x].to_numpy(np.float64),
        table[y].to_numpy(np.float64),
        np.append(begins, len(table)).astype(np.int64),
    )


def _codes(ring: Any) -> tuple[np.ndarray, Any]:
    import pandas as pd

    return pd.factorize(ring)


def _from_frame(frame: Any, path: Path) -> Rings:
    """One row a polygon; of several planes (``ZIndex``) all count, the parts of a multipolygon each."""
    import shapely

    column = "geometry" if "geometry" in frame.columns else "Geometry"
    shapes = frame[column].to_numpy()
    if len(shapes) and isinstance(shapes[0], bytes | bytearray):
        shapes = shapely.from_wkb(shapes)
    shapes = np.asarray(shapes, object)
    key = next((c for c in _NAMES if c in frame.columns), None)
    name = frame[key].astype(str).to_numpy() if key else np.arange(1, len(frame) + 1).astype(str)
    parts, owner = shapely.get_parts(shapes, return_index=True)
    polygon = shapely.get_type_id(parts) == 3
    parts, owner = parts[polygon], owner[polygon]
    if len(parts) == 0:
        raise InputError(f"prior {path} holds no polygons; give polygons, not points or lines")
    ring = shapely.get_exterior_ring(parts)
    place, index = shapely.get_coordinates(ring, return_index=True)
    start = np.searchsorted(index, np.arange(len(ring) + 1)).astype(np.int64)
    return Rings(name[owner].tolist(), place[:, 0].copy(), place[:, 1].copy(), start)
