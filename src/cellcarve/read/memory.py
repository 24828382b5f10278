"""Tables in memory: pandas, Arrow, and the transcripts of a SpatialData object."""

from typing import Any

import pyarrow as pa

from cellcarve.errors import InputError
from cellcarve.read.platform import Found
from cellcarve.read.stream import MemoryStream, first_line
from cellcarve.read.table import of_stream


def recognise(source: Any) -> Found:
    """A DataFrame, an Arrow table or a SpatialData object.

    Parameters
    ----------
    source
        What was given.

    Raises
    ------
    InputError
        It is none of these, or holds no points.
    """
    if isinstance(source, pa.Table):
        return _found(source, "an Arrow table")
    if hasattr(source, "points") and hasattr(source, "shapes"):
        return _found(_points(source), "a SpatialData object")
    if hasattr(source, "columns") and hasattr(source, "to_numpy"):
        return _found(_arrow(source), "a DataFrame")
    raise InputError(
        f"cannot read transcripts from a {type(source).__name__}; give a path, a DataFrame, an Arrow table or a SpatialData"
    )


def _found(table: pa.Table, why: str) -> Found:
    return of_stream(MemoryStream(table), "memory", why)


def _arrow(frame: Any) -> pa.Table:
    try:
        return pa.Table.from_pandas(frame, preserve_index=False)
    except (pa.ArrowException, AttributeError, TypeError, ValueError) as error:
        raise InputError(
            f"the DataFrame cannot be taken in ({first_line(error)}); give every column a name of its own and one type"
        ) from error


def _points(store: Any) -> pa.Table:
    """The transcripts: the only points element, or the one called so."""
    names = list(store.points)
    if not names:
        raise InputError("the SpatialData holds no points; give one with the transcripts as points")
    name = next((n for n in names if "transcript" in n.lower()), names[0])
    frame = store.points[name].compute()
    # Holds transformations, which Arrow would warn about.
    frame.attrs = {}
    return _arrow(frame)
