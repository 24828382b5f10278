"""Transcript ids: kept as the input had them."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cellcarve.data import flat
from cellcarve.data.arrow import as_column, plain
from cellcarve.errors import InputError
from cellcarve.read.convert import Place
from cellcarve.read.grow import Growing


class Ids:
    """Collects ids batch by batch: as numbers while nothing is lost by it, else as text; "0012" stays text.

    Parameters
    ----------
    own
        Every transcript must have an id, and one of its own.
    """

    def __init__(self, own: bool = True) -> None:
        self._own = own
        self._numbers = Growing()
        self._texts: list[pa.Array] = []
        self._missing: list[np.ndarray] = []
        self._any = False

    def add(self, column: pa.Array, place: Place) -> None:
        """Take in some more rows.

        Raises
        ------
        InputError
            An id is missing that must be there, or the column cannot hold ids.
        """
        if pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        if column.null_count:
            missing = np.flatnonzero(column.is_null().to_numpy(zero_copy_only=False))
            if self._own:
                raise place.fault(int(missing[0]), "the id is empty; fill it or name another column of ids")
            self._missing.append(place.first + missing)
        column = _settled(column, place)
        if pa.types.is_integer(column.type) and not self._texts:
            self._numbers.add(plain(column.fill_null(0)))
            self._any = True
            return
        if self._any:
            self._texts, self._any = [self._as_numbers().cast(pa.string())], False
        self._texts.append(column.cast(pa.string()))

    def finish(self, place: Place) -> pa.Array:
        """All ids: uint64, int64 or string.

        Raises
        ------
        InputError
            An id stands twice that must not; both rows are named.
        """
        ids = pa.concat_arrays(self._texts) if self._texts else self._as_numbers()
        if self._own:
            values = ids.dictionary_encode().indices.to_numpy() if self._texts else self._numbers.finish()
            _refuse_doubles(values, ids, place)
        return ids

    def _as_numbers(self) -> pa.Array:
        values = self._numbers.finish()
        if not self._missing:
            return as_column(values)
        missing = np.zeros(len(values), bool)
        gone = np.concatenate(self._missing)
        missing[gone[gone < len(values)]] = True
        return as_column(values, missing)


def _settled(ids: pa.Array, place: Place) -> pa.Array:
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
    in_order = flat.empty(len(values), values.dtype)
    in_order[:] = values
    in_order.sort()
    if (in_order[1:] != in_order[:-1]).all():
        return
    order = np.argsort(values, kind="stable")
    again = values[order[1:]] == values[order[:-1]]
    second = int(order[1:][again].min())
    first = int(np.argmax(values == values[second]))
    raise InputError(
        f"{place.path}, column '{place.column}': id {ids[second]} stands in rows {first + 1} and {second + 1}; every "
        "transcript needs an id of its own, so take doubles out or name another column of ids"
    )
