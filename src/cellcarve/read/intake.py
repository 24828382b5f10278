"""Stream a table of transcripts into flat arrays, whatever its columns are called."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from cellcarve.data import flat
from cellcarve.data.arrow import as_column
from cellcarve.errors import InputError, nearest
from cellcarve.read.convert import Place, Words, as_flags, as_not_gene, as_numbers, as_positions
from cellcarve.read.grow import Growing
from cellcarve.read.ids import Ids
from cellcarve.read.stream import Stream

_ARRAYS: dict[str, Callable[[pa.Array, Place], np.ndarray]] = {
    "x": as_positions,
    "y": as_positions,
    "z": as_positions,
    "quality": as_numbers,
    "nucleus": as_flags,
    "category": as_not_gene,
}
_WORDS = ("gene", "cell", "fov", "compartment", "assignment")
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
    compartment, assignment
        May be missing: words that a caller reads for itself.
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
    compartment: str | None = None
    assignment: str | None = None

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
        ``gene``, ``cell``, ``fov``, ``compartment`` and ``assignment`` as (N,) int32 into sorted lists of words;
        -1 = missing.
    ids
        Arrow array of transcript ids, or row numbers.
    """

    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    codes: dict[str, np.ndarray] = field(default_factory=dict)
    words: dict[str, list[str]] = field(default_factory=dict)
    ids: pa.Array = None


def take_in(stream: Stream, columns: Columns, own_ids: bool = True) -> Intake:
    """Read all rows.

    Parameters
    ----------
    stream
        Where the rows come from.
    columns
        Which column holds what.
    own_ids
        Every transcript must have an id of its own; else ids may be missing (null) and stand more than once.

    Raises
    ------
    InputError
        A column is missing, a number is not one, a position is not finite, an id stands twice that must not or there
        are no rows.
    """
    wanted = columns.named()
    _check_names(stream, wanted)
    arrays = {what: Growing() for what in wanted if what in _ARRAYS}
    words = {what: Words() for what in wanted if what in _WORDS}
    ids = Ids(own_ids)
    rows = 0
    for batch in stream.batches([*dict.fromkeys(wanted.values())]):
        for what, name in wanted.items():
            place, column = Place(stream.path, name, rows), batch.column(name)
            if what in words:
                words[what].add(column, place)
            elif what in arrays:
                arrays[what].add(_ARRAYS[what](column, place))
            else:
                ids.add(column, place)
        rows += batch.num_rows
        flat.relax()
    if rows == 0:
        raise InputError(f"{stream.path} holds no transcripts; check that the export is complete")
    taken = Intake({what: grown.finish() for what, grown in arrays.items()})
    for what, collected in words.items():
        taken.codes[what], taken.words[what] = collected.finish()
    _check_genes(taken.codes["gene"], Place(stream.path, columns.gene))
    taken.ids = ids.finish(Place(stream.path, columns.id)) if columns.id else _row_numbers(rows)
    # Arrow keeps what batches took; later stages need it more.
    pa.default_memory_pool().release_unused()
    return taken


def _check_names(stream: Stream, wanted: dict[str, str]) -> None:
    for what, name in wanted.items():
        if name not in stream.names:
            advice = f"; name it with --{what}-column" if what in _FLAGS else ""
            raise InputError(f"{stream.path} has no column '{name}'{nearest(name, stream.names)}{advice}")
        if stream.names.count(name) > 1:
            raise InputError(f"{stream.path} has more than one column '{name}'; rename all but one")


def _check_genes(gene: np.ndarray, place: Place) -> None:
    missing = gene < 0
    if missing.any():
        raise place.fault(int(np.argmax(missing)), "the gene is empty; fill it or take the row out")


def _row_numbers(rows: int) -> pa.Array:
    numbers = flat.empty(rows, np.uint64)
    numbers[:] = np.arange(rows)
    return as_column(numbers)
