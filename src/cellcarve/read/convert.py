"""Columns of whatever type as plain arrays, with the row named where that fails."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cellcarve.data import flat
from cellcarve.data.arrow import plain
from cellcarve.errors import InputError
from cellcarve.read.grow import Growing

_TRUE = {"1", "1.0", "true", "t", "yes", "nuclear", "nucleus"}
_FALSE = {"0", "0.0", "false", "f", "no"}


@dataclass(frozen=True)
class Place:
    """Where values come from, for messages.

    Attributes
    ----------
    path
        The file.
    column
        Its column.
    first
        Number of rows before these.
    """

    path: Path
    column: str
    first: int = 0

    def fault(self, row: int, what: str) -> InputError:
        """The error for one of these rows, counted in the file from 1."""
        return InputError(f"{self.path}, column '{self.column}', row {self.first + row + 1}: {what}")

    def misfit(self, kind: pa.DataType, what: str) -> InputError:
        """The error for a column of a type that cannot be meant."""
        return InputError(
            f"{self.path}, column '{self.column}' holds {kind}, not {what}; name another column"
        )


def as_positions(column: pa.Array, place: Place) -> np.ndarray:
    """(N,) float32 of which each is finite.

    Raises
    ------
    InputError
        A value is no number, is missing or is infinite.
    """
    values = as_numbers(column, place)
    bad = ~np.isfinite(values)
    if bad.any():
        row = int(np.argmax(bad))
        is_ = "is infinite" if np.isinf(values[row]) else "is missing or not a number"
        raise place.fault(
            row, f"the position {is_}; every transcript needs a finite one, so fill it or take the row out"
        )
    return values


def as_numbers(column: pa.Array, place: Place) -> np.ndarray:
    """(N,) float32; NaN where missing.

    Raises
    ------
    InputError
        A value is no number.
    """
    column = _plain(column)
    if _is_text(column.type):
        column = _parse(column, place)
    elif not (pa.types.is_integer(column.type) or _is_real(column.type)):
        raise place.misfit(column.type, "numbers")
    if pa.types.is_decimal(column.type):
        column = column.cast(pa.float64())
    with np.errstate(over="ignore"):
        return plain(column).astype(np.float32, copy=False)


def as_flags(column: pa.Array, place: Place) -> np.ndarray:
    """(N,) bool from bools, numbers (not 0) or words such as ``Nuclear``; False where missing."""
    if _is_text(_value_type(column)):
        return _by_word(column, place, lambda word: word in _TRUE, missing=False)
    return _truth(column, place, missing=False)


def as_not_gene(column: pa.Array, place: Place) -> np.ndarray:
    """(N,) bool from ``is_gene`` or ``codeword_category``; False where missing, as the name may tell."""
    if _is_text(_value_type(column)):
        return _by_word(column, place, lambda word: not _means_gene(word), missing=False)
    return ~_truth(column, place, missing=True)


class Words:
    """Collects a text column batch by batch as codes into one list of words.

    Parameters
    ----------
    nan
        Word for what is not a number in a column of floats; where it is empty, that is missing.
    """

    def __init__(self, nan: str = "") -> None:
        self._nan = nan
        self._number: dict[str, int] = {}
        self._codes = Growing()

    def add(self, column: pa.Array, place: Place) -> None:
        """Take in some more rows; text, bytes or whole numbers."""
        words, index = _words(column, place, self._nan)
        number = self._number
        # Missing and empty mean the same, and share the last place.
        table = [number.setdefault(w, len(number)) if w else -1 for w in words]
        self._codes.add(np.array([*table, -1], np.int32)[index])

    def finish(self) -> tuple[np.ndarray, list[str]]:
        """(N,) int32 codes, -1 where missing, into the sorted words."""
        words = sorted(self._number)
        rank = np.full(len(words) + 1, -1, np.int32)
        rank[[self._number[w] for w in words]] = np.arange(len(words), dtype=np.int32)
        return flat.recode(self._codes.finish(), rank), words


def _words(column: pa.Array, place: Place, nan: str = "") -> tuple[list[str | None], np.ndarray]:
    """The different words of a column and, per row, the index of its word; missing ones get the last + 1."""
    if pa.types.is_floating(column.type):
        column = _whole(column, place, nan)
    kind = _value_type(column)
    if not (_is_text(kind) or pa.types.is_integer(kind) or pa.types.is_boolean(kind)):
        raise place.misfit(kind, "names")
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    values = column.dictionary
    try:
        words = values.cast(pa.string()).to_pylist()
    except pa.ArrowInvalid:
        raise InputError(
            f"{place.path}, column '{place.column}' holds bytes that are not UTF-8 text; export it again"
        ) from None
    return words, plain(_filled(column.indices.cast(pa.int32()), len(words)))


def _whole(column: pa.Array, place: Place, nan: str) -> pa.Array:
    """Numbers written as floats because some are missing; as text, where there is a word for those."""
    gap = _filled(pc.is_nan(column), False)
    try:
        whole = pc.if_else(gap, pa.scalar(None, column.type), column).cast(pa.int64())
    except pa.ArrowInvalid:
        raise place.misfit(column.type, "names or whole numbers") from None
    return pc.if_else(gap, nan, whole.cast(pa.string())) if nan else whole


def _by_word(column: pa.Array, place: Place, test: Callable[[str], bool], missing: bool) -> np.ndarray:
    words, index = _words(column, place)
    return np.array([*(test(w.lower()) if w else missing for w in words), missing], bool)[index]


def _truth(column: pa.Array, place: Place, missing: bool) -> np.ndarray:
    if pa.types.is_boolean(column.type):
        return plain(_filled(column, missing))
    values = as_numbers(column, place)
    return np.where(np.isnan(values), missing, values != 0)


def _means_gene(word: str) -> bool:
    """``predesigned_gene``, ``custom_gene``, ``true``: yes; ``genomic_control_probe``, ``blank``, ``false``: no."""
    if word in _TRUE | _FALSE:
        return word in _TRUE
    return "gene" in word and not word.startswith("genomic")


def _parse(column: pa.Array, place: Place) -> pa.Array:
    column = pc.utf8_trim_whitespace(column.cast(pa.string()))
    column = pc.if_else(pc.equal(column, ""), pa.scalar(None, pa.string()), column)
    try:
        return column.cast(pa.float64())
    except pa.ArrowInvalid:
        row = _first_bad(column)
        raise place.fault(
            row, f"'{column[row].as_py()}' is not a number; correct it or name another column"
        ) from None


def _first_bad(column: pa.Array) -> int:
    """Row of the first text that is no number, by halving."""
    low, high = 0, len(column)
    while high - low > 1:
        middle = (low + high) // 2
        try:
            column.slice(low, middle - low).cast(pa.float64())
            low = middle
        except pa.ArrowInvalid:
            high = middle
    return low


def _filled(column: pa.Array, value: object) -> pa.Array:
    return column.fill_null(value) if column.null_count else column


def _plain(column: pa.Array) -> pa.Array:
    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column


def _value_type(column: pa.Array) -> pa.DataType:
    return column.type.value_type if pa.types.is_dictionary(column.type) else column.type


def _is_real(kind: pa.DataType) -> bool:
    return pa.types.is_floating(kind) or pa.types.is_decimal(kind)


def _is_text(kind: pa.DataType) -> bool:
    tests = (pa.types.is_string, pa.types.is_large_string, pa.types.is_binary, pa.types.is_large_binary)
    return any(test(kind) for test in tests) or pa.types.is_string_view(kind)
