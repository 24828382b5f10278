"""Zarr format 2: groups, arrays, text, and anndata's encodings of them.

The files are written one by one, which needs no library that is slow to load and leaves every attribute to us.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix

# Entries in a chunk.
CHUNK = 1 << 20
COMPRESSOR = {"id": "blosc", "cname": "lz4", "clevel": 5, "shuffle": 1, "blocksize": 0}


def group(path: Path, attributes: dict[str, Any] | None = None) -> Path:
    """Make a group.

    Parameters
    ----------
    path
        Its folder; those above exist.
    attributes
        Its attributes.

    Returns
    -------
    Path
        `path`.
    """
    path.mkdir()
    _json(path / ".zgroup", {"zarr_format": 2})
    if attributes:
        _json(path / ".zattrs", attributes)
    return path


def mapping(path: Path) -> Path:
    """Make a group that anndata reads as a dictionary."""
    return group(path, {"encoding-type": "dict", "encoding-version": "0.1.0"})


def numbers(path: Path, values: np.ndarray) -> None:
    """Write an array of numbers or truth values of any shape.

    Parameters
    ----------
    path
        Its folder.
    values
        The array.
    """
    values = np.ascontiguousarray(values)
    _array(path, values, values.dtype.newbyteorder("<").str, {"fill_value": _fill(values), "filters": None})
    _json(path / ".zattrs", {"encoding-type": "array", "encoding-version": "0.2.0"})


def by_rows(path: Path, shape: tuple[int, int], blocks: Iterable[np.ndarray]) -> None:
    """Write a table of float32, some rows at a time.

    Parameters
    ----------
    path
        Its folder.
    shape
        Rows and columns.
    blocks
        Its rows in order, equally many in each block but the last.
    """
    path.mkdir()
    _json(path / ".zattrs", {"encoding-type": "array", "encoding-version": "0.2.0"})
    rows = 1
    for number, block in enumerate(blocks):
        rows = max(rows, len(block))
        whole = np.zeros((rows, shape[1]), np.float32)
        whole[: len(block)] = block
        (path / f"{number}.0").write_bytes(_packed(whole))
    chunks = (rows, max(shape[1], 1))
    _json(path / ".zarray", _header(shape, chunks, "<f4", {"fill_value": "NaN", "filters": None}))


def words(path: Path, values: Any) -> None:
    """Write a list of text.

    Parameters
    ----------
    path
        Its folder.
    values
        The words.
    """
    _array(path, np.array(list(values), object), "|O", {"fill_value": "", "filters": [{"id": "vlen-utf8"}]})
    _json(path / ".zattrs", {"encoding-type": "string-array", "encoding-version": "0.2.0"})


def text(path: Path, value: str) -> None:
    """Write a single piece of text."""
    from numcodecs import VLenUTF8

    path.mkdir()
    header = _header((), (), "|O", {"fill_value": "", "filters": [{"id": "vlen-utf8"}]})
    _json(path / ".zarray", header | {"compressor": None})
    (path / "0").write_bytes(VLenUTF8().encode(np.array([value], object)))
    _json(path / ".zattrs", {"encoding-type": "string", "encoding-version": "0.2.0"})


def categories(path: Path, code: np.ndarray, names: Any) -> None:
    """Write text that repeats: whole numbers and the words they stand for.

    Parameters
    ----------
    path
        Its folder.
    code
        (n,) int8 index into `names`.
    names
        Distinct words.
    """
    group(path, {"encoding-type": "categorical", "encoding-version": "0.2.0", "ordered": False})
    numbers(path / "codes", code)
    words(path / "categories", names)


def sparse(path: Path, matrix: csr_matrix) -> None:
    """Write a sparse matrix by rows; row starts get 64 bits where 32 do not hold them.

    Parameters
    ----------
    path
        Its folder.
    matrix
        Rows by columns.
    """
    shape = [int(n) for n in matrix.shape]
    group(path, {"encoding-type": "csr_matrix", "encoding-version": "0.1.0", "shape": shape})
    wide = np.int64 if matrix.nnz >= 2**31 else np.int32
    numbers(path / "data", matrix.data)
    numbers(path / "indices", matrix.indices.astype(np.int32))
    numbers(path / "indptr", matrix.indptr.astype(wide))


def frame(path: Path, index: Any, names: list[str], index_name: str = "_index") -> None:
    """Make a group that anndata reads as a table, and its index; the columns are written into it afterwards.

    Parameters
    ----------
    path
        Its folder.
    index
        Names of the rows.
    names
        Columns in their order.
    index_name
        Name of the index.
    """
    told = {"_index": index_name, "column-order": names}
    group(path, {"encoding-type": "dataframe", "encoding-version": "0.2.0"} | told)
    words(path / index_name, index)


def _fill(values: np.ndarray) -> Any:
    """What an entry is that was never written."""
    return {"f": "NaN", "b": False}.get(values.dtype.kind, 0)


def _array(path: Path, values: np.ndarray, kind: str, rest: dict[str, Any]) -> None:
    """Write the chunks, which run along the first axis."""
    path.mkdir()
    across = int(np.prod(values.shape[1:], dtype=np.int64))
    rows = max(1, min(len(values), CHUNK // max(across, 1)))
    chunks = (rows, *(max(n, 1) for n in values.shape[1:]))
    _json(path / ".zarray", _header(values.shape, chunks, kind, rest))
    if across == 0:
        return
    for number, first in enumerate(range(0, len(values), rows)):
        part = values[first : first + rows]
        if len(part) < rows:
            # Chunks are all of one size; what lies past the end is never read.
            blank = np.full((rows - len(part), *part.shape[1:]), "" if kind == "|O" else 0, part.dtype)
            part = np.concatenate([part, blank])
        name = ".".join([str(number)] + ["0"] * (values.ndim - 1))
        (path / name).write_bytes(_packed(part))


def _header(
    shape: tuple[int, ...], chunks: tuple[int, ...], kind: str, rest: dict[str, Any]
) -> dict[str, Any]:
    told = {
        "shape": list(shape),
        "chunks": list(chunks),
        "dtype": kind,
        "compressor": COMPRESSOR,
        "order": "C",
    }
    return {"zarr_format": 2, **told, **rest}


def _packed(values: np.ndarray) -> bytes:
    from numcodecs import VLenUTF8, get_codec

    plain = VLenUTF8().encode(values) if values.dtype == object else values
    return get_codec(COMPRESSOR).encode(plain)


def _json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n")
