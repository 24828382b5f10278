"""Choose the prior and lay it over the transcripts."""

from pathlib import Path
from typing import Any

import numpy as np

from cellcarve.data.prior import Prior
from cellcarve.data.table import Table
from cellcarve.errors import InputError
from cellcarve.priors.column import column_cells, column_nuclei
from cellcarve.priors.fields import from_fields
from cellcarve.priors.found import Found, build, kept_rows, nothing
from cellcarve.priors.labels import ENDINGS as IMAGES
from cellcarve.priors.labels import from_labels
from cellcarve.priors.polygons import add_outlines, from_polygons, load_placed
from cellcarve.priors.rings import ENDINGS as POLYGONS
from cellcarve.priors.rings import Rings
from cellcarve.settings import PriorSettings


def lay(table: Table, settings: PriorSettings, source: Any = None) -> Prior:
    """What is believed about cells, for every row.

    ``prior = "auto"`` takes the first of these that the input holds: the instrument's cells with their nuclei,
    nucleus outlines, the instrument's cells, cell outlines, nothing. ``prior = "labels"`` takes the label images of its
    fields of view.

    Parameters
    ----------
    table
        N rows.
    settings
        Where the prior comes from, what it holds and how far it is trusted.
    source
        Not needed: what lies beside the input is named in the table.

    Returns
    -------
    Prior
        Its cells have at least one core transcript each. They are numbered by the order of the labels of an
        image, and else by that of their names.

    Raises
    ------
    InputError
        A file is missing or damaged, or lies elsewhere than the transcripts.
    SettingsError
        A setting cannot be understood.
    """
    del source
    if len(kept_rows(table)) == 0:
        return nothing(table, "no transcript is left", [], settings.prior_confidence)
    if settings.prior == "none":
        return nothing(table, "as asked for", [], settings.prior_confidence)
    found, rings = _from_input(table, settings) if settings.prior == "auto" else _from_file(table, settings)
    if found is None:
        return nothing(table, "the input holds none", [], settings.prior_confidence)
    prior = build(table, found, settings.prior_confidence)
    if rings is not None:
        add_outlines(prior, rings)
    return prior


def _from_input(table: Table, settings: PriorSettings) -> tuple[Found | None, Rings | None]:
    """The best prior that came with the transcripts."""
    found = column_nuclei(table) if settings.prior_holds != "cells" else None
    if found is not None:
        return found, _outlines(table, settings, found.notes)
    rings = None
    if "nucleus" in table.boundaries and settings.prior_holds != "cells":
        found, rings = from_polygons(table, settings, table.boundaries["nucleus"], "nucleus")
    elif (
        found := column_cells(table, settings.prior_holds == "nuclei")
    ) is None and "cell" in table.boundaries:
        found, rings = from_polygons(table, settings, table.boundaries["cell"], "cell")
    if found is not None and table.nucleus is not None and settings.prior_holds == "auto":
        found.notes.append("no transcript of the input is flagged as nuclear, so its flags are not used")
    return found, rings


def _outlines(table: Table, settings: PriorSettings, notes: list[str]) -> Rings | None:
    """Nucleus outlines beside the input, for drawing only: the run does without where they are damaged."""
    if "nucleus" not in table.boundaries:
        return None
    row = kept_rows(table)
    try:
        return load_placed(settings, table.boundaries["nucleus"], (table.x[row], table.y[row]), notes)
    except InputError as error:
        notes.append(f"nuclei are not drawn: {error}")
        return None


def _from_file(table: Table, settings: PriorSettings) -> tuple[Found, Rings | None]:
    """The prior of a file that the user named."""
    if settings.prior == "labels":
        return from_fields(table, settings), None
    path = Path(settings.prior)
    if not path.exists():
        raise InputError(f"prior {path} does not exist; give a file, 'auto' or 'none' to --prior")
    name = path.name.lower()
    if name.endswith(IMAGES):
        return from_labels(table, settings, path), None
    if not name.endswith(POLYGONS):
        raise InputError(
            f"prior {path} is neither a label image (.tif, .npy, .mat) nor polygons (.geojson, .parquet, .csv); export one "
            "of these"
        )
    found, rings = from_polygons(table, settings, (path,))
    if not np.any(found.cell):
        raise InputError(
            f"prior {path}: no transcript lies in any of its {len(rings.cell):,} polygons; set --prior-scale, "
            "--prior-offset, --prior-affine or --prior-flip-y"
        )
    return found, rings
