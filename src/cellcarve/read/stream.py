"""Rows of a parquet, csv or in-memory table in batches."""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.parquet as pq

from cellcarve.errors import InputError

# Small batches and a small read buffer hold memory down and are no slower.
_ROWS, _BUFFER, _BLOCK = 1 << 17, 1 << 20, 1 << 22
PICTURE_ENDINGS = (".tif", ".tiff", ".png", ".jpg", ".jpeg")
_TEXT = (pa.string(), pa.large_string(), pa.binary(), pa.large_binary())


class Stream(Protocol):
    """A table whose rows can be read once, in order."""

    path: Path
    names: list[str]

    def batches(self, columns: list[str]) -> Iterator[pa.RecordBatch]:
        """The named columns, some rows at a time."""


class ParquetStream:
    """A parquet file; text columns are read as dictionaries."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            schema = pq.read_schema(path)
        except (pa.ArrowInvalid, OSError) as error:
            raise InputError(
                f"{path} cannot be read as parquet ({first_line(error)}); copy or export it again"
            ) from error
        self.names = schema.names
        self._text = [f.name for f in schema if f.type in _TEXT]

    def batches(self, columns: list[str]) -> Iterator[pa.RecordBatch]:
        """The named columns, some rows at a time."""
        text = [name for name in columns if name in self._text]
        try:
            with pq.ParquetFile(self.path, read_dictionary=text, buffer_size=_BUFFER) as file:
                yield from file.iter_batches(_ROWS, columns=columns)
        except (pa.ArrowInvalid, OSError) as error:
            raise InputError(
                f"{self.path} breaks off or is damaged ({first_line(error)}); copy or export it again"
            ) from error


class CsvStream:
    """A csv or tsv file, gzipped or not; the first `skip` lines are no part of the table.

    Words such as NA, null and nan are missing values, as empty fields are; `literal` takes them for what they say.
    """

    def __init__(self, path: Path, skip: int = 0, literal: bool = False) -> None:
        self.path = path
        self._skip = skip
        self._nulls = [""] if literal else None
        self._delimiter = _delimiter(path, skip)
        self._types: dict[str, pa.DataType] = {}
        try:
            with self._open() as reader:
                self.names = reader.schema.names
        except (pa.ArrowInvalid, OSError, StopIteration) as error:
            raise InputError(
                f"{path} cannot be read as a table ({first_line(error)}); check the file"
            ) from error
        # Types guessed from the first block may fail later on: take everything as text, and parse numbers with the
        # row named where that fails.
        self._types = dict.fromkeys(self.names, pa.string())

    def _open(self, columns: list[str] | None = None) -> csv.CSVStreamingReader:
        return csv.open_csv(
            pa.input_stream(str(self.path), compression="gzip" if _is_gzip(self.path) else None),
            read_options=csv.ReadOptions(block_size=_BLOCK, skip_rows=self._skip),
            parse_options=csv.ParseOptions(delimiter=self._delimiter),
            convert_options=csv.ConvertOptions(
                column_types=self._types,
                include_columns=columns,
                null_values=self._nulls,
                strings_can_be_null=True,
            ),
        )

    def batches(self, columns: list[str]) -> Iterator[pa.RecordBatch]:
        """The named columns, some rows at a time."""
        try:
            with self._open(columns) as reader:
                yield from reader
        except (pa.ArrowInvalid, OSError) as error:
            raise InputError(
                f"{self.path} cannot be read to its end ({first_line(error)}); check the file"
            ) from error


class MemoryStream:
    """An Arrow table in memory."""

    def __init__(self, table: pa.Table, path: Path | None = None) -> None:
        self.path = path or Path("the table in memory")
        self.names = table.column_names
        self._table = table

    def batches(self, columns: list[str]) -> Iterator[pa.RecordBatch]:
        """The named columns, some rows at a time."""
        yield from self._table.select(columns).to_batches(_ROWS)


def open_stream(path: Path, literal: bool = False) -> Stream:
    """Parquet by its ending or first bytes, everything else as csv; `literal` as of `CsvStream`."""
    with path.open("rb") as file:
        magic = file.read(4)
    if magic == b"PAR1" or path.suffix == ".parquet":
        return ParquetStream(path)
    if path.suffix.lower() in PICTURE_ENDINGS:
        raise InputError(
            f"{path} is a picture; name the table of transcripts, and give pictures to --image or --prior"
        )
    return CsvStream(path, literal=literal)


def _is_gzip(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == b"\x1f\x8b"


def _delimiter(path: Path, skip: int) -> str:
    """The commonest of comma, tab and semicolon in the first line, or in the first after those skipped."""
    with pa.input_stream(str(path), compression="gzip" if _is_gzip(path) else None) as file:
        try:
            line = file.read(65536).split(b"\n", skip + 1)[: skip + 1][-1].decode(errors="replace")
        except (OSError, pa.ArrowInvalid) as error:
            raise InputError(
                f"{path} cannot be unpacked ({first_line(error)}); copy or export it again"
            ) from error
    return max(",\t;", key=line.count)


def first_line(error: BaseException) -> str:
    """What a library says is wrong, short enough to stand inside a sentence."""
    line = str(error).strip().split("\n")[0].rstrip(".")[:160]
    return "".join(letter if letter.isprintable() else "?" for letter in line)
