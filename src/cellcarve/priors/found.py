"""What a source of prior cells yields, and how it becomes a `Prior`."""

from dataclasses import dataclass, field

import numpy as np

from cellcarve.data.prior import Prior
from cellcarve.data.table import Status, Table
from cellcarve.priors.core import inner


@dataclass
class Found:
    """Prior cells over the kept rows, K of N.

    Attributes
    ----------
    cell
        (K,) int32: 0 = none, else index into `names` plus one.
    names
        Cell ids, unique.
    nucleus
        (K,) bool, in the nucleus of its cell; None where whole cells are all that is known.
    source
        For people: where the cells come from.
    notes
        Sentences for the user.
    """

    cell: np.ndarray
    names: list[str]
    nucleus: np.ndarray | None
    source: str
    notes: list[str] = field(default_factory=list)


def kept_rows(table: Table) -> np.ndarray:
    """(K,) int64 rows that take part; only they lie in prior cells."""
    return np.flatnonzero(table.status == Status.KEPT)


def build(table: Table, found: Found, confidence: float) -> Prior:
    """A prior of those cells that have a core transcript, in the order of `Found.names`.

    Parameters
    ----------
    table
        N rows.
    found
        Cells of the kept rows.
    confidence
        0 .. 1.

    Returns
    -------
    Prior
        Without outlines.
    """
    row = kept_rows(table)
    core = _cores(found, table.x[row], table.y[row])
    alive = np.bincount(found.cell[core], minlength=len(found.names) + 1) > 0
    if not alive.any():
        return nothing(table, "no transcript lies in a prior cell", found.notes, confidence)
    number = np.where(alive, np.cumsum(alive), 0).astype(np.int32)
    kind = "cells" if found.nucleus is None else "nuclei"
    notes = [f"prior: {found.source}, {int(alive.sum()):,} {kind}", *found.notes]
    if found.nucleus is None:
        notes.append("the prior tells of no nuclei: the inner part of each cell anchors it")
    prior = Prior(
        cell=np.zeros(len(table), np.int32),
        core=np.zeros(len(table), bool),
        names=[name for name, lives in zip(found.names, alive[1:], strict=True) if lives],
        kind=kind,
        source=found.source,
        confidence=confidence,
        notes=notes,
    )
    prior.cell[row] = number[found.cell]
    prior.core[row] = core
    return prior


def nothing(table: Table, why: str, notes: list[str], confidence: float) -> Prior:
    """A prior that knows no cells, and says why."""
    note = f"prior: none ({why}); cells are found from density and expression"
    cell, core = np.zeros(len(table), np.int32), np.zeros(len(table), bool)
    return Prior(cell, core, [], "none", "none", confidence, notes=[*notes, note])


def _cores(found: Found, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    if found.nucleus is None:
        return inner(found.cell, x, y, len(found.names))
    return found.nucleus & (found.cell > 0)
