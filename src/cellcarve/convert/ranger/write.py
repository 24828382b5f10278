"""Transcript assignment and outlines that Xenium Ranger accepts.

It wants the same cells in both files, in each cell a transcript of quality 20 or more, and one simple ring per
cell; cells and transcripts that do not comply are left out of both.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cellcarve.convert.features import geometries, objects, write_collection
from cellcarve.convert.source import Finished
from cellcarve.data.lines import lines

GOOD = 20.0
# What comes before a polygon's corners in its GeoJSON.
HEAD = '{"type":"Polygon",'
AT_ONCE = 50_000


@dataclass(frozen=True)
class Accepted:
    """Which cells go to Xenium Ranger; C cells.

    Parameters
    ----------
    cell
        (C,) bool.
    polygon
        (C,) shapely polygons without holes, the largest part of each cell; None where it has none.
    dropped
        How many cells were left out, by reason.
    """

    cell: np.ndarray
    polygon: np.ndarray
    dropped: dict[str, int]


def accepted(finished: Finished) -> Accepted:
    """Cells that comply.

    Parameters
    ----------
    finished
        A finished segmentation of C cells.
    """
    polygon = largest(finished.polygon)
    held = np.zeros(finished.cells, np.int64)
    good = np.zeros(finished.cells, np.int64)
    for batch in finished.transcripts("cell", "qv"):
        own = batch["cell"] >= 0
        cell = batch["cell"][own]
        quality = pc.fill_null(batch["qv"], 0).to_numpy()[own] if "qv" in batch else np.full(len(cell), GOOD)
        held += np.bincount(cell, minlength=finished.cells)
        good += np.bincount(cell[quality >= GOOD], minlength=finished.cells)
    drawn = np.array([shape is not None for shape in polygon], bool)
    dropped = {
        "no transcript": int((held == 0).sum()),
        "no transcript of quality 20 or more": int(((held > 0) & (good == 0)).sum()),
        "no outline": int(((good > 0) & ~drawn).sum()),
    }
    return Accepted((good > 0) & drawn, polygon, dropped)


def write_assignment(path: Path, finished: Finished, keep: Accepted) -> None:
    """Write the cell of each transcript: ``transcript_id``, ``cell``, ``is_noise``, ``x``, ``y``, ``z``, ``qv``.

    Cells are called ``cell-<number>``, counted from 0; the field is empty where ``is_noise`` is true. Positions are
    where transcripts were made, if the method tells that, else where they were seen.

    Parameters
    ----------
    path
        CSV file to make.
    finished
        A finished segmentation.
    keep
        Its cells that comply; transcripts of others are noise.

    Raises
    ------
    OSError
        It cannot be written.
    """
    names = pa.array([f"cell-{c}" for c in range(finished.cells)], pa.string())
    first = True
    with path.open("wb") as file:
        for batch in finished.transcripts("id", "cell", "x", "y", "z", "qv", "made_x", "made_y", "made_z"):
            cell = batch["cell"]
            noise = (cell < 0) | ~keep.cell[cell]
            columns = {
                "transcript_id": batch["id"].cast(pa.string()),
                "cell": names.take(pa.array(cell, mask=noise)),
                "is_noise": pa.array(noise),
            }
            for axis in "xyz":
                columns[axis] = batch.get(f"made_{axis}", batch.get(axis, pa.nulls(len(cell))))
            if "qv" in batch:
                columns["qv"] = batch["qv"]
            file.write((",".join(columns) + "\n").encode() if first else b"")
            file.write(lines(pa.table(columns)))
            first = False


def write_rings(path: Path, keep: Accepted) -> None:
    """Write the outlines as Xenium Ranger reads them beside an assignment (``--viz-polygons``).

    A ``GeometryCollection`` of polygons with a number each, the one in the cell's name.

    Parameters
    ----------
    path
        GeoJSON file to make.
    keep
        Cells and polygons.

    Raises
    ------
    OSError
        It cannot be written.
    """
    import shapely

    number = np.flatnonzero(keep.cell)
    with path.open("w") as file:
        file.write('{"geometries":[')
        for first in range(0, len(number), AT_ONCE):
            part = number[first : first + AT_ONCE]
            text = pa.array(shapely.to_geojson(keep.polygon[part]), pa.string())
            rings = pc.utf8_slice_codeunits(text, len(HEAD))
            cell = pa.array(part).cast(pa.string())
            lines = pc.binary_join_element_wise(HEAD + '"cell":', cell, ",", rings, "")
            file.write(("," if first else "") + ",".join(lines.to_pylist()))
        file.write('],"type":"GeometryCollection"}')


def write_features(path: Path, finished: Finished, keep: Accepted) -> None:
    """Write the outlines as features, which Xenium Ranger turns into masks (``--cells``).

    Parameters
    ----------
    path
        GeoJSON file to make.
    finished
        A finished segmentation, for the names of cells.
    keep
        Cells and polygons.

    Raises
    ------
    OSError
        It cannot be written.
    """
    number = np.flatnonzero(keep.cell)
    names = finished.table.obs_names.to_numpy(object)

    def features(part: slice) -> pa.StringArray:
        own = number[part]
        word = np.full(len(own), "cell", object)
        told = objects({"objectType": word, "cell": own, "cell_id": names[own]})
        kind = np.full(len(own), "Feature", object)
        return objects({"type": kind, "geometry": geometries(keep.polygon[own]), "properties": told})

    write_collection(path, features, len(number))


def largest(shapes: np.ndarray) -> np.ndarray:
    """Largest part of each shape without its holes; None where nothing is left of it."""
    import shapely

    drawn = np.array([shape is not None for shape in shapes], bool)
    part, owner = shapely.get_parts(shapes[drawn], return_index=True)
    order = np.lexsort((np.arange(len(part)), -shapely.area(part), owner))
    first = order[np.flatnonzero(np.diff(owner[order], prepend=-1))]
    first = first[shapely.area(part[first]) > 0]
    out = np.full(len(shapes), None, object)
    ring = shapely.polygons(shapely.get_exterior_ring(part[first]))
    out[np.flatnonzero(drawn)[owner[first]]] = ring
    return out
