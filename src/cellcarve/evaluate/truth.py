"""A truth about transcripts, and how near a segmentation comes to it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from cellcarve.errors import InputError
from cellcarve.evaluate.assignment import (
    USUAL,
    Assignment,
    at,
    places,
    read_assignment,
    table_of,
    transcript_ids,
)
from cellcarve.evaluate.calibration import calibration
from cellcarve.evaluate.overlap import Overlap, adjusted_rand, match, overlap
from cellcarve.evaluate.profiles import SMALLEST, count_genes, likeness, spurious

FILE = "truth.parquet"


@dataclass
class Truth:
    """The true cell of each transcript; N rows, those of unknown truth left out.

    Attributes
    ----------
    ids
        M transcript ids of all of the file's rows, or None where rows correspond by order.
    cell
        (N,) int64 cell that made the transcript, 0 = none.
    leaked
        (N,) bool, lies outside that cell.
    inside
        (N,) int64 cell that the transcript lies in, 0 = none; None where unknown.
    known
        (M,) bool, which of the file's rows have a known truth.
    folder
        Where the file lies.
    """

    ids: pa.Array | None
    cell: np.ndarray
    leaked: np.ndarray
    inside: np.ndarray | None
    known: np.ndarray
    folder: Path


def read_truth(path: Path) -> Truth:
    """Read a table with ``transcript_id`` and ``true_cell``, perhaps with ``leaked`` and ``inside_cell``.

    Raises
    ------
    InputError
        The file is absent or unreadable or has no true cells.
    """
    source = table_of(path, (FILE,))
    if "true_cell" not in source.names:
        raise InputError(
            f"'{source.path}' has no column 'true_cell'; add the number of each true cell, 0 = none"
        )
    ids = next((name for name in USUAL["id"] if name in source.names), None)
    names = [n for n in (ids, "true_cell", "leaked", "inside_cell") if n in source.names]
    table = source.read(names)
    known = table["true_cell"].to_numpy() >= 0
    every = transcript_ids(table[ids].combine_chunks() if ids else None)
    table = table.filter(pa.array(known))
    cell = table["true_cell"].to_numpy().astype(np.int64)
    leaked = table["leaked"].to_numpy() if "leaked" in names else np.zeros(len(cell), bool)
    inside = table["inside_cell"].to_numpy().astype(np.int64) if "inside_cell" in names else None
    return Truth(every, cell, leaked.astype(bool), inside, known, source.path.parent)


def against_truth(found: Assignment, truth: Truth) -> dict[str, Any]:
    """Measure a segmentation by its truth.

    Transcripts that the segmentation does not hold count as in no cell.

    Parameters
    ----------
    found
        The segmentation.
    truth
        The truth.

    Returns
    -------
    dict
        Measures by name; shares are between 0 and 1, None where there is nothing to measure.
    """
    place = _rows(found, truth, "the segmentation")
    cell = at(found.cell, place)
    cellular, assigned = truth.cell > 0, cell > 0
    most = int(truth.cell.max(initial=0))
    matched = match(overlap(truth.cell, cell), most)
    hit = cellular & assigned & (matched[truth.cell] == cell)
    measures = _shares(truth, cell, hit)
    measures |= _cells(truth.cell, cell, hit, matched)
    gene = _genes_of(found, truth, place)
    if gene is not None:
        measures |= _expression(truth.cell, cell, matched, gene)
    if truth.inside is not None:
        measures["containment_f1"] = _containment(truth.inside, cell)
    if found.probability is not None:
        best = cell if found.best is None else at(found.best, place)
        measures["calibration"] = _calibration(truth.cell, best, at(found.probability, place))
    return measures


def _rows(table: Assignment, truth: Truth, what: str) -> np.ndarray:
    """(N,) int64, the table's row of each transcript of known truth; -1 = none."""
    return places(truth.ids, table.ids, (len(truth.known), len(table)), what)[truth.known]


def _mean(flags: np.ndarray) -> float | None:
    return float(flags.mean()) if len(flags) else None


def _shares(truth: Truth, cell: np.ndarray, hit: np.ndarray) -> dict[str, Any]:
    cellular, assigned = truth.cell > 0, cell > 0
    precision, recall = hit.sum() / max(assigned.sum(), 1), hit.sum() / max(cellular.sum(), 1)
    return {
        "assigned": _mean(assigned),
        "ari": adjusted_rand(truth.cell[cellular], cell[cellular]),
        "precision": float(precision),
        "recall": float(recall),
        "f1": float(2 * precision * recall / max(precision + recall, 1e-12)),
        "noise_rejected": _mean(~assigned[~cellular]),
        "leaked_home": _mean(hit[truth.leaked & cellular]),
    }


def _cells(true: np.ndarray, cell: np.ndarray, hit: np.ndarray, matched: np.ndarray) -> dict[str, Any]:
    size, held = np.bincount(true, minlength=len(matched)), np.bincount(true[hit], minlength=len(matched))
    found = np.bincount(cell, minlength=1)
    other = np.where(matched > 0, found[matched], 0)
    score = 2 * held / np.maximum(size + other, 1)
    real = size >= SMALLEST
    real[0] = False
    return {
        "cells_true": int(real.sum()),
        "cells_found": int((found[1:] >= SMALLEST).sum()),
        "cells_recovered": _mean(score[real] > 0.5),
    }


def _expression(true: np.ndarray, cell: np.ndarray, matched: np.ndarray, gene: np.ndarray) -> dict[str, Any]:
    names, gene = np.unique(gene, return_inverse=True)
    genes = len(names)
    counts = count_genes(true, gene, len(matched) - 1, genes)
    found = count_genes(cell, gene, int(cell.max(initial=0)), genes)
    real = np.asarray(counts.sum(axis=1)).ravel() >= SMALLEST
    row = np.flatnonzero(real & (matched[1:] > 0))
    alike = likeness(counts[row], found[matched[1:][row] - 1]).sum() / max(real.sum(), 1)
    large = np.asarray(found.sum(axis=1)).ravel() >= SMALLEST
    ratio, pairs = spurious(counts[real], found[large])
    return {
        "profile_cor": float(alike),
        "spurious_coexpr": None if np.isnan(ratio) else ratio,
        "pairs": pairs,
    }


def _genes_of(found: Assignment, truth: Truth, place: np.ndarray) -> np.ndarray | None:
    """Gene of each transcript of known truth, from the segmentation or else from beside the truth."""
    if found.gene is not None and len(place) and place.min() >= 0:
        return found.gene[place]
    try:
        beside = read_assignment(truth.folder)
    except InputError:
        return None
    if beside.gene is None:
        return None
    where = _rows(beside, truth, f"the table in '{truth.folder}'")
    return beside.gene[where] if where.min(initial=0) >= 0 else None


def _containment(inside: np.ndarray, cell: np.ndarray) -> float:
    """F1 where the true cell is the one that the transcript lies in."""
    hits = _matched_count(overlap(inside, cell), int(inside.max(initial=0)))
    return float(2 * hits / max((inside > 0).sum() + (cell > 0).sum(), 1))


def _matched_count(pairs: Overlap, most: int) -> int:
    return int(pairs.count[match(pairs, most)[pairs.a] == pairs.b].sum())


def _calibration(true: np.ndarray, best: np.ndarray, probability: np.ndarray) -> dict[str, Any]:
    given = best > 0
    matched = match(overlap(true, best), int(true.max(initial=0)))
    right = (true > 0) & (matched[true] == best)
    return calibration(probability[given].astype(np.float64), right[given])
