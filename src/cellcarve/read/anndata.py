"""AnnData tables in zarr stores, of either zarr format: places by genes with their positions."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from cellcarve.errors import InputError, nearest
from cellcarve.read.sparse import SparseStream
from cellcarve.read.stream import first_line

_KEYS = ("spatial", "spatial_microns")


def is_table(path: Path) -> bool:
    """Whether a folder is a zarr group with the parts of an AnnData."""
    return (path / "X").is_dir() and (path / "obs").is_dir() and (path / "var").is_dir()


def open_table(
    path: Path, key: str | None = None, gene: str | None = None, columns: tuple[str, ...] = ()
) -> SparseStream:
    """Molecules of an AnnData in a zarr store.

    Parameters
    ----------
    path
        The store, or the group of a larger one.
    key
        Key of ``obsm`` with the positions; where nothing is said, ``spatial`` or the only one.
    gene
        Column of ``var`` with the genes; where nothing is said, its index.
    columns
        Columns of ``obs`` to keep.

    Returns
    -------
    SparseStream
        Columns ``x``, ``y``, ``z`` where positions have three parts, `columns`, and ``gene``.

    Raises
    ------
    InputError
        The store is damaged or lacks one of these, or holds no counts.
    """
    import zarr

    if not path.is_dir():
        what = "is a file; unpack it into a folder" if path.exists() else "does not exist; check the path"
        raise InputError(f"{path} {what}")
    if not is_table(path):
        raise InputError(f"{path} is no AnnData store: it lacks X, obs or var; check the path")
    try:
        group: Any = zarr.open_group(path, mode="r")
        counts = _counts(group["X"], path)
        positions = _positions(group, path, key)
        genes = _texts(_column(group["var"], gene, path, "var"))
        places = {name: _arrow(_column(group["obs"], name, path, "obs")) for name in columns}
    except InputError:
        raise
    except Exception as error:
        raise InputError(
            f"{path} cannot be read as AnnData ({first_line(error) or type(error).__name__}); write it again"
        ) from error
    if counts.shape != (len(positions), len(genes)):
        raise InputError(
            f"{path}: X is {counts.shape[0]} x {counts.shape[1]}, but there are {len(positions)} positions and "
            f"{len(genes)} genes; write it again"
        )
    axes = {name: pa.array(positions[:, i]) for i, name in enumerate("xyz"[: positions.shape[1]])}
    return SparseStream(path, counts, genes, axes | places)


def _read(element: Any) -> Any:
    from anndata.io import read_elem

    return read_elem(element)


def _counts(element: Any, path: Path) -> Any:
    from scipy.sparse import csr_matrix, issparse

    values = _read(element)
    if not issparse(values) and getattr(values, "ndim", 0) != 2:
        raise InputError(f"{path}: X is no matrix; write it again")
    counts = csr_matrix(values)
    counts.sort_indices()
    return counts


def _positions(group: Any, path: Path, key: str | None) -> np.ndarray:
    """(B, 2 or 3) float32."""
    keys = sorted(group["obsm"].keys()) if "obsm" in group else []
    if key is None:
        key = next((k for k in _KEYS if k in keys), keys[0] if len(keys) == 1 else "spatial")
    if key not in keys:
        raise InputError(f"{path} has no positions '{key}' in obsm{nearest(key, keys)}")
    values = np.asarray(_read(group["obsm"][key]))
    if values.ndim != 2 or values.shape[1] not in (2, 3):
        raise InputError(f"{path}: obsm '{key}' has shape {values.shape}; positions have 2 or 3 columns")
    return values.astype(np.float32)


def _column(frame: Any, name: str | None, path: Path, where: str) -> Any:
    """A column of a stored data frame; its index where no name is given, or the index has that name."""
    index = frame.attrs["_index"]
    key = index if name is None or name == "_index" else name
    if key not in frame:
        known = [k for k in frame.attrs.get("column-order", []) if isinstance(k, str)]
        raise InputError(f"{path} has no column '{key}' in {where}{nearest(key, known)}")
    return _read(frame[key])


def _arrow(values: Any) -> pa.Array:
    kind = getattr(values, "dtype", None)
    if isinstance(kind, np.dtype) and kind.kind in "iufb":
        return pa.array(values)
    return pa.array(np.asarray(values, dtype=object).tolist())


def _texts(values: Any) -> list[str]:
    return [str(value) for value in np.asarray(values, dtype=object)]
