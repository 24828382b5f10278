"""All measures of a segmentation in one go."""

from pathlib import Path
from typing import Any

from cellcarve.evaluate.assignment import Assignment, Columns, read_assignment
from cellcarve.evaluate.basics import basics
from cellcarve.evaluate.coexpression import relative_coexpression
from cellcarve.evaluate.comparison import compare
from cellcarve.evaluate.reference import against_reference, read_reference
from cellcarve.evaluate.truth import against_truth, read_truth


def evaluate(
    segmentation: Path | Assignment,
    truth: Path | None = None,
    reference: Path | None = None,
    against: Path | None = None,
    columns: Columns | None = None,
) -> dict[str, Any]:
    """Measure the quality of a segmentation by any program.

    Parameters
    ----------
    segmentation
        Folder of a run, an instrument's output folder, a table (Parquet or CSV) with a cell for each
        transcript, or such a table already read.
    truth
        ``truth.parquet`` of a simulated tissue, its folder, or any table with the column ``true_cell``;
        rows with a true cell below 0 do not count.
    reference
        Expression by cell type, as `read_reference` takes it.
    against
        Another segmentation of the same transcripts. Where it says which transcripts lie in nuclei, as an
        instrument's table does, co-expression is measured beside its nuclei too.
    columns
        Names of the segmentation's columns, where they are not the usual ones.

    Returns
    -------
    dict
        JSON-ready measures: plain numbers, and under ``truth``, ``reference``, ``against`` and
        ``coexpression`` those that were asked for.

    Raises
    ------
    InputError
        A file is absent, cannot be read or does not fit the others.
    """
    found = segmentation
    if not isinstance(found, Assignment):
        found = read_assignment(found, columns or Columns())
    measures = basics(found)
    if truth is not None:
        measures["truth"] = against_truth(found, read_truth(truth))
    if reference is not None:
        measures["reference"] = against_reference(found, read_reference(reference))
    if against is not None:
        other = read_assignment(against)
        measures["against"] = compare(found, other)
        if _has_nuclei(other):
            measures["coexpression"] = relative_coexpression(found, other)
    elif _has_nuclei(found):
        measures["coexpression"] = relative_coexpression(found, found)
    return measures


def _has_nuclei(table: Assignment) -> bool:
    needed = (table.nucleus, table.gene, table.x, table.y)
    return all(part is not None for part in needed) and bool(table.nucleus.any())  # type: ignore[union-attr]
