"""SpatialData stores on disk, of either zarr format and any version: their elements as files."""

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from cellcarve.errors import InputError, nearest
from cellcarve.read.anndata import is_table
from cellcarve.read.parts import PartsStream

KINDS = ("points", "shapes", "tables", "labels", "images")


def is_store(path: Path) -> bool:
    """Whether a folder holds elements as SpatialData does."""
    return path.is_dir() and any((path / kind).is_dir() for kind in KINDS)


def elements(path: Path, kind: str) -> list[str]:
    """Names of the elements of a kind, sorted."""
    folder = path / kind
    return sorted(e.name for e in folder.iterdir() if e.is_dir()) if folder.is_dir() else []


def points_of(path: Path, name: str | None = None) -> PartsStream:
    """The transcripts of a store.

    Parameters
    ----------
    path
        The store.
    name
        Element to take; where nothing is said, the one that is called after transcripts, or the first.

    Raises
    ------
    InputError
        It is no store, or holds no such points.
    """
    check_store(path)
    names = elements(path, "points")
    if not names:
        raise InputError(f"{path} holds no points; give a store with the transcripts as points")
    if name is None:
        name = next((n for n in names if "transcript" in n.lower()), names[0])
    if name not in names:
        raise InputError(f"{path} has no points '{name}'{nearest(name, names)}")
    folder = path / "points" / name / "points.parquet"
    if not folder.exists():
        raise InputError(f"{path}: the points '{name}' lack points.parquet; write the store again")
    return PartsStream(folder, path)


def facts_of(points: PartsStream) -> dict[str, Any]:
    """What the store says of points: ``feature_key`` and ``instance_key`` where it does."""
    folder = points.folder.parent
    for file, inner in ((folder / "zarr.json", "attributes"), (folder / ".zattrs", None)):
        try:
            content = json.loads(file.read_text())
        except (OSError, ValueError):
            continue
        attributes = content.get(inner, {}) if inner else content
        return dict(attributes.get("spatialdata_attrs", {}))
    return {}


def table_of(path: Path, name: str | None = None) -> Path:
    """Folder of a table of a store, which is an AnnData.

    Raises
    ------
    InputError
        It is no store, or holds no such table.
    """
    check_store(path)
    names = elements(path, "tables") + elements(path, "table")
    if name is None:
        name = names[0] if names else "table"
    for kind in ("tables", "table"):
        if is_table(path / kind / name):
            return path / kind / name
    raise InputError(f"{path} has no table '{name}'{nearest(name, names)}")


def shapes_of(path: Path, name: str) -> Path:
    """GeoParquet file of a shapes element of a store.

    Raises
    ------
    InputError
        It is no store, or holds no such shapes.
    """
    check_store(path)
    file = path / "shapes" / name / "shapes.parquet"
    if not file.is_file():
        raise InputError(f"{path} has no shapes '{name}'{nearest(name, elements(path, 'shapes'))}")
    return file


def index_of(file: Path) -> str | None:
    """Column that was the index of the data frame that a parquet file was made from."""
    text = (pq.read_schema(file).metadata or {}).get(b"pandas")
    columns = json.loads(text).get("index_columns", []) if text else []
    return columns[0] if columns and isinstance(columns[0], str) else None


def check_store(path: Path) -> None:
    """Refuse what is no SpatialData store.

    Raises
    ------
    InputError
        It is a file (zipped, perhaps) or another folder.
    """
    if path.is_file():
        raise InputError(f"{path} is a file; a SpatialData store is a folder, so unpack it")
    if not is_store(path):
        raise InputError(
            f"{path} is no SpatialData store: it holds none of {', '.join(KINDS)}; check the path"
        )
