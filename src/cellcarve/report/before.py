"""The cells the input came with, to set beside ours."""

from dataclasses import dataclass

import numpy as np

from cellcarve.data.result import Run
from cellcarve.data.table import Status


@dataclass(frozen=True)
class Before:
    """The instrument's cells, or else the prior's; N rows, C cells of ours, K cells before.

    Attributes
    ----------
    label
        What they are, in words.
    code
        (N,) int32: 0 = none, else 1 .. K.
    cells
        K, counted by their codes; some may hold no transcript.
    ours
        (C,) int64: the cell before that each of our cells continues, 0 = none.
    """

    label: str
    code: np.ndarray
    cells: int
    ours: np.ndarray

    def in_our_terms(self, cell: np.ndarray) -> np.ndarray:
        """Code (int32) before of the cells our rows are in now: 0 = none, -1 = a cell that continues none."""
        continued = np.where(self.ours > 0, self.ours, -1)
        return np.concatenate([[0], continued]).astype(np.int32)[cell]


@dataclass(frozen=True)
class Flow:
    """Kept transcripts by what became of them; the five add up to all kept ones."""

    same: int
    moved: int
    gained: int
    lost: int
    never: int


def before_of(run: Run) -> Before | None:
    """The instrument's cells where the input has them, else the prior's, else None."""
    table, prior, result = run.table, run.prior, run.segmentation
    if table.cell_names and table.cell.any():
        known = _codes(prior.names, table.cell_names)
        return Before("the instrument's cells", table.cell, len(table.cell_names), known[result.prior])
    if prior.names and prior.cell.any():
        label = "the prior nuclei" if prior.kind == "nuclei" else "the prior cells"
        return Before(label, prior.cell, len(prior.names), result.prior.astype(np.int64))
    return None


def moved_rows(run: Run, before: Before) -> np.ndarray:
    """(N,) bool: in a cell before and in another one now."""
    cell = run.segmentation.cell
    return (before.code > 0) & (cell > 0) & (before.in_our_terms(cell) != before.code)


def flow_of(run: Run, before: Before) -> Flow:
    """Count what became of the kept transcripts."""
    kept = run.table.status == Status.KEPT
    was, now = before.code > 0, run.segmentation.cell > 0
    moved = int(np.count_nonzero(kept & moved_rows(run, before)))
    return Flow(
        same=int(np.count_nonzero(kept & was & now)) - moved,
        moved=moved,
        gained=int(np.count_nonzero(kept & ~was & now)),
        lost=int(np.count_nonzero(kept & was & ~now)),
        never=int(np.count_nonzero(kept & ~was & ~now)),
    )


def _codes(names: list[str], known: list[str]) -> np.ndarray:
    """(P + 1,) codes 1 .. K of prior names among known ones, 0 where unknown and for "no cell"."""
    import pandas as pd

    return np.concatenate([[0], pd.Index(known).get_indexer(pd.Index(names, dtype=object)) + 1])
