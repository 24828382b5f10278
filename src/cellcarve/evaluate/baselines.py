"""Rules that need no model: what every method has to beat."""

import numpy as np
from scipy.spatial import cKDTree

from cellcarve.errors import InputError
from cellcarve.evaluate.assignment import Assignment

EXPANSION = 5.0
FURTHEST = 15.0


def nuclei_only(table: Assignment) -> np.ndarray:
    """(N,) int32 cells: only transcripts in nuclei are assigned.

    Raises
    ------
    InputError
        The table does not say which transcripts lie in nuclei.
    """
    if table.nucleus is None:
        raise InputError("the table does not say which transcripts lie in nuclei; name that column")
    return np.where(table.nucleus, table.cell, 0).astype(np.int32)


def nearest_transcript(table: Assignment, reach: float) -> np.ndarray:
    """(N,) int32 cells: each transcript goes with the nearest nuclear one within `reach` µm."""
    cell = nuclei_only(table)
    place = positions(table)
    core = np.flatnonzero(cell > 0)
    if not len(core):
        return cell
    distance, found = cKDTree(place[core]).query(place, distance_upper_bound=reach)
    near = np.isfinite(distance)
    grown = np.zeros(len(cell), np.int32)
    grown[near] = cell[core[found[near]]]
    return grown


def nearest_centre(table: Assignment, reach: float) -> np.ndarray:
    """(N,) int32 cells: each transcript goes to the nearest middle of a nucleus within `reach` µm."""
    cell = nuclei_only(table)
    place = positions(table)
    count = np.bincount(cell)
    held = np.flatnonzero(count[1:]) + 1
    if not len(held):
        return cell
    sums = [np.bincount(cell, axis)[held] / count[held] for axis in place.T]
    distance, found = cKDTree(np.column_stack(sums)).query(place, distance_upper_bound=reach)
    near = np.isfinite(distance)
    grown = np.zeros(len(cell), np.int32)
    grown[near] = held[found[near]]
    return grown


def rules(table: Assignment) -> dict[str, np.ndarray]:
    """Cells by all rules.

    Parameters
    ----------
    table
        An instrument's table: N rows with positions, nuclei and cells.

    Returns
    -------
    dict
        Per rule (N,) int32 cells, 0 = none.

    Raises
    ------
    InputError
        Nuclei or positions are missing.
    """
    return {
        "nuclei only": nuclei_only(table),
        f"nuclei grown by {EXPANSION:g} µm": nearest_transcript(table, EXPANSION),
        "nearest nuclear transcript": nearest_transcript(table, FURTHEST),
        "nearest nucleus centre": nearest_centre(table, FURTHEST),
    }


def positions(table: Assignment) -> np.ndarray:
    """(N, 2) float64 positions in µm.

    Raises
    ------
    InputError
        The table has none.
    """
    if table.x is None or table.y is None:
        raise InputError("the table has no positions; name the columns that hold x and y")
    return np.column_stack([table.x, table.y]).astype(np.float64)
