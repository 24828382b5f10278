"""Loom files, version 3.0.0 of their specification."""

from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix

_ROWS, _COLUMNS = 64, 4096
_VERSION = "3.0.0"


def write_loom(
    path: Path, matrix: csr_matrix, rows: dict[str, np.ndarray], columns: dict[str, np.ndarray]
) -> None:
    """Write a matrix with attributes of its rows and columns.

    Parameters
    ----------
    path
        The file.
    matrix
        (rows, columns) of the type that is stored; written some rows at a time.
    rows, columns
        Attributes: name to values, text or numbers.

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
            file.create_group(where)
            for name, values in attributes.items():
                _attribute(file, f"{where}/{name}", values)
        _matrix(file, matrix)


def _attribute(file: Any, name: str, values: np.ndarray) -> None:
    import h5py

    values = np.asarray(values)
    if values.dtype.kind in "OUS":
        file.create_dataset(name, data=values.astype(object), dtype=h5py.string_dtype())
    else:
        file.create_dataset(name, data=values)


def _matrix(file: Any, matrix: csr_matrix) -> None:
    """Blocks of nothing are left out: the file's zero stands for them."""
    height, width = matrix.shape
    chunks = (max(1, min(_ROWS, height)), max(1, min(_COLUMNS, width)))
    whole = height > 0 and width > 0
    stored = file.create_dataset(
        "matrix",
        shape=matrix.shape,
        dtype=matrix.dtype,
        **(
            {"chunks": chunks, "compression": "gzip", "compression_opts": 3, "shuffle": True} if whole else {}
        ),
    )
    for top in range(0, height, chunks[0]):
        band = matrix[top : top + chunks[0]].tocsc()
        for left in range(0, width, chunks[1]):
            block = band[:, left : left + chunks[1]]
            if block.nnz:
                stored[top : top + chunks[0], left : left + chunks[1]] = block.toarray()
