"""Measures as a table for people."""

from collections.abc import Mapping
from typing import Any


def side_by_side(measured: Mapping[str, Mapping[str, Any]]) -> None:
    """Print one column per segmentation and one row per measure.

    Parameters
    ----------
    measured
        Per segmentation its measures, which may be nested.
    """
    from rich.console import Console
    from rich.table import Table

    columns = {name: flat(measures) for name, measures in measured.items()}
    table = Table("measure", *columns)
    for measure in dict.fromkeys(key for column in columns.values() for key in column):
        table.add_row(measure, *(shown(column.get(measure)) for column in columns.values()))
    Console(highlight=False).print(table)


def flat(measures: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested measures under joined names; lists, which are for files, are left out.

    >>> flat({"truth": {"f1": 0.8, "bins": [1, 2]}})
    {'truth f1': 0.8}
    """
    found: dict[str, Any] = {}
    for key, value in measures.items():
        name = f"{prefix}{key.replace('_', ' ')}"
        if isinstance(value, Mapping):
            found.update(flat(value, f"{name} "))
        elif not isinstance(value, list | tuple):
            found[name] = value
    return found


def shown(value: Any) -> str:
    """A measure as people read it: three digits, thousands apart, a dash where there is none."""
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.3f}" if abs(value) < 1000 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
