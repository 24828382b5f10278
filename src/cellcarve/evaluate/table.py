"""Measures of several segmentations as a table of plain text."""

from collections.abc import Mapping
from typing import Any

# Measures in the order in which people ask for them: heading, and where it is found.
COLUMNS = (
    ("F1", ("truth", "f1")),
    ("precision", ("truth", "precision")),
    ("recall", ("truth", "recall")),
    ("ARI", ("truth", "ari")),
    ("assigned", ("assigned",)),
    ("cells", ("cells_of_10",)),
    ("recovered", ("truth", "cells_recovered")),
    ("profile", ("truth", "profile_cor")),
    ("spurious", ("truth", "spurious_coexpr")),
    ("noise out", ("truth", "noise_rejected")),
    ("leaks home", ("truth", "leaked_home")),
    ("ECE", ("truth", "calibration", "ece")),
    ("log2 co-expr.", ("coexpression", "log2_ratio")),
)


def format_table(rows: Mapping[str, Mapping[str, Any]]) -> str:
    """One line per segmentation, one column per measure that any of them has.

    Parameters
    ----------
    rows
        Per segmentation the measures of `evaluate`.

    Returns
    -------
    str
        Lines of equal width; a dash where a segmentation lacks a measure.
    """
    values = {name: [_get(row, path) for _, path in COLUMNS] for name, row in rows.items()}
    used = [i for i in range(len(COLUMNS)) if any(line[i] is not None for line in values.values())]
    lines = [["", *(COLUMNS[i][0] for i in used)]]
    lines += [[name, *(_text(line[i]) for i in used)] for name, line in values.items()]
    width = [max(len(line[i]) for line in lines) for i in range(len(used) + 1)]
    return "\n".join(
        "  ".join(
            [line[0].ljust(width[0]), *(word.rjust(w) for word, w in zip(line[1:], width[1:], strict=True))]
        )
        for line in lines
    )


def _get(row: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    value: Any = row
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _text(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:,}" if isinstance(value, int) else f"{value:.3f}"
