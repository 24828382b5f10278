"""The two files of an import into Xenium Ranger, as arrays."""

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as csv

from cellcarve.errors import InputError

NEEDED = ("transcript_id", "cell", "is_noise")
NOISE = {"true": 1, "1": 1, "false": 0, "0": 0}


class Rows(NamedTuple):
    """Lines of the assignment.

    Attributes
    ----------
    ids
        (n,) ids as text.
    cell
        (n,) names of cells as text, null = none.
    number
        (n,) int64 number at the end of the name, -1 where there is none.
    noise
        (n,) int8: 1 = noise, 0 = not, -1 = neither said.
    x, y
        (n,) µm, or None.
    quality
        (n,) or None.
    """

    ids: pa.Array
    cell: pa.Array
    number: np.ndarray
    noise: np.ndarray
    x: np.ndarray | None
    y: np.ndarray | None
    quality: np.ndarray | None


class Outlined(NamedTuple):
    """Outlines that are polygons, and what is said of the others.

    Attributes
    ----------
    number
        (P,) int64 cells.
    shape
        (P,) shapely polygons.
    odd
        Cells whose outline is something else.
    """

    number: np.ndarray
    shape: np.ndarray
    odd: list[Any]


def read_rows(path: Path) -> Rows:
    """Read an assignment.

    Raises
    ------
    InputError
        It cannot be read or lacks a column.
    """
    text = {name: pa.string() for name in NEEDED}
    try:
        table = csv.read_csv(
            path, convert_options=csv.ConvertOptions(column_types=text, strings_can_be_null=True)
        )
    except (OSError, pa.ArrowException) as error:
        raise InputError(f"cannot read '{path}': {error}; give the CSV of a transcript assignment") from error
    missing = [name for name in NEEDED if name not in table.column_names]
    if missing:
        raise InputError(f"'{path}' has no column '{missing[0]}'; Xenium Ranger needs {', '.join(NEEDED)}")
    columns = {name: table[name].combine_chunks() for name in table.column_names}
    noise = pc.index_in(pc.utf8_lower(columns["is_noise"]), pa.array(list(NOISE)))
    said = np.array([*NOISE.values(), -1], np.int8)[pc.fill_null(noise, -1).to_numpy()]
    x, y, quality = (
        columns[n].to_numpy(zero_copy_only=False) if n in columns else None for n in ("x", "y", "qv")
    )
    cell = columns["cell"]
    return Rows(columns["transcript_id"], cell, _numbers(cell), said, x, y, quality)


def read_outlines(path: Path) -> Outlined:
    """Read outlines: a collection of geometries with a member ``cell``, or of features that tell their cell.

    Raises
    ------
    InputError
        It cannot be read, or is neither.
    """
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read '{path}': {error}; give GeoJSON that is not compressed") from error
    kind = content.get("type") if isinstance(content, dict) else None
    if kind == "GeometryCollection":
        items = [(item.get("cell"), item) for item in content.get("geometries", [])]
    elif kind == "FeatureCollection":
        items = [(_cell_of(item), item.get("geometry") or {}) for item in content.get("features", [])]
    else:
        raise InputError(
            f"'{path}' is a '{kind}'; Xenium Ranger wants a GeometryCollection or a FeatureCollection"
        )
    return _outlined(items)


def _cell_of(feature: dict[str, Any]) -> Any:
    told = (feature.get("properties") or {}).get("cell", feature.get("id"))
    if isinstance(told, str):
        number = int(_numbers(pa.array([told]))[0])
        return told if number < 0 else number
    return told


def _outlined(items: list[tuple[Any, dict[str, Any]]]) -> Outlined:
    import shapely

    whole = [
        (cell, item["coordinates"][0]) for cell, item in items if isinstance(cell, int) and _is_ring(item)
    ]
    good = {id(ring) for _, ring in whole}
    odd = [cell for cell, item in items if not good & {id(ring) for ring in item.get("coordinates") or ()}]
    shape = np.array([shapely.Polygon(ring) for _, ring in whole], object)
    return Outlined(np.array([cell for cell, _ in whole], np.int64), shape, odd)


def _is_ring(item: dict[str, Any]) -> bool:
    """One closed ring of at least four corners, the first repeated."""
    rings = item.get("coordinates") or []
    return (
        item.get("type") == "Polygon"
        and len(rings) == 1
        and len(rings[0]) >= 4
        and rings[0][0] == rings[0][-1]
    )


def _numbers(names: pa.Array) -> np.ndarray:
    """(n,) int64 number at the end of each name, -1 where there is none."""
    encoded = names.dictionary_encode()
    words = encoded.dictionary
    found = pc.extract_regex(words, r"(?P<number>[0-9]{1,18})$")
    number = (
        pc.fill_null(pc.struct_field(found, "number").cast(pa.int64()), -1).to_numpy() if len(words) else []
    )
    return np.append(number, -1).astype(np.int64)[pc.fill_null(encoded.indices, -1).to_numpy()]
