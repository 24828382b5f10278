"""``segmentation_polygons_2d.json`` and ``_3d.json``: outlines of cells as GeoJSON."""

import json
import math
from pathlib import Path

import numpy as np

from cellcarve.mixture.result import Rings, Slice

# Vertices are written to this share of a cell's radius.
_FINE = 1e-4


def write_polygons(path: Path, rings: Rings, names: np.ndarray, form: str, scale: float) -> None:
    """Write the outlines of all cells.

    Parameters
    ----------
    path
        The file.
    rings
        A closed ring per cell.
    names
        (C,) names of the cells.
    form
        ``"FeatureCollection"``, ``"GeometryCollection"`` or ``"GeometryCollectionLegacy"``.
    scale
        Radius of cells, which says how fine vertices are written.

    Raises
    ------
    OSError
        The file cannot be written.
    """
    path.write_text(collection(rings, names, form, scale), encoding="utf-8")


def write_slices(path: Path, slices: list[Slice], names: np.ndarray, form: str, scale: float) -> None:
    """Write the outlines layer by layer: one object, a collection under the label of each layer.

    Raises
    ------
    OSError
        The file cannot be written.
    """
    parts = [f"{json.dumps(part.label)}:{collection(part.rings, names, form, scale)}" for part in slices]
    path.write_text("{" + ",\n".join(parts) + "}", encoding="utf-8")


def collection(rings: Rings, names: np.ndarray, form: str, scale: float) -> str:
    """The outlines as one GeoJSON collection; parameters as of `write_polygons`."""
    shapes = _shapes(rings, scale)
    cells = names[rings.cell - 1]
    if form == "FeatureCollection":
        written = map(_feature, cells, shapes)
        return '{"type":"FeatureCollection","features":[' + ",\n".join(written) + "]}"
    marks = rings.cell.tolist() if form == "GeometryCollectionLegacy" else cells.tolist()
    written = map(_geometry, marks, shapes)
    return '{"type":"GeometryCollection","geometries":[' + ",\n".join(written) + "]}"


def _feature(cell: str, shape: str) -> str:
    mark = json.dumps(cell)
    return f'{{"type":"Feature","id":{mark},"geometry":{shape},"properties":{{"cell":{mark}}}}}'


def _geometry(mark: str | int, shape: str) -> str:
    return f'{shape[:-1]},"cell":{json.dumps(mark)}}}'


def _shapes(rings: Rings, scale: float) -> list[str]:
    """(R,) GeoJSON polygons; those that rounding would spoil are written in full."""
    import shapely

    digits = max(0, math.ceil(-math.log10(max(scale, 1e-300) * _FINE)))
    full = polygons_of(rings)
    fine = polygons_of(rings, digits)
    spoiled = ~shapely.is_valid(fine)
    fine[spoiled] = full[spoiled]
    return shapely.to_geojson(fine).tolist() if len(fine) else []


def polygons_of(rings: Rings, digits: int | None = None) -> np.ndarray:
    """(R,) shapely polygons, their vertices rounded to `digits` decimals."""
    import shapely

    if len(rings.cell) == 0:
        return np.empty(0, object)
    corner = np.column_stack([rings.x, rings.y]).astype(np.float64)
    if digits is not None:
        corner = np.round(corner, digits)
    each = np.arange(len(rings.cell) + 1)
    return shapely.from_ragged_array(shapely.GeometryType.POLYGON, corner, (rings.start, each))
