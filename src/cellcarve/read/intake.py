"""Stream a table of transcripts into flat arrays, whatever its columns are called."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cellcarve.errors import InputError, nearest
from cellcarve.read.stream import Stream

NUMBERS = ("x", "y", "z", "quality")
WORDS = ("gene", "cell", "fov")


@dataclass(frozen=True)
class Columns:
    """Which column holds what; None where the input has no such thing.

    Attributes
    ----------
    x, y, gene
        Must be there.
    z, quality, cell, fov, nucleus, id, category
        May be missing; `category` says of what kind a probe is (``is_gene`` or ``codeword_category``).
    """

    x: str
    y: str
    gene: str
    z: str | None = None
    quality: str | None = None
    cell: str | None = None
    fov: str | None = None
    nucleus: str | None = None
    id: str | None = None
    category: str | None = None

    def named(self) -> dict[str, str]:
        """What is there, by our names."""
        return {k: v for k, v in vars(self).items() if v is not None}


@dataclass
class Intake:
    """Columns of a table as flat arrays, in input order; N rows.

    Attributes
    ----------
    numbers
        ``x``, ``y`` and, where the input has them, ``z`` and ``quality``: (N,) float32.
    codes, words
        ``gene``, ``cell`` and ``fov`` as (N,) int32 into sorted lists of names.
    nucleus, not_gene
        (N,) bool, or None where the input does not say.
    ids
        Arrow array of transcript ids, or row numbers.
    """

    numbers: dict[str, np.ndarray] = field(default_factory=dict)
    codes: dict[str, np.ndarray] = field(default_factory=dict)
    words: dict[str, list[str]] = field(default_factory=dict)
    nucleus: np.ndarray | None = None
    not_gene: np.ndarray | None = None
    ids: pa.Array = None


def take_in(stream: Stream, columns: Columns, named_by_flag: dict[str, str]) -> Intake:
    """Read all rows.

    Parameters
    ----------
    stream
        Where the rows come from.
    columns
        Which column holds what.
    named_by_flag
        Flag that names each column, for messages.

    Raises
    ------
    InputError
        A column is missing, a number is not one, a position is not finite, an id stands twice or there are no rows.
    """
    wanted = columns.named()
    for what, name in wanted.items():
        if name not in stream.names:
            flag = named_by_flag.get(what)
            advice = f"; name it with {flag}" if flag else ""
            raise InputError(f"{stream.path} has no column '{name}'{nearest(name, stream.names)}{advice}")
    parts: dict[str, list] = {what: [] for what in wanted}
    rows = 0
    for batch in stream.batches([*dict.fromkeys(wanted.values())]):
        for what, name in wanted.items():
            parts[what].append(_convert(batch.column(name), what, name, stream.path, rows))
        rows += batch.num_rows
    if rows == 0:
        raise InputError(f"{stream.path} holds no transcripts; check that the export is complete")
    return _assemble(parts, rows, stream.path, columns)


def _convert(column: pa.Array, what: str, name: str, path: Path, first: int) -> pa.Array | np.ndarray:
    if what in NUMBERS:
        return _number(column, what, name, path, first)
    if what in WORDS:
        return _dictionary(column)
    if what == "nucleus":
        return _flag(column)
    if what == "category":
        return _not_gene(column)
    return column


def _number(column: pa.Array, what: str, name: str, path: Path, first: int) -> np.ndarray:
    """float32; positions must be finite."""
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        column = _parse(column, name, path, first)
    values = column.cast(pa.float64()).to_numpy(zero_copy_only=False)
    if what != "quality" and not np.isfinite(values).all():
        row = int(np.flatnonzero(~np.isfinite(values))[0])
        raise InputError(
            f"{path}, column '{name}', row {first + row + 1}: the position is {values[row]}; "
            "every transcript needs a finite position, so fill it or take the row out"
        )
    return values.astype(np.float32)


def _parse(column: pa.Array, name: str, path: Path, first: int) -> pa.Array:
    try:
        return column.cast(pa.float64())
    except pa.ArrowInvalid:
        for row, text in enumerate(column.to_pylist()):
            try:
                float(text or "nan")
            except ValueError:
                raise InputError(
                    f"{path}, column '{name}', row {first + row + 1}: '{text}' is not a number; correct it or name "
                    "another column"
                ) from None
        raise


def _dictionary(column: pa.Array) -> pa.DictionaryArray:
    """Dictionary of strings from text, bytes or whole numbers."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(pa.dictionary(pa.int32(), column.type.value_type))
    else:
        column = column.dictionary_encode()
    values = column.dictionary
    if pa.types.is_floating(values.type):
        values = values.cast(pa.int64(), safe=False)
    return pa.DictionaryArray.from_arrays(column.indices.cast(pa.int32()), values.cast(pa.string()))


def _flag(column: pa.Array) -> np.ndarray:
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        return pc.is_in(pc.utf8_lower(column), pa.array(["1", "true", "nuclear", "nucleus"])).to_numpy(False)
    return pc.fill_null(pc.not_equal(column.cast(pa.float64()), 0), False).to_numpy(False)


def _not_gene(column: pa.Array) -> np.ndarray:
    if pa.types.is_boolean(column.type):
        return ~pc.fill_null(column, True).to_numpy(False)
    words = _dictionary(column)
    gene = np.array(
        ["gene" in (w or "") and not (w or "").startswith("genomic") for w in words.dictionary.to_pylist()]
    )
    code = pc.fill_null(words.indices, 0).to_numpy(False)
    return ~gene[code] if len(gene) else np.zeros(len(code), bool)


def _assemble(parts: dict[str, list], rows: int, path: Path, columns: Columns) -> Intake:
    taken = Intake()
    for what in NUMBERS:
        if what in parts:
            taken.numbers[what] = np.concatenate(parts.pop(what))
    for what in WORDS:
        if what in parts:
            taken.codes[what], taken.words[what] = _unify(parts.pop(what))
    if (taken.codes["gene"] < 0).any():
        row = int(np.flatnonzero(taken.codes["gene"] < 0)[0]) + 1
        raise InputError(
            f"{path}, column '{columns.gene}', row {row}: the gene is empty; fill it or take the row out"
        )
    taken.nucleus = np.concatenate(parts["nucleus"]) if "nucleus" in parts else None
    taken.not_gene = np.concatenate(parts["category"]) if "category" in parts else None
    taken.ids = pa.array(np.arange(rows)) if "id" not in parts else _ids(parts["id"], path, str(columns.id))
    return taken


def _unify(parts: list[pa.DictionaryArray]) -> tuple[np.ndarray, list[str]]:
    """Codes (int32, -1 = null) into one sorted list of words."""
    words = sorted({w for part in parts for w in part.dictionary.to_pylist() if w is not None})
    place = {w: i for i, w in enumerate(words)}
    codes = []
    for part in parts:
        table = np.array([place.get(w, -1) for w in part.dictionary.to_pylist()] + [-1], np.int32)
        codes.append(table[pc.fill_null(part.indices, len(table) - 1).to_numpy(False)])
    return np.concatenate(codes), words


def _ids(parts: list[pa.Array], path: Path, name: str) -> pa.Array:
    """Ids as uint64, int64 or string; all different."""
    ids = pa.chunked_array(parts).combine_chunks()
    if pa.types.is_dictionary(ids.type):
        ids = ids.dictionary_decode()
    for kind in (pa.uint64(), pa.int64(), pa.string()):
        try:
            ids = ids.cast(kind)
            break
        except pa.ArrowInvalid:
            continue
    if pc.count_distinct(ids).as_py() < len(ids):
        _name_double(ids, path, name)
    return ids


def _name_double(ids: pa.Array, path: Path, name: str) -> None:
    seen: dict[object, int] = {}
    for row, value in enumerate(ids.to_pylist()):
        if value in seen:
            raise InputError(
                f"{path}, column '{name}': id {value} stands in rows {seen[value] + 1} and {row + 1}; "
                f"every transcript needs an id of its own, so take doubles out or name another column with --id-column"
            )
        seen[value] = row
