"""Polygon files as plain rings: Xenium and MERSCOPE boundaries, GeoJSON, GeoParquet."""

import gzip
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cellcarve.errors import InputError, nearest
from cellcarve.read.spatialdata import index_of

ENDINGS = (".geojson", ".json", ".csv", ".parquet", ".gz")
_KEYS = ("cell_id", "EntityID", "poly_ID", "cell", "nucleus_id", "id", "name")
_SHAPES = ("geometry", "Geometry")
_POLYGON = 3


@dataclass
class Rings:
    """Outer rings of polygons; R rings of C cells, V vertices.

    Attributes
    ----------
    names
        Ids of the cells, sorted and unique.
    cell
        (R,) int64 index into `names`; a cell may own several rings.
    x, y
        (V,) float64 vertices.
    start
        (R + 1,) int64 where each ring begins.
    """

    names: list[str]
    cell: np.ndarray
    x: np.ndarray
    y: np.ndarray
    start: np.ndarray


def load_rings(path: Path, shape: str | None = None, key: str | None = None) -> Rings:
    """Rings of a polygon file.

    Parameters
    ----------
    path
        The file.
    shape, key
        Columns of a parquet file with the polygons and the ids, where they are not named as usual.

    Raises
    ------
    InputError
        The file is missing, damaged, without polygons or without a column that is needed.
    """
    try:
        rings = _open(path) if shape is None else _from_columns(path, shape, key)
    except InputError:
        raise
    except FileNotFoundError as error:
        raise InputError(f"prior {path} does not exist; check --prior") from error
    except Exception as error:
        what = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
        raise InputError(
            f"prior {path} cannot be read as polygons ({what}); copy or export it again"
        ) from error
    if len(rings.cell) == 0:
        raise InputError(f"prior {path} holds no polygons; check that it is the file of outlines")
    bad = ~(np.isfinite(rings.x) & np.isfinite(rings.y))
    if bad.any():
        ring = int(np.searchsorted(rings.start, np.argmax(bad), side="right")) - 1
        raise InputError(
            f"prior {path}: the polygon of cell '{rings.names[rings.cell[ring]]}' has a vertex that is missing or "
            "not a number; export it again"
        )
    return rings


def _open(path: Path) -> Rings:
    name = path.name.lower()
    if name.endswith(".parquet"):
        import pyarrow.parquet as pq

        names = pq.read_schema(path).names
        shape = next((c for c in _SHAPES if c in names), None)
        if shape is None:
            return _from_vertices(pq.read_table(path, columns=_vertex_columns(names, path)), path)
        key = next((c for c in (*_KEYS, index_of(path)) if c in names), None)
        table = pq.read_table(path, columns=[c for c in (key, shape) if c])
        return _from_wkb(table[shape], _texts(table[key]) if key else None)
    if "json" in name:
        return _from_geojson(path)
    return _from_vertices(_read_csv(path), path)


def _from_columns(path: Path, shape: str, key: str | None) -> Rings:
    """Polygons and ids of a parquet file by the names of their columns."""
    import pyarrow.parquet as pq

    names = pq.read_schema(path).names
    for name in filter(None, (shape, key)):
        if name not in names:
            raise InputError(f"prior {path} has no column '{name}'{nearest(name, names)}")
    table = pq.read_table(path, columns=[c for c in (key, shape) if c])
    return _from_wkb(table[shape], _texts(table[key]) if key else None)


def _read_csv(path: Path) -> pa.Table:
    """Vertices of a CSV file; ids stay text, as some have 39 digits."""
    from pyarrow import csv

    options = csv.ConvertOptions(column_types={key: pa.string() for key in (*_KEYS, "label_id")})
    # Some deliveries end in .gz alone, which says nothing to the reader.
    if path.name.lower().endswith(".gz"):
        with gzip.open(path) as file:
            return csv.read_csv(file, convert_options=options)
    return csv.read_csv(path, convert_options=options)


def _vertex_columns(names: list[str], path: Path) -> list[str]:
    """Columns of id, x and y, and of the ring where there is one."""
    found = []
    for known in (_KEYS, ("vertex_x", "x"), ("vertex_y", "y")):
        column = next((c for c in known if c in names), None)
        if column is None:
            others = [c for c in names if c not in found]
            raise InputError(
                f"prior {path} has no column '{known[0]}'{nearest(known[0], others)} (a file of vertices has cell_id, "
                "vertex_x and vertex_y)"
            )
        found.append(column)
    return found + [c for c in ("label_id",) if c in names]


def _from_vertices(table: pa.Table, path: Path) -> Rings:
    """One row a vertex; a ring ends where the next row names another cell or another label."""
    key, x, y, *label = _vertex_columns(table.column_names, path)
    cell, names = _codes(_texts(table[key]))
    change = np.diff(cell, prepend=-1) != 0
    for column in label:
        change |= np.diff(_codes(_texts(table[column]))[0], prepend=-1) != 0
    begin = np.flatnonzero(change)
    vx, vy = (table[axis].cast(pa.float64()).to_numpy() for axis in (x, y))
    return Rings(names, cell[begin], vx, vy, np.append(begin, len(table)).astype(np.int64))


def _from_geojson(path: Path) -> Rings:
    """A collection of features, or of geometries that name their ``cell``."""
    import shapely

    data = path.read_bytes()
    content = json.loads(gzip.decompress(data) if path.name.lower().endswith(".gz") else data)
    features = content.get("features", content.get("geometries"))
    if features is None:
        raise InputError(f"prior {path} is no GeoJSON FeatureCollection; export all outlines as one")
    shapes = shapely.from_geojson([json.dumps(f.get("geometry", f)) for f in features])
    names = [_feature_name(feature, number) for number, feature in enumerate(features, 1)]
    return _from_shapes(shapes, pa.array(names, pa.string()))


def _feature_name(feature: dict[str, Any], number: int) -> str:
    known = {**feature, **(feature.get("properties") or {})}
    return str(next((known[key] for key in _KEYS if known.get(key) is not None), number))


def _from_wkb(column: pa.ChunkedArray, names: pa.Array | None) -> Rings:
    import shapely

    return _from_shapes(shapely.from_wkb(column.to_numpy()), names)


def _from_shapes(shapes: np.ndarray, names: pa.Array | None) -> Rings:
    """Outer rings of polygons and of the parts of multipolygons; rows are numbered where they have no names."""
    import shapely

    if names is None:
        names = pc.cast(pa.array(np.arange(1, len(shapes) + 1)), pa.string())
    cell, words = _codes(names)
    parts, row = shapely.get_parts(shapes, return_index=True)
    polygon = shapely.get_type_id(parts) == _POLYGON
    outer = shapely.get_exterior_ring(parts[polygon])
    place, index = shapely.get_coordinates(outer, return_index=True)
    start = np.searchsorted(index, np.arange(len(outer) + 1)).astype(np.int64)
    x, y = np.ascontiguousarray(place.T)
    return Rings(words, cell[row[polygon]], x, y, start)


def _texts(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column.cast(pa.string())


def _codes(texts: Any) -> tuple[np.ndarray, list[str]]:
    """(N,) int64 index of each text into the sorted unique texts."""
    coded = pa.chunked_array(texts if isinstance(texts, pa.ChunkedArray) else [texts]).combine_chunks()
    coded = pc.fill_null(coded, "").dictionary_encode()
    words = coded.dictionary.to_pylist()
    rank = np.empty(len(words), np.int64)
    order = np.argsort(np.array(words, object)) if words else np.empty(0, np.int64)
    rank[order] = np.arange(len(words))
    return rank[coded.indices.to_numpy()], sorted(words)
