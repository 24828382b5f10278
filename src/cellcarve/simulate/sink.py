"""Parquet files that are written as their rows come."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

# Rows of a row group.
GROUP = 1_000_000


class Sink:
    """A Parquet file that is written in row groups of about a million rows."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._waiting: list[pa.Table] = []
        self._writer: pq.ParquetWriter | None = None

    def __enter__(self) -> "Sink":
        return self

    def __exit__(self, *error: object) -> None:
        if self._waiting:
            self._flush()
        if self._writer is not None:
            self._writer.close()

    def add(self, table: pa.Table) -> None:
        """Take some more rows."""
        self._waiting.append(table)
        if sum(len(part) for part in self._waiting) >= GROUP:
            self._flush()

    def _flush(self) -> None:
        table = pa.concat_tables(self._waiting)
        self._waiting = []
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._path, table.schema, compression="zstd")
        self._writer.write_table(table)
