"""``segmentation_cell_stats.csv``: a row per cell."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cellcarve.mixture.result import CellTable

if TYPE_CHECKING:
    import pandas as pd

_ROUNDED = ("density", "elongation", "area", "avg_confidence", "avg_assignment_confidence")
_ORDER = ("x", "y", "z", "cluster", "n_transcripts", *_ROUNDED, "max_cluster_frac", "lifespan")


def cell_stats(cells: CellTable, names: np.ndarray) -> "pd.DataFrame":
    """The table.

    Parameters
    ----------
    cells
        Statistics of C cells.
    names
        (C,) their names.
    """
    import pandas as pd

    columns = {"cell": names} | {
        name: getattr(cells, name) for name in _ORDER if getattr(cells, name) is not None
    }
    for name in _ROUNDED:
        columns[name] = significant(columns[name])
    return pd.DataFrame(columns)


def write_cell_stats(path: Path, stats: "pd.DataFrame") -> None:
    """Write the table.

    Raises
    ------
    OSError
        The file cannot be written.
    """
    stats.to_csv(path, index=False, na_rep="NaN")


def significant(values: np.ndarray, digits: int = 4) -> np.ndarray:
    """Values rounded to significant digits.

    >>> significant(np.array([123456.0, 0.00123456, -2.0, 0.0])).tolist()
    [123500.0, 0.001235, -2.0, 0.0]
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        size = np.floor(np.log10(np.abs(values)))
    size = np.where(np.isfinite(size), size, 0)
    ten = 10.0 ** np.abs(digits - 1 - size)
    # Dividing by a power of ten gives the nearest number to the decimal; multiplying by a tenth would not.
    return np.where(size < digits, np.round(values * ten) / ten, np.round(values / ten) * ten)
