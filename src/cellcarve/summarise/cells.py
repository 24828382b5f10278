"""The table of cells: where each lies, how large it is, what it holds and how sure it is."""

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix

from cellcarve.data.prior import Prior
from cellcarve.data.result import Outlines
from cellcarve.data.segmentation import ORIGIN_NAMES, Segmentation
from cellcarve.data.table import Status, Table

# Cells this close (µm) to the edge of the tissue may be cut off by it.
BORDER = 10.0
# A cell's thickness is the spread of its transcripts' z between these shares.
THICK = (0.05, 0.95)
# Thinnest cell in µm; also the thickness of cells of flat tissue, so that their volume equals their area.
THIN = 1.0


def describe(
    table: Table, prior: Prior, segmentation: Segmentation, counts: csr_matrix, outlines: Outlines
) -> pd.DataFrame:
    """One row per cell.

    Parameters
    ----------
    table, prior, segmentation
        N rows, P prior cells, C cells.
    counts
        (C, G) transcripts.
    outlines
        Polygons of those cells that have one.

    Returns
    -------
    DataFrame
        ``cell_id``, ``origin``, ``prior_id`` (None where a cell is new), ``x``, ``y``, ``z`` (µm, means of the
        transcripts; of the prior's core transcripts where a cell holds none), ``area`` (µm², 0 without a
        polygon), ``volume`` (µm³, area times the 5 to 95 % spread of z, at least 1 µm), ``transcripts``,
        ``genes``, ``mean_probability`` (NaN without transcripts), ``cluster``, ``border`` (within 10 µm of
        the edge of the tissue) and ``existence``.
    """
    cells = len(segmentation.names)
    row = np.flatnonzero(segmentation.cell)
    cell = segmentation.cell[row] - 1
    transcripts = np.bincount(cell, minlength=cells)
    place = _places(table, prior, segmentation, cell, row)
    area = areas(outlines, cells)
    names = np.array([None, *prior.names], dtype=object)
    columns = {
        "cell_id": segmentation.names,
        "origin": np.array(ORIGIN_NAMES, dtype=object)[segmentation.origin],
        "prior_id": names[segmentation.prior],
        **place,
        "area": area,
        "volume": area * _thickness(table, cell, row, transcripts),
        "transcripts": transcripts,
        "genes": np.diff(counts.indptr).astype(np.int32),
        "mean_probability": _mean(cell, segmentation.probability[row], transcripts).astype(np.float32),
        "cluster": segmentation.cluster,
        "border": _at_border(table, place["x"], place["y"]),
        "existence": segmentation.existence,
    }
    return pd.DataFrame(columns)


def areas(outlines: Outlines, cells: int) -> np.ndarray:
    """(cells,) float64 area in µm² of each cell's polygon, 0 where it has none."""
    area = np.zeros(cells)
    if len(outlines.cell) == 0:
        return area
    owner = np.repeat(np.arange(len(outlines.cell)), np.diff(outlines.start))
    first = outlines.start[:-1]
    # Counting from each ring's first vertex keeps the products small and exact.
    x = outlines.x - outlines.x[first][owner].astype(np.float64)
    y = outlines.y - outlines.y[first][owner].astype(np.float64)
    cross = np.append(x[:-1] * y[1:] - x[1:] * y[:-1], 0)
    # Rings are closed: the step from one ring's last vertex, at its origin, to the next ring adds nothing.
    area[outlines.cell - 1] = np.bincount(owner, cross) / 2
    return area


def _mean(cell: np.ndarray, value: np.ndarray, number: np.ndarray) -> np.ndarray:
    """Mean of a value per cell, NaN where there is none."""
    total = np.bincount(cell, value, minlength=len(number))
    return np.divide(total, number, out=np.full(len(number), np.nan), where=number > 0)


def _places(
    table: Table, prior: Prior, segmentation: Segmentation, cell: np.ndarray, row: np.ndarray
) -> dict[str, np.ndarray]:
    """Centroids by axis, float32; z is 0 in flat tissue."""
    cells, old = len(segmentation.names), len(prior.names) + 1
    number = np.bincount(cell, minlength=cells)
    core = np.flatnonzero(prior.core & (prior.cell > 0))
    anchored = np.bincount(prior.cell[core], minlength=old)
    places = {}
    for axis in "xyz":
        value = getattr(table, axis)
        if value is None:
            places[axis] = np.zeros(cells, np.float32)
            continue
        own = _mean(cell, value[row], number)
        before = _mean(prior.cell[core], value[core], anchored)[segmentation.prior]
        places[axis] = np.where(number > 0, own, before).astype(np.float32)
    return places


def _thickness(table: Table, cell: np.ndarray, row: np.ndarray, number: np.ndarray) -> np.ndarray:
    """Robust spread of z per cell in µm."""
    if table.z is None or len(row) == 0:
        return np.full(len(number), THIN)
    z = table.z[row]
    z = z[np.lexsort((z, cell))]
    first = np.cumsum(number) - number
    last = np.maximum(number - 1, 0)
    held = number > 0
    low, high = (z[np.where(held, first + np.rint(share * last).astype(np.int64), 0)] for share in THICK)
    return np.where(held, np.maximum(high - low, THIN), THIN)


def _at_border(table: Table, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(C,) bool: near the edge of the box around the kept rows."""
    kept = table.status == Status.KEPT
    near = np.zeros(len(x), bool)
    if not kept.any():
        return near
    for centre, place in ((x, table.x[kept]), (y, table.y[kept])):
        near |= (centre < place.min() + BORDER) | (centre > place.max() - BORDER)
    return near
