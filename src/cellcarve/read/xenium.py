"""10x Xenium: output folders and loose transcript tables.

Opens ``transcripts.parquet`` (or ``transcripts.csv.gz``, ``transcripts.csv``) with ``x_location``, ``y_location``,
``feature_name`` and, where there, ``transcript_id``, ``cell_id``, ``overlaps_nucleus``, ``z_location``, ``qv``, ``fov_name``
and ``is_gene`` or ``codeword_category``; ``experiment.xenium`` for the pixel size and the morphology image; notes
``nucleus_boundaries`` and ``cell_boundaries`` for the prior.
"""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from cellcarve.data.table import Image
from cellcarve.errors import InputError
from cellcarve.read.intake import Columns
from cellcarve.read.platform import Found, first_of, present
from cellcarve.read.stream import Stream, open_stream

TABLES = ("transcripts.parquet", "transcripts.csv.gz", "transcripts.csv")
_MARK = {"x_location", "y_location", "feature_name"}


def recognise(path: Path) -> Found | None:
    """A Xenium folder or table, or None."""
    if path.is_file():
        stream = open_stream(path)
        return _found(stream, path.parent, f"columns of {path.name}") if set(stream.names) >= _MARK else None
    table = first_of(path, *TABLES)
    if table is None:
        return None
    stream = open_stream(table)
    if set(stream.names) >= _MARK:
        return _found(stream, path, f"{table.name} in {path.name}")
    return None


def _found(stream: Stream, folder: Path, why: str) -> Found:
    names = stream.names
    boundaries: dict[str, tuple[Path, ...]] = {}
    for what in ("nucleus", "cell"):
        file = first_of(
            folder, f"{what}_boundaries.parquet", f"{what}_boundaries.csv.gz", f"{what}_boundaries.csv"
        )
        if file is not None and not _bare(file):
            boundaries[what] = (file,)
    columns = Columns(
        x="x_location",
        y="y_location",
        gene="feature_name",
        z=present(names, "z_location"),
        quality=present(names, "qv"),
        cell=present(names, "cell_id"),
        fov=present(names, "fov_name"),
        nucleus=present(names, "overlaps_nucleus"),
        id=present(names, "transcript_id"),
        category=present(names, "is_gene", "codeword_category"),
    )
    return Found("xenium", why, stream, columns, images=_images(folder), boundaries=boundaries)


def _bare(file: Path) -> bool:
    """Whether a file of outlines has none in it; a damaged one is told where it is read."""
    try:
        return file.suffix == ".parquet" and pq.read_metadata(file).num_rows == 0
    except (pa.ArrowException, OSError):
        return False


def _images(folder: Path) -> tuple[Image, ...]:
    file = folder / "experiment.xenium"
    if not file.exists():
        return ()
    try:
        facts = json.loads(file.read_text())
        pixel = float(facts["pixel_size"])
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{file} is not a Xenium experiment file ({error}); take it away or copy it again"
        ) from error
    named = facts.get("images", {})
    choices = [
        named.get("morphology_focus_filepath"),
        named.get("morphology_mip_filepath"),
        named.get("morphology_filepath"),
    ]
    for name in [
        *filter(None, choices),
        "morphology_focus/morphology_focus_0000.ome.tif",
        "morphology_focus.ome.tif",
    ]:
        if (folder / name).is_file():
            return (Image(folder / name, "DAPI", pixel),)
    return ()
