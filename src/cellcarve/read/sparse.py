"""A matrix of counts, places by genes, as one row per molecule."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
from scipy.sparse import csr_matrix

from cellcarve.errors import InputError

_ROWS = 1 << 17


class SparseStream:
    """Molecules of a count matrix: a count of 3 makes three rows.

    Parameters
    ----------
    path
        Where it comes from, for messages.
    counts
        (B, G) whole numbers from 0 up.
    genes
        G names; the same name again gets ``-1``, ``-2`` ... behind it, and those without counts are left out.
    places
        Columns with B entries each, ``x`` and ``y`` among them.

    Raises
    ------
    InputError
        A count is a fraction or below 0.
    """

    def __init__(self, path: Path, counts: csr_matrix, genes: list[str], places: dict[str, pa.Array]) -> None:
        self.path = path
        self.names = [*places, "gene"]
        self._counts = counts
        self._number = _whole(counts.data, path)
        seen = np.bincount(counts.indices, self._number, len(genes)) > 0
        self._rank = (np.cumsum(seen) - 1).astype(np.int32)
        names = zip(distinct(genes), seen.tolist(), strict=True)
        self._genes = pa.array([name for name, there in names if there], pa.string())
        self._places = places

    def batches(self, columns: list[str]) -> Iterator[pa.RecordBatch]:
        """The named columns, some rows at a time, place by place."""
        end = np.cumsum(self._number)
        total = int(end[-1]) if len(end) else 0
        # Entries of the matrix in pieces of about as many molecules each.
        cut = np.unique(np.searchsorted(end, np.arange(0, total + _ROWS, _ROWS), side="left"))
        edges = np.unique(np.concatenate([[0], cut, [len(end)]]))
        for a, b in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
            entry = a + np.repeat(np.arange(b - a), self._number[a:b])
            yield pa.RecordBatch.from_arrays([self._column(name, entry) for name in columns], columns)

    def _column(self, name: str, entry: np.ndarray) -> pa.Array:
        if name == "gene":
            index = pa.array(self._rank[self._counts.indices[entry]])
            return pa.DictionaryArray.from_arrays(index, self._genes)
        place = np.searchsorted(self._counts.indptr, entry, side="right") - 1
        return self._places[name].take(pa.array(place))


def distinct(names: list[str]) -> list[str]:
    """Names with ``-1``, ``-2`` ... behind those that have come before.

    >>> distinct(["A", "B", "A", "A"])
    ['A', 'B', 'A-1', 'A-2']
    """
    taken = set(names)
    seen: dict[str, int] = {}
    done = []
    for name in names:
        number = seen.get(name, -1) + 1
        while number and f"{name}-{number}" in taken:
            number += 1
        seen[name] = number
        done.append(f"{name}-{number}" if number else name)
    return done


def _whole(values: np.ndarray, path: Path) -> np.ndarray:
    """Counts as int64."""
    if values.dtype.kind == "f" and not np.array_equal(values, np.floor(values)):
        raise InputError(f"{path} holds fractions, not counts; give the table with raw counts")
    if len(values) and values.min() < 0:
        raise InputError(f"{path} holds counts below 0; give the table with raw counts")
    return values.astype(np.int64)
