"""Vizgen MERSCOPE: folders with ``detected_transcripts.csv`` (or ``.parquet``), or that table alone.

Columns ``global_x``, ``global_y`` (µm), ``global_z`` (plane, 1.5 µm apart), ``gene`` and, where there, ``cell_id``, ``fov`` and
``transcript_id``. Notes ``cell_boundaries*.parquet``, ``*_micron_space.parquet`` or ``cell_boundaries/*_polygons.gz`` for
the prior, and the images with ``micron_to_mosaic_pixel_transform.csv``.
"""

from pathlib import Path

import numpy as np

from cellcarve.data.table import Image
from cellcarve.errors import InputError
from cellcarve.read.intake import Columns
from cellcarve.read.platform import Found, first_of, present
from cellcarve.read.stream import open_stream

PLANE = 1.5
TABLES = (
    "detected_transcripts.parquet",
    "detected_transcripts.csv",
    "detected_transcripts.csv.gz",
    "vizgen_transcripts.gz",
)
POLYGONS = ("cell_boundaries*.parquet", "*_micron_space.parquet", "cell_boundaries/*_polygons.gz")
_MARK = {"global_x", "global_y", "gene"}


def recognise(path: Path) -> Found | None:
    """A MERSCOPE folder or table, or None."""
    table = path if path.is_file() else first_of(path, *TABLES)
    if table is None:
        return None
    stream = open_stream(table)
    if not set(stream.names) >= _MARK:
        return None
    folder = table.parent
    polygons = next(filter(None, (sorted(folder.glob(pattern)) for pattern in POLYGONS)), [])
    columns = Columns(
        x="global_x",
        y="global_y",
        gene="gene",
        z=present(stream.names, "global_z"),
        cell=present(stream.names, "cell_id"),
        fov=present(stream.names, "fov"),
        id=present(stream.names, "transcript_id"),
    )
    boundaries = {"cell": tuple(polygons)} if polygons else {}
    return Found(
        "merscope",
        f"columns of {table.name}",
        stream,
        columns,
        1.0,
        PLANE,
        images=_images(folder),
        boundaries=boundaries,
    )


def _images(folder: Path) -> tuple[Image, ...]:
    file = folder / "images" / "micron_to_mosaic_pixel_transform.csv"
    picture = first_of(folder / "images", "mosaic_DAPI_z3.tif", "mosaic_DAPI_z*.tif", "mosaic_DAPI*.tif")
    if picture is None or not file.exists():
        return ()
    try:
        turn = np.loadtxt(file)
        pixel = 1 / float(turn[0, 0])
        return (Image(picture, "DAPI", pixel, -float(turn[0, 2]) * pixel, -float(turn[1, 2]) * pixel),)
    except (ValueError, IndexError, ZeroDivisionError) as error:
        raise InputError(f"{file} is not a 3 x 3 matrix of numbers ({error}); copy it again") from error
