"""Tables as CSV, gzipped CSV or Parquet, a batch at a time."""

import gzip
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from cellcarve.data.arrow import as_column
from cellcarve.data.lines import lines
from cellcarve.errors import SettingsError

# Endings that tell a format, longest first.
ENDINGS = {".csv.gz": "csv-gz", ".csv": "csv", ".parquet": "parquet"}
GZIP_LEVEL = 4
# Text of so many rows is made at once: it takes several times the memory of the rows.
LINES_AT_ONCE = 1 << 14


def format_of(path: Path, told: str) -> str:
    """Format of a table: what the user told, else what the file's ending tells.

    Parameters
    ----------
    path
        The file.
    told
        ``infer``, ``csv``, ``csv-gz`` or ``parquet``.

    Raises
    ------
    SettingsError
        Neither tells.
    """
    if told != "infer":
        return told
    for ending, name in ENDINGS.items():
        if path.name.endswith(ending):
            return name
    raise SettingsError(
        f"the ending of '{path}' tells no format; call it .csv, .csv.gz or .parquet, or tell it by the -fmt option"
    )


def full(columns: dict[str, Any], nullable: tuple[str, ...] = ()) -> pa.RecordBatch:
    """Rows of which no column but the named ones ever has a null, and says so.

    Parameters
    ----------
    columns
        Arrays by name.
    nullable
        Columns that may have nulls.
    """
    arrays = {
        name: values if isinstance(values, pa.Array) else as_column(values)
        for name, values in columns.items()
    }
    fields = [pa.field(name, array.type, name in nullable) for name, array in arrays.items()]
    return pa.RecordBatch.from_arrays(list(arrays.values()), schema=pa.schema(fields))


def write_table(
    path: Path, kind: str, schema: pa.Schema, batches: Iterable[pa.RecordBatch], level: int = 3
) -> None:
    """Write a table.

    Parameters
    ----------
    path
        File to make.
    kind
        ``csv``, ``csv-gz`` or ``parquet``.
    schema
        Its columns.
    batches
        Its rows. In CSV nulls are empty fields, booleans ``true`` and ``false``.
    level
        How hard Parquet is compressed (zstd).

    Raises
    ------
    OSError
        It cannot be written.
    """
    if kind == "parquet":
        _write_parquet(path, schema, batches, level)
        return
    if kind == "csv-gz":
        with gzipped(path) as packed:
            write_csv(packed, schema, batches)
        return
    with path.open("wb") as file:
        write_csv(file, schema, batches)


def write_csv(file: IO[bytes] | gzip.GzipFile, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> None:
    """Write rows as CSV, quoting only what needs it.

    Parameters
    ----------
    file
        An open file.
    schema
        Its columns.
    batches
        Its rows.
    """
    file.write((",".join(_quoted(name) for name in schema.names) + "\n").encode())
    for batch in batches:
        for first in range(0, len(batch), LINES_AT_ONCE):
            file.write(lines(batch.slice(first, LINES_AT_ONCE)))


@contextmanager
def gzipped(path: Path) -> Iterator[gzip.GzipFile]:
    """A gzip file to write to; it tells neither its name nor the time, so that equal content has equal bytes."""
    with path.open("wb") as raw, gzip.GzipFile("", "wb", GZIP_LEVEL, raw, mtime=0) as file:
        yield file


def _write_parquet(path: Path, schema: pa.Schema, batches: Iterable[pa.RecordBatch], level: int) -> None:
    ids = {"transcript_id": "DELTA_BINARY_PACKED"}
    packed = {
        name: ids[name]
        for name in ids
        if name in schema.names and pa.types.is_integer(schema.field(name).type)
    }
    repeating = [
        name
        for name in schema.names
        if pa.types.is_dictionary(schema.field(name).type) or name == "assignment"
    ]
    options = {"use_dictionary": repeating, "column_encoding": packed or None}
    with pq.ParquetWriter(path, schema, compression="zstd", compression_level=level, **options) as writer:
        for batch in batches:
            writer.write_batch(batch)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"' if any(sign in name for sign in ',"\n\r') else name
