"""A block with the cells around it; each block's cells are made once and kept while they are needed."""

from collections import OrderedDict
from dataclasses import dataclass, field

import numpy as np

from cellcarve.simulate.cells import Cells, cells_of, crowded, join
from cellcarve.simulate.nuclei import Nuclei, make_nuclei
from cellcarve.simulate.plan import Plan
from cellcarve.simulate.prior import Drawn, draw_nuclei

# Cells this far (µm) around a block bear on it: lattice places, deformation, merged partners of partners.
HALO = 80.0


@dataclass
class Window:
    """A block and its surroundings.

    Attributes
    ----------
    box
        (xmin, ymin, xmax, ymax) of the block in µm.
    cells, nuclei, drawn
        The cells in and around it, their nuclei, and the nuclei as the instrument drew them.
    own
        (n,) bool, the block owns the cell.
    """

    box: tuple[float, float, float, float]
    cells: Cells
    nuclei: Nuclei
    drawn: Drawn
    own: np.ndarray


@dataclass
class Windows:
    """Makes the windows of a plan; blocks are asked for row by row.

    Attributes
    ----------
    plan
        The tissue.
    """

    plan: Plan
    _first: dict[tuple[int, int], int] = field(default_factory=dict)
    _kept: "OrderedDict[tuple[int, int], Cells]" = field(default_factory=OrderedDict)

    def __post_init__(self) -> None:
        number = 0
        for column, row in self.plan.places(rim=1):
            self._first[column, row] = number
            number += len(cells_of(self.plan, column, row))

    def at(self, column: int, row: int) -> Window:
        """The window of a block."""
        around = [(column + i, row + j) for j in (-1, 0, 1) for i in (-1, 0, 1)]
        parts = [self._cells(*place) for place in around]
        box = self.plan.box(column, row)
        cells = join(parts)
        own = np.repeat(np.arange(9) == 4, [len(part) for part in parts])
        near = (cells.x > box[0] - HALO) & (cells.x < box[2] + HALO)
        near &= (cells.y > box[1] - HALO) & (cells.y < box[3] + HALO)
        near &= ~crowded(cells)
        cells, own = cells.take(near), own[near]
        nuclei = make_nuclei(cells, self.plan.settings.depth)
        return Window(box, cells, nuclei, draw_nuclei(cells, nuclei, self.plan.settings), own)

    def _cells(self, column: int, row: int) -> Cells:
        if (column, row) not in self._kept:
            cells = cells_of(self.plan, column, row)
            # Blocks beyond the rim are only looked at as neighbours: their numbers are never written.
            cells.number += self._first.get((column, row), 0)
            self._kept[column, row] = cells
            while len(self._kept) > 3 * (self.plan.blocks + 4):
                self._kept.popitem(last=False)
        return self._kept[column, row]
