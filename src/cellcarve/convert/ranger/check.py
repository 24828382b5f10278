"""Which of Xenium Ranger's rules a pair of files breaks."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cellcarve.convert.ranger.parse import Outlined, Rows, read_outlines, read_rows
from cellcarve.errors import InputError

GOOD = 20.0
# A cell's transcripts lie this close (µm) to the box around its outline.
NEAR = 25.0


@dataclass(frozen=True)
class Broken:
    """A rule that is broken.

    Parameters
    ----------
    rule
        Its name.
    sentence
        What is wrong, and where.
    """

    rule: str
    sentence: str


def check(assignment: Path, outlines: Path, bundle: Path | None = None) -> list[Broken]:
    """Look for what Xenium Ranger's ``import-segmentation`` would refuse.

    Parameters
    ----------
    assignment
        CSV of ``--transcript-assignment``.
    outlines
        GeoJSON of ``--viz-polygons``.
    bundle
        The Xenium output folder that they are to be imported into; its transcripts tell which ids there are and of
        what quality.

    Returns
    -------
    list of Broken
        Every broken rule; none where all is well.

    Raises
    ------
    InputError
        A file cannot be read, or the table lacks a column.
    """
    rows = read_rows(assignment)
    drawn = read_outlines(outlines)
    broken = _ids(rows.ids) + _names(rows) + _noise(rows)
    broken += _same_cells(rows, drawn) + _rings(drawn) + _places(rows, drawn)
    quality = rows.quality
    if bundle is not None:
        known, quality = _bundle_quality(rows.ids, bundle)
        broken += _rule(
            "ids of the bundle", rows.ids.filter(pa.array(~known)), "of the table are not in the bundle"
        )
    return broken + _quality(rows, quality)


def _rule(rule: str, culprits: "pa.Array | np.ndarray", fault: str) -> list[Broken]:
    """A broken rule with how many break it and the first that does; none where none does."""
    if len(culprits) == 0:
        return []
    first = culprits[0].as_py() if isinstance(culprits, pa.Array | pa.ChunkedArray) else culprits[0]
    return [Broken(rule, f"{len(culprits):,} {fault}; the first is '{first}'")]


def _ids(ids: pa.Array) -> list[Broken]:
    missing = np.flatnonzero(ids.is_null()) + 2
    counts = pc.value_counts(ids.drop_null())
    twice = counts.field("values").filter(pc.greater(counts.field("counts"), 1))
    return _rule("transcript ids", missing, "lines have no transcript_id") + _rule(
        "transcript ids", twice, "transcript ids occur more than once"
    )


def _names(rows: Rows) -> list[Broken]:
    named = pc.is_valid(rows.cell).to_numpy(zero_copy_only=False)
    odd = rows.cell.filter(pa.array(named & (rows.number < 0)))
    return _rule("cell names", odd.unique(), "cell names do not end in a number, as 'cell-12' does")


def _noise(rows: Rows) -> list[Broken]:
    line = np.arange(len(rows.noise)) + 2
    inside = pc.is_valid(rows.cell).to_numpy(zero_copy_only=False)
    return (
        _rule("is_noise", line[rows.noise < 0], "lines say neither true nor false in is_noise")
        + _rule("is_noise", line[(rows.noise == 1) & inside], "lines name a cell although is_noise is true")
        + _rule(
            "is_noise", line[(rows.noise == 0) & ~inside], "lines name no cell although is_noise is false"
        )
    )


def _same_cells(rows: Rows, drawn: Outlined) -> list[Broken]:
    held, shown = np.unique(rows.number[rows.number >= 0]), np.unique(drawn.number)
    return _rule(
        "empty cells", np.setdiff1d(shown, held), "outlines belong to cells without a transcript"
    ) + _rule("cells without outline", np.setdiff1d(held, shown), "cells of the table have no outline")


def _rings(drawn: Outlined) -> list[Broken]:
    import shapely

    value, count = np.unique(drawn.number, return_counts=True)
    broken = _rule("one outline a cell", value[count > 1], "cells have more than one outline")
    broken += _rule(
        "polygons", np.array(drawn.odd), "outlines are no polygon of one ring with at least 4 corners"
    )
    broken += _rule("polygons", drawn.number[~shapely.is_valid(drawn.shape)], "outlines cross themselves")
    return broken + _rule(
        "polygons", drawn.number[shapely.area(drawn.shape) == 0], "outlines enclose nothing"
    )


def _places(rows: Rows, drawn: Outlined) -> list[Broken]:
    """Outlines in pixels beside transcripts in µm show as cells far from what they hold."""
    import shapely

    if rows.x is None or rows.y is None or not len(drawn.number) or not (rows.number >= 0).any():
        return []
    own = rows.number >= 0
    cells = max(int(rows.number.max()), int(drawn.number.max())) + 1
    held = np.bincount(rows.number[own], minlength=cells)
    sums = [np.bincount(rows.number[own], value[own], cells) for value in (rows.x, rows.y)]
    seen = held[drawn.number] > 0
    x, y = (total[drawn.number[seen]] / held[drawn.number[seen]] for total in sums)
    low_x, low_y, high_x, high_y = shapely.bounds(drawn.shape[seen]).T
    near = (x > low_x - NEAR) & (x < high_x + NEAR) & (y > low_y - NEAR) & (y < high_y + NEAR)
    if near.mean() >= 0.5:
        return []
    return _rule(
        "units", drawn.number[seen][~near], "outlines lie far from their cells' transcripts; give both in µm"
    )


def _quality(rows: Rows, quality: np.ndarray | None) -> list[Broken]:
    if quality is None:
        return []
    own = rows.number >= 0
    good = own & (quality >= GOOD)
    without = np.setdiff1d(rows.number[own], rows.number[good])
    return _rule("quality", without, "cells have no transcript of quality 20 or more")


def _bundle_quality(ids: pa.Array, bundle: Path) -> tuple[np.ndarray, np.ndarray]:
    """Whether the bundle has each transcript, and its quality (0 where it has not)."""
    import pyarrow.parquet as pq

    path = bundle / "transcripts.parquet"
    if not path.is_file():
        raise InputError(f"'{bundle}' has no 'transcripts.parquet'; name the output folder of a Xenium run")
    table = pq.read_table(path, columns=["transcript_id", "qv"])
    known = table["transcript_id"].combine_chunks().cast(pa.string())
    place = pc.index_in(ids, known)
    quality = np.append(table["qv"].to_numpy(), 0)
    return place.is_valid().to_numpy(zero_copy_only=False), quality[pc.fill_null(place, -1).to_numpy()]
