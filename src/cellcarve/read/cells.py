"""The instrument's cells as codes and names."""

import re

import numpy as np

from cellcarve.data import flat
from cellcarve.read.intake import Intake

_NO_CELL = {"", "-1", "unassigned", "none", "nan", "na", "null", "<na>"}
_WHOLE = re.compile(r"-?[0-9]+\.0")


def instrument_cells(taken: Intake, scoped: bool) -> tuple[np.ndarray, list[str]]:
    """Cell of every row.

    Parameters
    ----------
    taken
        N rows.
    scoped
        Ids are unique within a field of view only: names become ``fov_cell``.

    Returns
    -------
    tuple
        (N,) int32, 0 = none, else index into the names plus one; and the names, unique.
    """
    if "cell" not in taken.codes:
        return flat.zeros(len(taken.codes["gene"]), np.int32), []
    code, words = taken.codes["cell"], _without_decimals(taken.words["cell"])
    real = np.array([*_real(words), False])
    if not scoped or "fov" not in taken.codes:
        used = np.flatnonzero(real[:-1])
        number = np.zeros(len(words) + 1, np.int32)
        number[used] = np.arange(1, len(used) + 1)
        return flat.recode(code, number), [words[k] for k in used.tolist()]
    # One code for a pair of field and cell; the last place of each field, where -1 leads, is "no cell".
    fields, width = [*taken.words["fov"], ""], len(words) + 1
    pair = (taken.codes["fov"] % len(fields)).astype(np.int64) * width + code % width
    used = np.flatnonzero((np.bincount(pair, minlength=len(fields) * width) > 0) & np.tile(real, len(fields)))
    number = np.zeros(len(fields) * width, np.int32)
    number[used] = np.arange(1, len(used) + 1)
    code[:] = number[pair]
    return code, [f"{fields[k // width]}_{words[k % width]}" for k in used.tolist()]


def _real(words: list[str]) -> list[bool]:
    """Which words name a cell; a 0 does where something else says "no cell"."""
    none = _NO_CELL if "-1" in words else _NO_CELL | {"0"}
    return [word.lower() not in none for word in words]


def _without_decimals(words: list[str]) -> list[str]:
    """Whole numbers that were written as ``12.0``, as they are where some row has no cell."""
    whole = [_WHOLE.fullmatch(word) or word.lower() in _NO_CELL for word in words]
    return [word.removesuffix(".0") for word in words] if all(whole) else words
