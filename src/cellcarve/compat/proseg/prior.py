"""The prior of a run: polygons, a label image, barcode mappings or the input's own labels, the first that there is."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from cellcarve.compat.proseg.options import Options
from cellcarve.compat.proseg.priors.mappings import from_mappings
from cellcarve.compat.proseg.priors.masks import from_masks
from cellcarve.compat.proseg.priors.shapes import from_shapes
from cellcarve.compat.proseg.source import Source
from cellcarve.data.prior import Prior
from cellcarve.data.table import Status, Table
from cellcarve.errors import InputError
from cellcarve.priors.polygons import from_polygons
from cellcarve.settings import PriorSettings


def lay(table: Table, source: Source, options: Options) -> Prior:
    """The prior segmentation, over the rows and, where it has such, over pixels.

    Parameters
    ----------
    table
        N rows.
    source
        Where they come from.
    options
        Settled.

    Raises
    ------
    InputError
        There is no prior, it cannot be read, or it lies elsewhere than the transcripts.
    """
    inputs = source.inputs
    choices: list[tuple[object, Callable[[], Prior]]] = [
        (inputs.zarr_shape, lambda: from_shapes(table, options)),
        (inputs.cellpose_masks, lambda: from_masks(table, options)),
        (inputs.spaceranger_barcode_mappings, lambda: from_mappings(table, source, options)),
        (source.outlines, lambda: from_outlines(table, source.outlines)),
    ]
    for given, make in choices:
        if given:
            return make()
    return from_labels(table)


def from_outlines(table: Table, files: tuple[Path, ...]) -> Prior:
    """Cell polygons beside the input, for tables that name no cells.

    Raises
    ------
    InputError
        A file cannot be read, or lies elsewhere than the transcripts.
    """
    found, _ = from_polygons(table, PriorSettings(), files, "cell")
    table.cell = np.zeros(len(table), np.int32)
    table.cell[table.status == Status.KEPT] = found.cell
    table.cell_names = found.names
    prior = from_labels(table)
    prior.source = found.source
    prior.notes = [f"prior: {found.source}, {len(found.names):,} cells", *found.notes]
    return prior


def from_labels(table: Table) -> Prior:
    """The input's own cells and nuclei.

    Raises
    ------
    InputError
        No kept transcript lies in the nucleus of a cell.
    """
    kept = table.status == Status.KEPT
    nucleus = np.ones(len(table), bool) if table.nucleus is None else table.nucleus
    cell = np.where(kept, table.cell, 0).astype(np.int32)
    core = nucleus & (cell > 0)
    if not core.any():
        why = "has a cell" if not (cell > 0).any() else "lies in the nucleus of a cell"
        advice = (
            "name the column with --cell-id-column, or give the prior with --cellpose-masks"
            if not (cell > 0).any()
            else "say --use-cell-initialization to start from whole cells"
        )
        raise InputError(f"{table.files[0]}: no transcript {why}, and voxels grow from cells only; {advice}")
    note = f"prior: the input's cells, {len(table.cell_names):,}"
    return Prior(cell, core, table.cell_names, "nuclei", "the input's cells", notes=[note])
