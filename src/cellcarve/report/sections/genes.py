"""Which genes were counted, and which found no cell."""

import numpy as np

from cellcarve.data.result import Run
from cellcarve.report.numbers import Numbers
from cellcarve.report.pieces import Bar, Columns, Grid, Section
from cellcarve.report.words import count, percent, shorten

SHOWN = 15
ENOUGH = 20


def genes(run: Run, numbers: Numbers) -> Section:
    """The most frequent genes and those most often left in no cell."""
    kept, assigned = numbers.gene_kept, numbers.gene_assigned
    frequent = np.argsort(-kept, kind="stable")[:SHOWN]
    free = (kept - assigned) / np.maximum(kept, 1)
    # Shares of rare genes are chance: only genes with a fair number of transcripts are ranked.
    enough = kept >= max(ENOUGH, np.median(kept[kept > 0]) / 4 if kept.any() else 0)
    homeless = np.argsort(-np.where(enough, free, -1), kind="stable")[: min(SHOWN, int(enough.sum()))]
    tables = [
        _table(run, numbers, frequent[kept[frequent] > 0], "assigned", "The most frequent genes."),
        _table(
            run, numbers, homeless, "in no cell",
            "Genes most often in no cell, among those with enough transcripts. Secreted or diffusing RNA "
            "and noisy probes come first here; a marker of a cell type means that cells of this type were "
            "missed.",
        ),
    ]  # fmt: skip
    return Section("genes", "Genes", [Columns([table for table in tables if table.rows])])


def _table(run: Run, numbers: Numbers, chosen: np.ndarray, share: str, caption: str) -> Grid:
    kept, assigned = numbers.gene_kept[chosen], numbers.gene_assigned[chosen]
    part = assigned if share == "assigned" else kept - assigned
    rows: list[list[str | Bar]] = [
        [shorten(run.table.genes[g], 24), count(n), Bar(p / max(n, 1), percent(p, n))]
        for g, n, p in zip(chosen.tolist(), kept.tolist(), part.tolist(), strict=True)
    ]
    return Grid(["gene", "transcripts", share], rows, "lrl", caption)
