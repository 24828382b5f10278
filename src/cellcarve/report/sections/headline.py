"""What went in, what came out, and what the reader should know first."""

import numpy as np

from cellcarve.data.result import Run
from cellcarve.report.numbers import Numbers
from cellcarve.report.pieces import Fact, Facts, Notes, Section, Text
from cellcarve.report.words import NONE, count, decimal, percent, plural


def headline(run: Run, numbers: Numbers) -> Section:
    """The run in one sentence, its key numbers and its notes."""
    said = Notes(_warnings(run, numbers), _notes(run))
    return Section("summary", "Summary", [Text(_sentence(run, numbers)), Facts(_facts(numbers)), said])


def _sentence(run: Run, numbers: Numbers) -> str:
    born = ", ".join(f"{count(n)} {name}" for name, n in numbers.origins.items() if n)
    cells = plural(numbers.cells, "cell") + (f" ({born})" if born else "")
    start = {"nuclei": "starting from prior nuclei", "cells": "starting from prior cells"}
    prior = start.get(run.prior.kind, "without a prior segmentation")
    source = f" ({run.prior.source})" if run.prior.names and run.prior.source else ""
    return (
        f"{plural(numbers.rows, 'transcript')} of {plural(len(run.table.genes), 'gene')} went in, "
        f"{count(numbers.kept)} were kept, and {count(numbers.assigned)} of these "
        f"({percent(numbers.assigned, numbers.kept)}) were assigned to {cells}, {prior}{source}."
    )


def _facts(numbers: Numbers) -> list[Fact]:
    born = [f"{count(n)} {name}" for name, n in numbers.origins.items() if n]
    typical, different = (_median(values) for values in (numbers.transcripts, numbers.genes))
    return [
        Fact(count(numbers.rows), "transcripts read"),
        Fact(count(numbers.kept), "kept", percent(numbers.kept, numbers.rows)),
        Fact(percent(numbers.assigned, numbers.kept), "assigned", plural(numbers.assigned, "transcript")),
        Fact(count(numbers.cells), "cells", " · ".join(born)),
        Fact(typical, "transcripts per cell", "median"),
        Fact(different, "genes per cell", "median"),
        Fact(decimal(numbers.probability), "probability", "mean of assigned"),
    ]


def _median(values: np.ndarray) -> str:
    return decimal(float(np.median(values))) if len(values) else NONE


def _notes(run: Run) -> list[str]:
    """Everything the stages had to say, each sentence once."""
    said = [*run.table.notes, *run.prior.notes, *run.record.get("notes", [])]
    return list(dict.fromkeys(str(note) for note in said))


def _warnings(run: Run, numbers: Numbers) -> list[str]:
    """What makes a result doubtful, told by its numbers alone."""
    warnings = []
    if numbers.cells == 0:
        warnings.append("No cell was found: nothing below can say much. Check the input and the prior.")
    elif numbers.assigned < 0.5 * numbers.kept:
        warnings.append(
            f"Only {percent(numbers.assigned, numbers.kept)} of the kept transcripts were assigned: look "
            "at the tissue map for regions without nuclei, or try --purity complete."
        )
    low_quality = run.table.losses()["low quality"]
    if low_quality > 0.3 * max(numbers.rows, 1):
        warnings.append(
            f"{percent(low_quality, numbers.rows)} of the transcripts were left out for low quality: "
            "more than usual."
        )
    if numbers.cells and float(np.median(numbers.transcripts)) < 20:
        warnings.append(
            f"Half of the cells hold {plural(int(np.median(numbers.transcripts)), 'transcript')} or fewer: "
            "cell types will be hard to tell apart."
        )
    return warnings
