"""GeoJSON from columns: text is made for all cells at once, never cell by cell."""

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

# Features turned into text at a time.
AT_ONCE = 50_000


def objects(columns: dict[str, Any]) -> pa.StringArray:
    """A JSON object per row.

    Parameters
    ----------
    columns
        By name: numbers (NaN becomes null), truth values or words as (n,) numpy arrays; or an Arrow array of text
        that is JSON already.

    Returns
    -------
    pa.StringArray
        (n,) objects with these members.
    """
    parts: list[Any] = []
    for name, values in columns.items():
        before = ("," if parts else "{") + f'"{name}":'
        parts += [before, values if isinstance(values, pa.Array) else _values(values)]
    return pc.binary_join_element_wise(*parts, "}", "")


def geometries(shapes: np.ndarray) -> pa.StringArray:
    """Shapely geometries as GeoJSON, None as null."""
    import shapely

    drawn = np.array([shape is not None for shape in shapes], bool)
    text = np.full(len(shapes), "null", object)
    text[drawn] = shapely.to_geojson(shapes[drawn])
    return pa.array(text, pa.string())


def write_collection(path: Path, features: Callable[[slice], pa.StringArray], number: int) -> None:
    """Write a collection of features, gzipped where the file's name ends in ``.gz``.

    Parameters
    ----------
    path
        File to make.
    features
        Gives the features of a range as JSON.
    number
        How many there are.

    Raises
    ------
    OSError
        It cannot be written.
    """
    packed = path.name.endswith(".gz")
    with path.open("wb") as raw, gzip.GzipFile("", "wb", 4, raw, mtime=0) if packed else raw as file:
        file.write(b'{"type":"FeatureCollection","features":[')
        for first in range(0, number, AT_ONCE):
            lines = features(slice(first, min(first + AT_ONCE, number))).to_pylist()
            file.write(((",\n" if first else "\n") + ",\n".join(lines)).encode())
        file.write(b"\n]}\n")


def _values(values: Any) -> pa.Array:
    """Numbers or words as JSON."""
    values = np.asarray(values)
    if values.dtype.kind in "OUT":
        words = pa.array(values, pa.string())
        for sign, escaped in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\t", "\\t"), ("\r", "\\r")):
            words = pc.replace_substring(words, sign, escaped)
        return pc.fill_null(pc.binary_join_element_wise('"', words, '"', ""), "null")
    unknown = ~np.isfinite(values) if values.dtype.kind == "f" else np.zeros(len(values), bool)
    return pc.fill_null(pa.array(values, mask=unknown).cast(pa.string()), "null")
