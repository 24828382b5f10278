"""Transcript ids: kept as the input had them, and all different."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cellcarve.errors import InputError
from cellcarve.read.convert import Place


def unique_ids(parts: list[pa.Array], path: Path, column: str) -> pa.Array:
    """One array of uint64, int64 or string.

    Text becomes numbers only where nothing is lost by it: "0012" stays text.

    Raises
    ------
    InputError
        An id is missing or stands twice; both rows are named.
    """
    place = Place(path, column)
    ids = pa.chunked_array(parts)
    if pa.types.is_dictionary(ids.type):
        ids = ids.cast(ids.type.value_type)
    if ids.null_count:
        row = int(np.argmax(ids.is_null().to_numpy()))
        raise place.fault(row, "the id is empty; fill it or name another column with --id-column")
    ids = _settled(ids, place).combine_chunks()
    values = ids.to_numpy() if pa.types.is_integer(ids.type) else ids.dictionary_encode().indices.to_numpy()
    _refuse_doubles(values, ids, place)
    return ids


def _settled(ids: pa.ChunkedArray, place: Place) -> pa.ChunkedArray:
    """As uint64, int64 or string."""
    if pa.types.is_unsigned_integer(ids.type):
        return ids.cast(pa.uint64())
    try:
        if pa.types.is_integer(ids.type) or pa.types.is_floating(ids.type):
            return ids.cast(pa.int64())
        ids = ids.cast(pa.string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        raise place.misfit(ids.type, "ids") from None
    try:
        numbers = ids.cast(pa.uint64())
    except pa.ArrowInvalid:
        return ids
    return numbers if pc.all(pc.equal(numbers.cast(pa.string()), ids)).as_py() else ids


def _refuse_doubles(values: np.ndarray, ids: pa.Array, place: Place) -> None:
    if (values[1:] > values[:-1]).all():
        return
    in_order = np.sort(values)
    if (in_order[1:] != in_order[:-1]).all():
        return
    order = np.argsort(values, kind="stable")
    again = values[order[1:]] == values[order[:-1]]
    second = int(order[1:][again].min())
    first = int(np.argmax(values == values[second]))
    raise InputError(
        f"{place.path}, column '{place.column}': id {ids[second]} stands in rows {first + 1} and {second + 1}; every "
        "transcript needs an id of its own, so take doubles out or name another column with --id-column"
    )
