"""Counts as gzipped MatrixMarket: cells by genes."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc
from scipy.sparse import csr_matrix

from cellcarve.compat.proseg.outputs.tables import gzipped

# Entries turned into text at a time.
AT_ONCE = 1_000_000


def write_matrix(path: Path, matrix: csr_matrix) -> None:
    """Write a sparse matrix, rows and columns counted from 1, entries in full precision.

    Parameters
    ----------
    path
        File to make.
    matrix
        (C, G) cells by genes.

    Raises
    ------
    OSError
        It cannot be written.
    """
    matrix = matrix.tocsr()
    plain = pc.WriteOptions(include_header=False, delimiter=" ", quoting_style="none")
    with gzipped(path) as file:
        file.write(b"%%MatrixMarket matrix coordinate real general\n")
        file.write(f"{matrix.shape[0]} {matrix.shape[1]} {matrix.nnz}\n".encode())
        for first in range(0, matrix.nnz, AT_ONCE):
            last = min(first + AT_ONCE, matrix.nnz)
            row = np.searchsorted(matrix.indptr, np.arange(first, last), "right")
            part = [row, matrix.indices[first:last] + 1, matrix.data[first:last]]
            sink = pa.BufferOutputStream()
            pc.write_csv(
                pa.table([pa.array(values) for values in part], names=["cell", "gene", "n"]), sink, plain
            )
            file.write(sink.getvalue())
