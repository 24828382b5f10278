"""A finished run: everything that is written to the run folder."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csr_matrix

from cellcarve.data.prior import Prior
from cellcarve.data.segmentation import Segmentation
from cellcarve.data.table import Table

if TYPE_CHECKING:
    import pandas as pd


@dataclass
class Outlines:
    """One valid polygon per cell that has one: exterior rings only, no holes; B polygons, V vertices.

    Attributes
    ----------
    cell
        (B,) int32 cell numbers 1 .. C, ascending.
    x, y
        (V,) float32 vertices in µm; rings are closed (first vertex repeated at the end), counter-clockwise.
    start
        (B + 1,) int64 where each ring begins.
    """

    cell: np.ndarray
    x: np.ndarray
    y: np.ndarray
    start: np.ndarray


@dataclass
class Summary:
    """What people use of a segmentation; C cells, G genes.

    Attributes
    ----------
    counts
        (C, G) int32 transcripts assigned.
    cells
        Table of C rows with the columns of ``cells.parquet``.
    outlines
        A polygon per cell.
    layers
        Polygons per z layer, ``{layer: Outlines}``; empty for flat tissue.
    layer_edges
        z (µm) of the layers' borders.
    """

    counts: csr_matrix
    cells: "pd.DataFrame"
    outlines: Outlines
    layers: dict[int, Outlines] = field(default_factory=dict)
    layer_edges: tuple[float, ...] = ()


@dataclass
class Run:
    """Input, prior, segmentation and summary of one run, with the record that becomes ``run.json``."""

    table: Table
    prior: Prior
    segmentation: Segmentation
    summary: Summary
    record: dict[str, Any] = field(default_factory=dict)
