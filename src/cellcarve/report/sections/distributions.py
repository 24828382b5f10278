"""Sizes and contents of the cells, ours over those before."""

import numpy as np

from cellcarve.data.result import Outlines, Run
from cellcarve.data.table import Status
from cellcarve.report.before import Before
from cellcarve.report.charts import Steps, histogram
from cellcarve.report.closeup import prior_outlines
from cellcarve.report.colours import BEFORE, OURS
from cellcarve.report.numbers import Numbers, tally
from cellcarve.report.pieces import Columns, Figure, Key, Section, Text
from cellcarve.report.raster import SAMPLE
from cellcarve.report.words import decimal

BINS = 40


def distributions(run: Run, numbers: Numbers) -> Section:
    """Histograms of area, transcripts and genes per cell."""
    if not numbers.cells:
        return Section("cells", "Cells", [Text("No cell was found, so there is nothing to show.")])
    before, label = numbers.before, "" if numbers.before is None else numbers.before.label
    nuclei = "nuclei" if run.prior.kind == "nuclei" else "prior cells"
    was, kinds = _contents(run, before)
    figures = [
        _figure("Area", "area (µm²)", areas(run.summary.outlines), areas(prior_outlines(run)), nuclei),
        _figure("Transcripts", "transcripts per cell", numbers.transcripts, was, label),
        _figure("Genes", "genes per cell", numbers.genes, kinds, label),
    ]
    text = (
        "Each chart counts cells. A second hump at twice the usual area or content hints at merged cells, "
        "a pile near zero at fragments. The last bar holds everything beyond the 99th percentile."
    )
    return Section("cells", "Cells", [Text(text), Columns(figures)])


def areas(outlines: Outlines) -> np.ndarray:
    """Area in µm² of each outline that has vertices (float64)."""
    begin = outlines.start[:-1][np.diff(outlines.start) > 0]
    if not len(begin):
        return np.empty(0)
    # Relative to the first vertex: the products would lose digits far from the origin.
    x = outlines.x.astype(np.float64) - float(outlines.x[0])
    y = outlines.y.astype(np.float64) - float(outlines.y[0])
    cross = x * np.roll(y, -1) - np.roll(x, -1) * y
    last = np.append(begin[1:], len(x)) - 1
    cross[last] = x[last] * y[begin] - x[begin] * y[last]
    return np.abs(np.add.reduceat(cross, begin)) / 2


def _contents(run: Run, before: Before | None) -> tuple[np.ndarray, np.ndarray]:
    """Transcripts and genes per cell before; cells are thinned where there are very many transcripts."""
    if before is None:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    from scipy.sparse import csr_matrix

    held = (run.table.status == Status.KEPT) & (before.code > 0)
    transcripts = tally(before.code, held, before.cells + 1)[1:]
    every = -(-len(held) // SAMPLE)
    if every > 1:
        held &= before.code % every == 0
    code, gene = before.code[held], run.table.gene[held]
    # Duplicates are summed on building, so the entries stored per row are the different genes of a cell.
    table = csr_matrix(
        (np.ones(len(code), bool), (code, gene)), shape=(before.cells + 1, len(run.table.genes))
    )
    genes = np.diff(table.indptr)
    return transcripts[transcripts > 0], genes[genes > 0]


def _figure(title: str, axis: str, ours: np.ndarray, was: np.ndarray, label: str) -> Figure:
    top = max(float(np.percentile(v, 99)) for v in (ours, was) if len(v)) if len(ours) + len(was) else 1.0
    whole = np.issubdtype(ours.dtype, np.integer)
    width = max(1.0, np.ceil(top / BINS)) if whole else max(top, 1e-6) / BINS
    edges = np.arange(np.ceil(max(top, width) / width) + 1) * width
    layers, keys = [], []
    for values, name, colour, filled in ((ours, "result", OURS, True), (was, label, BEFORE, False)):
        if len(values):
            heights = np.histogram(np.minimum(values, edges[-1]), edges)[0]
            layers.append(Steps(heights, colour, filled))
            keys.append(Key(colour, name, f"median {decimal(float(np.median(values)))}"))
    return Figure(histogram(edges, layers, (axis, "cells")), "", title, keys)
