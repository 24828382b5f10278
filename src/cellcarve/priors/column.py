"""The instrument's own cells as a prior."""

import numpy as np

from cellcarve.data.table import Table
from cellcarve.priors.found import Found, kept_rows


def column_nuclei(table: Table) -> Found | None:
    """The instrument's cells with their nuclei; None where no kept row lies in the nucleus of a cell."""
    if table.nucleus is None:
        return None
    row = kept_rows(table)
    cell, nucleus = table.cell[row], table.nucleus[row]
    if not np.any(nucleus & (cell > 0)):
        return None
    return Found(cell, table.cell_names, nucleus, "the input's cells and nuclei")


def column_cells(table: Table, nuclei: bool) -> Found | None:
    """The instrument's cells, taken for nuclei if told so; None where no kept row lies in one."""
    cell = table.cell[kept_rows(table)]
    if not np.any(cell > 0):
        return None
    return Found(cell, table.cell_names, cell > 0 if nuclei else None, "the input's cells")
