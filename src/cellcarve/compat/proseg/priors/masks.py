"""Label images as a prior: Cellpose's and others', with probabilities and cells that never change."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cellcarve.compat.proseg.options import InputOptions, Options
from cellcarve.compat.proseg.weight import weighed
from cellcarve.data.prior import Prior, PriorRaster
from cellcarve.data.table import Status, Table
from cellcarve.errors import InputError
from cellcarve.priors.labels import labels_at, load_image
from cellcarve.priors.placement import apply, extent
from cellcarve.read.stream import first_line

_BLOCK, _TABLE = 1 << 24, 1 << 28


@dataclass
class Labels:
    """Numbered cells of an image.

    Attributes
    ----------
    label
        (H, W) int32: 0 = none, else 1 .. P.
    names
        P names.
    """

    label: np.ndarray
    names: list[str]


def from_masks(table: Table, options: Options) -> Prior:
    """A label image as prior; where fixed cells are given too, they come second.

    Raises
    ------
    InputError
        An image cannot be read, the images differ in shape, or they lie elsewhere than the transcripts.
    """
    inputs = options.inputs
    notes: list[str] = []
    trust = 1 - options.model.prior_seg_reassignment_prob
    cells = compact(load_image(Path(str(inputs.cellpose_masks)), notes))
    probability = _probabilities(inputs, cells.label.shape)
    if probability is not None:
        probability = weighed(probability, options.model.prior_weight)
    fixed = np.zeros(len(cells.names), bool)
    if inputs.cellpose_masks_fixed is not None:
        if probability is None:
            probability = np.full(cells.label.shape, trust, np.float32)
        fixed = _add_fixed(cells, inputs.cellpose_masks_fixed, probability, notes)
    affine = placed(inputs)
    raster = PriorRaster(cells.label, tuple(affine.ravel().tolist()), trust, probability)
    prior = unlaid(raster, cells.names, f"label image {inputs.cellpose_masks}", notes)
    prior.fixed = fixed if fixed.any() else None
    return laid(table, prior, "set --cellpose-scale, or the transforms")


def unlaid(raster: PriorRaster, names: list[str], source: str, notes: list[str]) -> Prior:
    """A prior that knows its pixels but not yet its rows."""
    kind = "nuclei" if raster.nuclear else "cells"
    nothing = np.zeros(0, np.int32)
    return Prior(nothing, nothing > 0, names, kind, source, notes=notes, raster=raster)


def laid(table: Table, prior: Prior, advice: str) -> Prior:
    """The prior with what its raster says of each row.

    Parameters
    ----------
    table
        N rows.
    prior
        From `unlaid`.
    advice
        What to do where it lies elsewhere.

    Raises
    ------
    InputError
        It lies elsewhere than the transcripts, or none of them lies on a label.
    """
    raster = prior.raster
    if raster is None:
        return prior
    row = np.flatnonzero(table.status == Status.KEPT)
    affine = np.array(raster.affine).reshape(2, 3)
    label, covered = labels_at(raster.label, affine, table.x[row], table.y[row])
    if len(row) and covered == 0:
        height, width = raster.label.shape
        corners = apply(affine, np.array([0, width, 0, width]), np.array([0, 0, height, height]))
        raise InputError(
            f"{prior.source} does not overlap the transcripts: it covers {extent(*corners)}, the transcripts cover "
            f"{extent(table.x[row], table.y[row])}; {advice}"
        )
    if len(row) and not label.any():
        raise InputError(f"{prior.source}: {covered:,} transcripts lie in it but none in a cell; {advice}")
    prior.cell = np.zeros(len(table), np.int32)
    prior.cell[row] = label
    prior.core = prior.cell > 0
    share = f"{covered / max(len(row), 1):.1%} of the transcripts"
    prior.notes.append(f"prior: {prior.source}, {len(prior.names):,} {prior.kind}; it covers {share}")
    return prior


def placed(inputs: InputOptions) -> np.ndarray:
    """(2, 3) map from (column, row) of a pixel's corner to µm."""
    if inputs.cellpose_scale is not None:
        scale = inputs.cellpose_scale
        return np.array([[scale, 0.0, 0.0], [0.0, scale, 0.0]])
    return np.array([inputs.cellpose_x_transform, inputs.cellpose_y_transform], np.float64)


def compact(image: np.ndarray, suffix: str = "", after: int = 0) -> Labels:
    """Labels of an image by their rank.

    Parameters
    ----------
    image
        (H, W) whole numbers, 0 or less = none.
    suffix
        Behind each name.
    after
        Numbers that are taken: the first label becomes one more.
    """
    flat = image.reshape(-1)
    values = _values(flat)
    label = np.zeros(len(flat), np.int32)
    for a in range(0, len(flat), _BLOCK):
        part = flat[a : a + _BLOCK]
        on = np.flatnonzero(part > 0)
        label[a + on] = np.searchsorted(values, part[on].astype(np.int64)) + 1 + after
    return Labels(label.reshape(image.shape), [f"{value}{suffix}" for value in values.tolist()])


def _values(flat: np.ndarray) -> np.ndarray:
    """Labels that occur, (P,) int64, ascending."""
    top = int(flat.max())
    blocks = (flat[a : a + _BLOCK] for a in range(0, len(flat), _BLOCK))
    if top > _TABLE:
        found = [np.unique(block[block > 0]).astype(np.int64) for block in blocks]
        return np.unique(np.concatenate(found))
    there = np.zeros(top + 1, bool)
    for block in blocks:
        there[block[block > 0].astype(np.int64)] = True
    return np.flatnonzero(there)


def _add_fixed(cells: Labels, path: Path, weight: np.ndarray, notes: list[str]) -> np.ndarray:
    """Take in fixed cells where no other is, with full weight; (P,) bool, which cells are fixed."""
    image = load_image(path, notes)
    if image.shape != cells.label.shape:
        raise InputError(
            f"{path} has shape {image.shape}, the masks have {cells.label.shape}; give both of one image"
        )
    number = len(cells.names)
    other = compact(image, "-fixed", number)
    free = (cells.label == 0) & (other.label > 0)
    cells.label[free] = other.label[free]
    weight[free] = 1.0
    cells.names.extend(other.names)
    return np.arange(len(cells.names)) >= number


def _probabilities(inputs: InputOptions, shape: tuple[int, ...]) -> np.ndarray | None:
    """(H, W) float32 weight of each pixel for its cell, from logits."""
    path = inputs.cellpose_cellprobs
    if path is None:
        return None
    from cellcarve.priors.labels import open_image

    try:
        logits = np.squeeze(open_image(path))
    except Exception as error:
        raise InputError(
            f"{path} cannot be read as an image ({first_line(error)}); save it as .npy"
        ) from error
    if logits.shape != shape or logits.dtype.kind != "f":
        raise InputError(
            f"{path} has shape {logits.shape} and type {logits.dtype}; cell probabilities are real numbers of the masks' "
            f"shape {shape}"
        )
    if not np.isfinite(logits).all():
        raise InputError(f"{path} holds values that are no numbers; make it again")
    from scipy.special import expit

    discount = np.float32(inputs.cellpose_cellprob_discount)
    return (np.float32(0.5) + np.float32(0.5) * discount * expit(logits.astype(np.float32))).astype(
        np.float32
    )
