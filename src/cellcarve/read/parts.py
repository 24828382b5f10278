"""A table whose rows lie in several parquet files."""

import re
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from cellcarve.errors import InputError
from cellcarve.read.stream import ParquetStream


class PartsStream:
    """The files of a folder one after another, in the order of their numbers.

    Parameters
    ----------
    folder
        Holds ``part.0.parquet``, ``part.1.parquet`` ...; or is itself a parquet file.
    source
        What the user gave, for messages and the record; the folder itself by default.

    Raises
    ------
    InputError
        There are none, one is damaged, or they have different columns.
    """

    def __init__(self, folder: Path, source: Path | None = None) -> None:
        self.path = source or folder
        self.folder = folder
        files = [folder] if folder.is_file() else sorted(folder.glob("*.parquet"), key=_number)
        if not files:
            raise InputError(f"{folder} holds no parquet files; copy or write the store again")
        self._parts = [ParquetStream(file) for file in files]
        self.names = self._parts[0].names
        for part in self._parts[1:]:
            if set(part.names) != set(self.names):
                raise InputError(
                    f"{part.path} has other columns than {self._parts[0].path}; write the store again"
                )

    def batches(self, columns: list[str]) -> Iterator[pa.RecordBatch]:
        """The named columns, some rows at a time."""
        for part in self._parts:
            yield from part.batches(columns)


def _number(file: Path) -> tuple[int, str]:
    digits = re.search(r"(\d+)\D*$", file.stem)
    return int(digits[1]) if digits else -1, file.name
