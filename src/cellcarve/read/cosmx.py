"""NanoString CosMx: folders with ``*_tx_file.csv`` (or ``.csv.gz``, ``.parquet``), or that table alone.

Columns ``fov``, ``cell_ID`` (0 = none, unique within a field of view), ``x_global_px``, ``y_global_px``, ``z`` (plane),
``target``, ``CellComp`` ("Nuclear", "Cytoplasm", ...). Pixels are 0.12028 µm wide, planes 0.8 µm apart. There are no
transcript ids: rows are numbered. ``*_fov_positions_file.csv`` tells where the ``CellComposite`` and ``CellLabels`` images of
each field lie; their rows run downwards while y runs upwards.
"""

import re
from pathlib import Path

from cellcarve.data.table import Image
from cellcarve.errors import InputError
from cellcarve.read.convert import Place, Words, as_positions
from cellcarve.read.intake import Columns
from cellcarve.read.platform import Found, first_of, present
from cellcarve.read.stream import open_stream

PIXEL = 0.12028
PLANE = 0.8
TABLES = ("*_tx_file.parquet", "*_tx_file.csv.gz", "*_tx_file.csv")
_MARK = {"fov", "x_global_px", "y_global_px", "target"}


def recognise(path: Path) -> Found | None:
    """A CosMx folder or table, or None.

    Raises
    ------
    InputError
        The folder holds the tables of several slides.
    """
    table = path if path.is_file() else first_of(path, *TABLES)
    if table is None:
        return None
    stream = open_stream(table)
    if not set(stream.names) >= _MARK:
        return None
    _refuse_several(path)
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
    found = Found("cosmx", f"columns of {table.name}", stream, columns, PIXEL, PLANE, cell_scope=True)
    corners = _corners(table.parent)
    found.images = tuple(_images(table.parent, "CellComposite", corners).values())
    found.label_images = _images(table.parent, "CellLabels", corners)
    return found


def _refuse_several(path: Path) -> None:
    slides = sorted({file.name.split("_tx_file.")[0] for pattern in TABLES for file in path.glob(pattern)})
    if len(slides) > 1:
        raise InputError(f"{path} holds the tables of several slides ({', '.join(slides)}); name one table")


def _corners(folder: Path) -> dict[int, tuple[float, float]]:
    """Lower left corner of each field in µm; empty where the file is absent or another version's."""
    file = first_of(folder, "*_fov_positions_file.csv", "*_fov_positions_file.csv.gz")
    if file is None:
        return {}
    stream = open_stream(file)
    names = [present(stream.names, name) for name in ("fov", "x_global_px", "y_global_px")]
    columns = [name for name in names if name]
    if len(columns) < 3:
        return {}
    corners: dict[int, tuple[float, float]] = {}
    for batch in stream.batches(columns):
        words = Words()
        words.add(batch.column(0), Place(file, columns[0]))
        code, fovs = words.finish()
        x, y = (as_positions(batch.column(i), Place(file, columns[i])) * PIXEL for i in (1, 2))
        numbered = zip(code.tolist(), x.tolist(), y.tolist(), strict=True)
        corners |= {int(fovs[c]): (a, b) for c, a, b in numbered if fovs[c].isdigit()}
    return corners


def _images(folder: Path, what: str, corners: dict[int, tuple[float, float]]) -> dict[str, Image]:
    """Images such as ``CellLabels_F002.tif`` by field of view, registered."""
    images = {}
    for file in sorted((folder / what).glob(f"{what}_F*")):
        number = re.fullmatch(rf"{what}_F0*([0-9]+)\.(tiff?|jpe?g|png)", file.name, re.IGNORECASE)
        if number and int(number[1]) in corners:
            images[number[1]] = Image(file, what, PIXEL, *corners[int(number[1])], flip_y=True)
    return images
