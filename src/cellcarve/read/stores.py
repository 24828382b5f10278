"""Zarr stores as input: transcripts or a table of a SpatialData, or an AnnData."""

from dataclasses import replace
from pathlib import Path

from cellcarve.errors import InputError
from cellcarve.read.anndata import is_table, open_table
from cellcarve.read.intake import Columns
from cellcarve.read.platform import Found
from cellcarve.read.spatialdata import elements, facts_of, is_store, points_of, shapes_of, table_of
from cellcarve.read.table import of_stream


def is_zarr(path: Path) -> bool:
    """Whether a folder is a zarr group: it says so in ``zarr.json`` or ``.zgroup``."""
    return any((path / name).is_file() for name in ("zarr.json", ".zgroup"))


def recognise(path: Path, cell: str | None = None) -> Found:
    """The transcripts of a store: its points; where there are none, the counts of its table.

    Parameters
    ----------
    path
        A SpatialData or AnnData store.
    cell
        Column with the cells, where the user names one.

    Raises
    ------
    InputError
        It is neither, is damaged, or holds no transcripts.
    """
    if is_table(path):
        return _counts(path, f"{path.name} is an AnnData store", cell)
    if not is_store(path):
        raise InputError(f"{path} cannot be read as a SpatialData or AnnData store; check the path")
    if not elements(path, "points"):
        return _counts(table_of(path), f"the table of {path.name}, a SpatialData store", cell)
    points = points_of(path)
    found = of_stream(
        points, "spatialdata", f"{points.folder.parent.name} in {path.name}, a SpatialData store"
    )
    gene = str(facts_of(points).get("feature_key"))
    if gene in points.names:
        found.columns = replace(found.columns, gene=gene)
    shapes = elements(path, "shapes")
    outlines = {what: f"{what}_boundaries" for what in ("nucleus", "cell")}
    found.boundaries = {w: (shapes_of(path, name),) for w, name in outlines.items() if name in shapes}
    return found


def _counts(path: Path, why: str, cell: str | None) -> Found:
    stream = open_table(path, columns=() if cell is None else (cell,))
    z = "z" if "z" in stream.names else None
    return Found("anndata", why, stream, Columns("x", "y", "gene", z=z, cell=cell))
