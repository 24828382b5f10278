"""STOmics Stereo-seq: ``.gem`` and ``.gem.gz`` tables of bin 1.

Lines that begin with # come first; then columns ``geneID`` (or ``geneName``), ``x``, ``y``, the count (``MIDCount``,
``MIDCounts`` or ``UMICount``) and, in cell files, ``CellID`` or ``label``. Spots lie 0.5 µm apart.
"""

import gzip
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

from cellcarve.errors import InputError
from cellcarve.read.convert import Place, as_numbers
from cellcarve.read.intake import Columns
from cellcarve.read.platform import Found, present
from cellcarve.read.stream import CsvStream

PITCH = 0.5
_COUNTS = ("MIDCount", "MIDCounts", "UMICount")
_GENES = ("geneID", "geneName", "gene")
_CELLS = ("CellID", "cell", "label")


class GemStream:
    """Molecules of a gem table: a count of 3 makes three rows.

    Parameters
    ----------
    path
        The table.

    Raises
    ------
    InputError
        It cannot be read, or lacks the column of counts.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._table = CsvStream(path, _comments(path))
        self._count = present(self._table.names, *_COUNTS)
        self.names = [name for name in self._table.names if name != self._count]

    def batches(self, columns: list[str]) -> Iterator[pa.RecordBatch]:
        """The named columns, some rows at a time."""
        if self._count is None:
            yield from self._table.batches(columns)
            return
        rows = 0
        for batch in self._table.batches([*columns, self._count]):
            place = Place(self.path, self._count, rows)
            number = as_numbers(batch.column(len(columns)), place)
            bad = ~((number >= 0) & (number == np.floor(number)))
            if bad.any():
                raise place.fault(
                    int(np.argmax(bad)), "the count is not a whole number; export the table again"
                )
            rows += batch.num_rows
            index = pa.array(np.repeat(np.arange(len(number)), number.astype(np.int64)))
            yield batch.select(columns).take(index)


def recognise(path: Path) -> Found | None:
    """A gem table, or None."""
    if not path.is_file() or not path.name.lower().endswith((".gem", ".gem.gz")):
        return None
    stream = GemStream(path)
    gene = present(stream.names, *_GENES)
    if gene is None:
        raise InputError(f"{path} has no column 'geneID'; export the gem table again")
    columns = Columns("x", "y", gene, cell=present(stream.names, *_CELLS))
    return Found("stereoseq", f"{path.name} is a gem table", stream, columns, scale=PITCH)


def _comments(path: Path) -> int:
    """Lines at the top that begin with #."""
    with path.open("rb") as raw:
        zipped = raw.read(2) == b"\x1f\x8b"
    try:
        with gzip.open(path) if zipped else path.open("rb") as file:
            return next((k for k, line in enumerate(file) if not line.startswith(b"#")), 0)
    except (OSError, EOFError) as error:
        raise InputError(f"{path} cannot be unpacked ({error}); copy or export it again") from error
