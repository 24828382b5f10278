"""Label images that came with the input, one for each field of view."""

import numpy as np

from cellcarve.data.table import Image, Table
from cellcarve.errors import InputError
from cellcarve.priors.found import Found, kept_rows
from cellcarve.priors.labels import labels_at, load_image
from cellcarve.settings import PriorSettings


def from_fields(table: Table, settings: PriorSettings) -> Found:
    """The labels under the kept transcripts of each field; cells are named ``field_label``.

    Parameters
    ----------
    table
        N rows.
    settings
        What the images hold. Nuclei are those that the input flags, where it does.

    Raises
    ------
    InputError
        No label image came with the input, or no transcript lies on a label.
    """
    if not table.label_images:
        raise InputError("no label images came with the input; give a file, 'auto' or 'none' to --prior")
    row = kept_rows(table)
    notes: list[str] = []
    names: list[str] = []
    field = (
        np.full(len(row), "", object)
        if table.fov is None
        else np.array([*table.fovs, ""], object)[table.fov[row]]
    )
    cell = np.zeros(len(row), np.int32)
    for name, image in sorted(table.label_images.items()):
        own = np.flatnonzero(field == name) if name else np.arange(len(row))
        label = _labels(image, table.x[row[own]], table.y[row[own]], notes)
        value, code = np.unique(label, return_inverse=True)
        real = value > 0
        number = np.where(real, len(names) + np.cumsum(real), 0).astype(np.int32)
        cell[own] = np.where(real[code], number[code], cell[own])
        names += [f"{name}_{v}" if name else str(v) for v in value[real].tolist()]
    first = next(iter(table.label_images.values())).path.name
    if not names:
        raise InputError(
            f"prior labels: no transcript lies on a label of {first} or its like; they may be crops, so give one as "
            "--prior FILE with --prior-scale and --prior-offset"
        )
    nucleus = None if table.nucleus is None else table.nucleus[row] & (cell > 0)
    if settings.prior_holds == "nuclei":
        nucleus = cell > 0
    elif settings.prior_holds == "cells" or nucleus is None or not nucleus.any():
        nucleus = None
    return Found(cell, names, nucleus, f"label images such as {first}", notes)


def _labels(image: Image, x: np.ndarray, y: np.ndarray, notes: list[str]) -> np.ndarray:
    pixels = load_image(image.path, notes)
    affine = np.array([[image.pixel, 0, image.x0], [0, image.pixel, image.y0]])
    return labels_at(pixels[::-1] if image.flip_y else pixels, affine, x, y)[0]
