"""Stream a table of transcripts into flat arrays, whatever its columns are called."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from cellcarve.errors import InputError, nearest
from cellcarve.read.convert import Place, Words, as_flags, as_not_gene, as_numbers, as_positions
from cellcarve.read.ids import unique_ids
from cellcarve.read.stream import Stream

_ARRAYS: dict[str, Callable[[pa.Array, Place], np.ndarray]] = {
    "x": as_positions,
    "y": as_positions,
    "z": as_positions,
    "quality": as_numbers,
    "nucleus": as_flags,
    "category": as_not_gene,
}
_WORDS = ("gene", "cell", "fov")
_FLAGS = ("x", "y", "z", "gene", "cell", "nucleus", "id", "quality")


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
    arrays
        ``x``, ``y`` and, where the input has them, ``z`` and ``quality``: (N,) float32; ``nucleus`` and
        ``category`` (True = no gene): (N,) bool.
    codes, words
        ``gene``, ``cell`` and ``fov`` as (N,) int32 into sorted lists of names; -1 = missing.
    ids
        Arrow array of transcript ids, or row numbers.
    """

    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    codes: dict[str, np.ndarray] = field(default_factory=dict)
    words: dict[str, list[str]] = field(default_factory=dict)
    ids: pa.Array = None


def take_in(stream: Stream, columns: Columns) -> Intake:
    """Read all rows.

    Parameters
    ----------
    stream
        Where the rows come from.
    columns
        Which column holds what.

    Raises
    ------
    InputError
        A column is missing, a number is not one, a position is not finite, an id stands twice or there are no rows.
    """
    wanted = columns.named()
    _check_names(stream, wanted)
    parts: dict[str, list] = {what: [] for what in wanted if what not in _WORDS}
    words = {what: Words() for what in wanted if what in _WORDS}
    rows = 0
    for batch in stream.batches([*dict.fromkeys(wanted.values())]):
        for what, name in wanted.items():
            place, column = Place(stream.path, name, rows), batch.column(name)
            if what in words:
                words[what].add(column, place)
            elif what in _ARRAYS:
                parts[what].append(_ARRAYS[what](column, place))
            else:
                parts[what].append(column)
        rows += batch.num_rows
    if rows == 0:
        raise InputError(f"{stream.path} holds no transcripts; check that the export is complete")
    return _assemble(parts, words, stream, columns)


def _check_names(stream: Stream, wanted: dict[str, str]) -> None:
    for what, name in wanted.items():
        if name not in stream.names:
            advice = f"; name it with --{what}-column" if what in _FLAGS else ""
            raise InputError(f"{stream.path} has no column '{name}'{nearest(name, stream.names)}{advice}")
        if stream.names.count(name) > 1:
            raise InputError(f"{stream.path} has more than one column '{name}'; rename all but one")


def _assemble(parts: dict[str, list], words: dict[str, Words], stream: Stream, columns: Columns) -> Intake:
    taken = Intake()
    for what in [what for what in _ARRAYS if what in parts]:
        # Taken out part by part, so that no column is held twice for long.
        taken.arrays[what] = np.concatenate(parts.pop(what))
    while words:
        what, collected = words.popitem()
        taken.codes[what], taken.words[what] = collected.finish()
    missing = taken.codes["gene"] < 0
    if missing.any():
        place = Place(stream.path, columns.gene)
        raise place.fault(int(np.argmax(missing)), "the gene is empty; fill it or take the row out")
    if columns.id is None:
        taken.ids = pa.array(np.arange(len(missing), dtype=np.uint64))
    else:
        taken.ids = unique_ids(parts.pop("id"), stream.path, columns.id)
    return taken
