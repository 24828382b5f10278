"""The numbers that several sections of the report share, each reckoned once."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from cellcarve.data.result import Run
from cellcarve.data.segmentation import ORIGIN_NAMES
from cellcarve.data.table import Status
from cellcarve.report.before import Before, before_of

BLOCK = 1 << 21


@dataclass(frozen=True)
class Numbers:
    """What went in and what came out; N rows, C cells, G genes.

    Attributes
    ----------
    rows, kept, assigned
        Transcripts read, kept, and given to a cell.
    background, unsure
        Kept transcripts in no cell: because "no cell" is likelier, or because no cell was likely enough.
    probability
        Mean probability of the assigned transcripts; NaN where none is.
    origins
        Cells by where they come from.
    transcripts, genes
        (C,) transcripts and different genes of each cell.
    gene_kept, gene_assigned
        (G,) transcripts of each gene that were kept, and that were assigned.
    box
        Bounds (xmin, ymin, xmax, ymax) of the kept transcripts in µm, with a small margin.
    before
        The cells the input came with, where it had any.
    """

    rows: int
    kept: int
    assigned: int
    background: int
    unsure: int
    probability: float
    origins: dict[str, int]
    transcripts: np.ndarray
    genes: np.ndarray
    gene_kept: np.ndarray
    gene_assigned: np.ndarray
    box: tuple[float, float, float, float]
    before: Before | None

    @property
    def cells(self) -> int:
        """Number of cells."""
        return len(self.transcripts)


def blocks(rows: int) -> Iterator[slice]:
    """Slices of rows that are small enough for temporary arrays."""
    return (slice(low, min(low + BLOCK, rows)) for low in range(0, rows, BLOCK))


def tally(code: np.ndarray, chosen: np.ndarray, size: int) -> np.ndarray:
    """(size,) int64: how often each code 0 .. size - 1 occurs in the (N,) chosen rows."""
    total = np.zeros(size, np.int64)
    for part in blocks(len(code)):
        total += np.bincount(code[part][chosen[part]], minlength=size)
    return total


def numbers_of(run: Run) -> Numbers:
    """Reckon the shared numbers of a run."""
    table, result, counts = run.table, run.segmentation, run.summary.counts
    kept = table.status == Status.KEPT
    assigned = result.cell > 0
    free = kept & ~assigned
    background = int(np.count_nonzero(free & result.background))
    sure = float(np.sum(result.probability, where=assigned, dtype=np.float64))
    share = int(np.count_nonzero(assigned))
    origin = np.bincount(result.origin, minlength=len(ORIGIN_NAMES))
    return Numbers(
        rows=len(table),
        kept=int(np.count_nonzero(kept)),
        assigned=share,
        background=background,
        unsure=int(np.count_nonzero(free)) - background,
        probability=sure / share if share else float("nan"),
        origins={name: int(n) for name, n in zip(ORIGIN_NAMES, origin, strict=True)},
        transcripts=np.asarray(counts.sum(axis=1), np.int64).ravel(),
        genes=np.diff(counts.indptr),
        gene_kept=tally(table.gene, kept, len(table.genes)),
        gene_assigned=np.asarray(counts.sum(axis=0), np.int64).ravel(),
        box=_bounds(table.x, table.y, kept),
        before=before_of(run),
    )


def _bounds(x: np.ndarray, y: np.ndarray, kept: np.ndarray) -> tuple[float, float, float, float]:
    if not kept.any():
        kept = np.ones(len(x), bool)
    if not len(x):
        return 0.0, 0.0, 10.0, 10.0
    low = [float(np.min(v, where=kept, initial=np.inf)) for v in (x, y)]
    high = [float(np.max(v, where=kept, initial=-np.inf)) for v in (x, y)]
    margin = max(5.0, 0.01 * max(high[0] - low[0], high[1] - low[1]))
    return low[0] - margin, low[1] - margin, high[0] + margin, high[1] + margin
