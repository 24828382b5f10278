"""NanoString CosMx: folders with ``*_tx_file.csv`` (or ``.csv.gz``, ``.parquet``), or that table alone.

Columns ``fov``, ``cell_ID`` (0 = none, unique within a field of view), ``x_global_px``, ``y_global_px``, ``z`` (plane),
``target``, ``CellComp`` ("Nuclear", "Cytoplasm", ...). Pixels are 0.12028 µm wide, planes 0.8 µm apart. There are no
transcript ids: rows are numbered. ``CellLabels`` images are noted; their rows run downwards while y runs upwards.
"""

from pathlib import Path

from cellcarve.read.intake import Columns
from cellcarve.read.platform import Found, first_of, present
from cellcarve.read.stream import open_stream

PIXEL = 0.12028
PLANE = 0.8
TABLES = ("*_tx_file.parquet", "*_tx_file.csv.gz", "*_tx_file.csv")
_MARK = {"fov", "x_global_px", "y_global_px", "target"}


def recognise(path: Path) -> Found | None:
    """A CosMx folder or table, or None."""
    table = path if path.is_file() else first_of(path, *TABLES)
    if table is None:
        return None
    stream = open_stream(table)
    if not set(stream.names) >= _MARK:
        return None
    columns = Columns(
        x="x_global_px",
        y="y_global_px",
        gene="target",
        z=present(stream.names, "z"),
        cell=present(stream.names, "cell_ID"),
        fov="fov",
        nucleus=present(stream.names, "CellComp"),
        id=present(stream.names, "transcript_id"),
    )
    return Found("cosmx", f"columns of {table.name}", stream, columns, PIXEL, PLANE, cell_scope=True)
