"""Tables in memory: pandas, Arrow, and the transcripts of a SpatialData object or store."""

from pathlib import Path
from typing import Any

import pyarrow as pa

from cellcarve.errors import InputError
from cellcarve.read.platform import Found
from cellcarve.read.stream import MemoryStream
from cellcarve.read.table import of_stream


def recognise(source: Any) -> Found:
    """A DataFrame, an Arrow table or a SpatialData object.

    Raises
    ------
    InputError
        It is none of these, or holds no points.
    """
    if isinstance(source, pa.Table):
        return of_stream(MemoryStream(source), "memory", "an Arrow table")
    if hasattr(source, "points") and hasattr(source, "shapes"):
        return of_stream(MemoryStream(_points(source)), "memory", "a SpatialData object")
    if hasattr(source, "columns") and hasattr(source, "to_numpy"):
        table = pa.Table.from_pandas(source, preserve_index=False)
        return of_stream(MemoryStream(table), "memory", "a DataFrame")
    raise InputError(
        f"cannot read transcripts from a {type(source).__name__}; give a path, a DataFrame, an Arrow table or a SpatialData"
    )


def open_store(path: Path) -> Found:
    """A SpatialData store on disk."""
    import spatialdata

    try:
        store = spatialdata.read_zarr(path, selection=("points",))
    except Exception as error:
        raise InputError(f"{path} cannot be read as a SpatialData store ({error}); check the path") from error
    found = recognise(store)
    found.why = f"{path.name} is a SpatialData store"
    return found


def _points(store: Any) -> pa.Table:
    """The transcripts: the only points element, or the one called so."""
    names = list(store.points)
    if not names:
        raise InputError("the SpatialData holds no points; give one with the transcripts as points")
    name = next((n for n in names if "transcript" in n.lower()), names[0])
    return pa.Table.from_pandas(store.points[name].compute(), preserve_index=False)
