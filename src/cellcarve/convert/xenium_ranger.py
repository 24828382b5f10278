"""A folder for ``xeniumranger import-segmentation``."""

from pathlib import Path

from cellcarve.convert.ranger import accepted, write_assignment, write_features, write_rings
from cellcarve.convert.source import Finished
from cellcarve.errors import InputError


def write_ranger(finished: Finished, path: Path) -> None:
    """Write ``transcript-assignment.csv``, ``cell-polygons.geojson``, ``cells.geojson`` and ``cells.csv``.

    The first two are imported together; ``cells.geojson`` is the other way in, which also makes masks
    (``--cells``). ``cells.csv`` tells which of our cells each number is.

    Parameters
    ----------
    finished
        A finished segmentation.
    path
        Folder to make.

    Raises
    ------
    InputError
        It holds no transcripts, or none of its cells complies.
    OSError
        It cannot be written.
    """
    if not finished.parts:
        raise InputError(
            f"'{finished.folder}' holds no transcripts; write it without --exclude-spatialdata-transcripts"
        )
    keep = accepted(finished)
    if not keep.cell.any():
        told = ", ".join(f"{number:,} with {reason}" for reason, number in keep.dropped.items() if number)
        raise InputError(f"no cell of '{finished.folder}' can go to Xenium Ranger ({told})")
    path.mkdir()
    write_assignment(path / "transcript-assignment.csv", finished, keep)
    write_rings(path / "cell-polygons.geojson", keep)
    write_features(path / "cells.geojson", finished, keep)
    names = finished.table.obs_names.to_series().reset_index(drop=True)[keep.cell]
    frame = names.rename_axis("number").rename("cell_id").reset_index()
    frame.insert(0, "cell", "cell-" + frame["number"].astype(str))
    frame.to_csv(path / "cells.csv", index=False)
