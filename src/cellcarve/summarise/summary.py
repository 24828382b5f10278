"""Summarise a segmentation."""

import numpy as np

from cellcarve.data import flat
from cellcarve.data.prior import Prior
from cellcarve.data.result import Outlines, Summary
from cellcarve.data.segmentation import Segmentation
from cellcarve.data.table import Table
from cellcarve.progress import Progress
from cellcarve.summarise.cells import describe
from cellcarve.summarise.counts import count
from cellcarve.summarise.layers import outline_layers
from cellcarve.summarise.outlines import outline


def summarise(table: Table, prior: Prior, segmentation: Segmentation, progress: Progress) -> Summary:
    """Count, outline and describe the cells of a segmentation.

    Parameters
    ----------
    table
        N rows of input.
    prior
        P prior cells.
    segmentation
        C cells.
    progress
        Who is told how far it is.

    Returns
    -------
    Summary
        Counts, cells, outlines and, where the tissue is deep enough, outlines by layer.
    """
    cells = len(segmentation.names)
    counts = count(segmentation.cell, table.gene, cells, len(table.genes))
    row = flat.keep(np.flatnonzero(segmentation.cell))
    x, y, cell = (flat.take(values, row) for values in (table.x, table.y, segmentation.cell))
    progress.stage("outlining cells", len(row), "transcripts")
    outlines: Outlines = outline(x, y, cell, cells, progress.advance)
    z = None if table.z is None else flat.take(table.z, row)
    layers, edges = outline_layers(x, y, z, cell, cells)
    described = describe(table, prior, segmentation, counts, outlines)
    return Summary(counts, described, outlines, layers, edges)
