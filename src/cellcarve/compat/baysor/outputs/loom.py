"""Loom files, version 3.0.0 of their specification."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csc_matrix, csr_matrix

if TYPE_CHECKING:
    import h5py

ROWS, COLUMNS = 64, 4096
_VERSION = "3.0.0"
Attributes = dict[str, np.ndarray]


@contextmanager
def loom(
    path: Path, shape: tuple[int, int], kind: type, rows: Attributes, columns: Attributes
) -> "Iterator[h5py.Dataset]":
    """A new loom file, its matrix open to be filled; blocks left out stay 0.

    Parameters
    ----------
    path
        The file.
    shape, kind
        Of the matrix.
    rows, columns
        Attributes: name to values, text or numbers.

    Yields
    ------
    h5py.Dataset
        The matrix, stored in blocks of `ROWS` by `COLUMNS`.

    Raises
    ------
    OSError
        The file cannot be written.
    """
    import h5py

    with h5py.File(path, "w") as file:
        file.create_dataset("attrs/LOOM_SPEC_VERSION", data=_VERSION, dtype=h5py.string_dtype())
        # Readers refuse a file without these, even if they are empty.
        for group in ("layers", "row_graphs", "col_graphs"):
            file.create_group(group)
        for where, attributes in (("row_attrs", rows), ("col_attrs", columns)):
            group = file.create_group(where)
            for name, values in attributes.items():
                _attribute(group, name, np.asarray(values))
        if min(shape) == 0:
            yield file.create_dataset("matrix", shape=shape, dtype=kind)
            return
        chunks = min(ROWS, shape[0]), min(COLUMNS, shape[1])
        yield file.create_dataset(
            "matrix",
            shape=shape,
            dtype=kind,
            chunks=chunks,
            compression="gzip",
            compression_opts=3,
            shuffle=True,
        )


def write_loom(path: Path, matrix: csr_matrix, rows: Attributes, columns: Attributes) -> None:
    """Write a sparse matrix; parameters as of `loom`.

    Raises
    ------
    OSError
        The file cannot be written.
    """
    with loom(path, matrix.shape, matrix.dtype.type, rows, columns) as stored:
        for top in range(0, matrix.shape[0], ROWS):
            _band(stored, top, matrix[top : top + ROWS].tocsc())


def _band(stored: "h5py.Dataset", top: int, band: csc_matrix) -> None:
    """Some rows of the matrix, from row `top` on, in blocks."""
    for left in range(0, band.shape[1], COLUMNS):
        block = band[:, left : left + COLUMNS]
        if block.nnz:
            stored[top : top + ROWS, left : left + COLUMNS] = block.toarray()


def _attribute(group: "h5py.Group", name: str, values: np.ndarray) -> None:
    import h5py

    if values.dtype.kind in "OUS":
        group.create_dataset(name, data=values.astype(object), dtype=h5py.string_dtype())
    else:
        group.create_dataset(name, data=values)
