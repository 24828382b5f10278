"""Read transcripts from whatever is given, finding out what it is."""

from pathlib import Path
from typing import Any

import numpy as np

from cellcarve.data.table import Status, Table
from cellcarve.errors import InputError
from cellcarve.progress import Progress
from cellcarve.read import cosmx, memory, merscope, stereoseq, stores, table, visium_hd, xenium
from cellcarve.read.cells import instrument_cells
from cellcarve.read.controls import control_genes, excluded_genes
from cellcarve.read.images import named_image, place_images
from cellcarve.read.intake import Intake, take_in
from cellcarve.read.platform import Found
from cellcarve.read.roi import inside
from cellcarve.read.scale import check_scale
from cellcarve.settings import ReadSettings

_PLATFORMS = {
    "visium_hd": visium_hd.recognise,
    "stereoseq": stereoseq.recognise,
    "xenium": xenium.recognise,
    "cosmx": cosmx.recognise,
    "merscope": merscope.recognise,
}
_LEAST_QUALITY = 20.0


def read(source: Any, settings: ReadSettings, progress: Progress | None = None) -> Table:
    """Read all transcripts of an experiment.

    Parameters
    ----------
    source
        Folder or file of a platform, any table, a SpatialData or AnnData store, or a table in memory.
    settings
        What the user said of it.
    progress
        Not needed; notes are in the table.

    Returns
    -------
    Table
        Every input row, in input order.

    Raises
    ------
    InputError
        The input cannot be used; the sentence says what is wrong and where.
    """
    del progress
    named_image(settings)
    found = _recognise(source, settings)
    taken = take_in(found.stream, table.renamed(found.columns, settings))
    scale = found.scale if settings.scale == 1.0 else settings.scale
    for axis, unit in (("x", scale), ("y", scale), ("z", found.z_scale)):
        if axis in taken.arrays:
            taken.arrays[axis] *= np.float32(unit)
    read_table = _table(found, taken)
    read_table.notes += [f"input: {found.platform} ({found.why})", *_units(scale, found, read_table)]
    _sift(read_table, taken.arrays.get("category"), settings)
    if scale == 1.0:
        check_scale(read_table)
        read_table.bins = found.bins
    place_images(read_table, settings)
    return read_table


def _table(found: Found, taken: Intake) -> Table:
    arrays, rows = taken.arrays, len(taken.arrays["x"])
    cell, cell_names = instrument_cells(taken, found.cell_scope)
    return Table(
        platform=found.platform,
        files=(found.stream.path,),
        ids=taken.ids,
        x=arrays["x"],
        y=arrays["y"],
        z=arrays.get("z"),
        gene=taken.codes["gene"],
        genes=taken.words["gene"],
        quality=arrays.get("quality"),
        fov=taken.codes.get("fov"),
        fovs=taken.words.get("fov", []),
        cell=cell,
        cell_names=cell_names,
        nucleus=arrays.get("nucleus"),
        status=np.zeros(rows, np.uint8),
        images=found.images,
        boundaries=found.boundaries,
        label_images=found.label_images,
    )


def _units(scale: float, found: Found, read_table: Table) -> list[str]:
    """What positions were multiplied by, where that was not 1."""
    notes = [] if scale == 1.0 else [f"x and y were multiplied by {scale:g} to give um"]
    if read_table.z is not None and found.z_scale != 1.0:
        notes.append(f"z was multiplied by {found.z_scale:g} (planes) to give um")
    return notes


def _recognise(source: Any, settings: ReadSettings) -> Found:
    if not isinstance(source, str | Path):
        return memory.recognise(source)
    path = Path(source)
    if not path.exists():
        raise InputError(f"{path} does not exist; check the path")
    if settings.platform in _PLATFORMS:
        found = _PLATFORMS[settings.platform](path)
        if found is None:
            raise InputError(
                f"{path} does not look like {settings.platform} output; check --platform, or leave it out"
            )
        return found
    if path.suffix == ".zarr" or (path.is_dir() and stores.is_zarr(path)):
        return stores.recognise(path, settings.cell_column)
    if settings.platform == "auto":
        for recognise in _PLATFORMS.values():
            found = recognise(path)
            if found is not None:
                return found
    return table.recognise(path)


def _sift(read_table: Table, not_gene: np.ndarray | None, settings: ReadSettings) -> None:
    """Fill in the status of every row; the first reason that applies counts."""
    control = control_genes(read_table.genes)[read_table.gene]
    if not_gene is not None:
        control |= not_gene
    excluded, notes = excluded_genes(read_table.genes, settings.genes_exclude)
    read_table.notes += notes
    reasons = [(Status.CONTROL, control), (Status.EXCLUDED_GENE, excluded[read_table.gene])]
    if read_table.quality is not None:
        least = _LEAST_QUALITY if settings.min_qv is None else settings.min_qv
        reasons.append((Status.LOW_QUALITY, ~(read_table.quality >= np.float32(least))))
    elif settings.min_qv is not None:
        read_table.notes.append(
            f"--min-qv {settings.min_qv:g} does nothing, as the input has no qualities; name the column with "
            "--quality-column"
        )
    if settings.roi is not None:
        reasons.append((Status.OUTSIDE, ~inside(settings.roi, read_table.x, read_table.y)))
    for reason, hit in reversed(reasons):
        read_table.status[hit] = reason
