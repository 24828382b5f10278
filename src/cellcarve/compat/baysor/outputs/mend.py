"""One valid ring for every cell: what is missing or invalid is put right before it is written."""

import numpy as np

from cellcarve.compat.baysor.outputs.polygons import polygons_of
from cellcarve.mixture.result import CellTable, Rings

# Half the diagonal of the diamond that stands for a cell without extent, as a share of the usual radius.
_SMALL = 0.02


def mend(rings: Rings, cells: CellTable, scale: float) -> Rings:
    """Rings of which each is closed, simple and encloses something; all C cells have one.

    Parameters
    ----------
    rings
        As the method drew them.
    cells
        Statistics of the C cells.
    scale
        Usual radius of a cell.
    """
    import shapely

    shapes = polygons_of(rings)
    number = len(cells.x)
    good = shapely.is_valid(shapes) & (shapely.area(shapes) > 0)
    if len(shapes) == number and good.all() and np.array_equal(rings.cell, np.arange(1, number + 1)):
        return rings
    side = np.stack([[1, 0], [0, 1], [-1, 0], [0, -1], [1, 0]]) * _SMALL * scale
    every = shapely.polygons(np.column_stack([cells.x, cells.y])[:, None, :] + side)
    every[rings.cell[good] - 1] = shapes[good]
    every[rings.cell[~good] - 1] = _largest(shapes[~good], every[rings.cell[~good] - 1])
    return _rings(every)


def _largest(shapes: np.ndarray, instead: np.ndarray) -> np.ndarray:
    """The outline of the largest piece of each broken polygon, or what stands in for it."""
    import shapely

    piece, owner = shapely.get_parts(shapely.make_valid(shapes), return_index=True)
    flat = shapely.get_type_id(piece) == shapely.GeometryType.POLYGON
    piece, owner = piece[flat], owner[flat]
    order = np.lexsort((-shapely.area(piece), owner))
    first = np.unique(owner[order], return_index=True)[1]
    made = instead.copy()
    made[owner[order][first]] = shapely.polygons(shapely.get_exterior_ring(piece[order][first]))
    return made


def _rings(shapes: np.ndarray) -> Rings:
    import shapely

    corner, owner = shapely.get_coordinates(shapes, return_index=True)
    start = np.searchsorted(owner, np.arange(len(shapes) + 1)).astype(np.int64)
    return Rings(np.arange(1, len(shapes) + 1, dtype=np.int32), corner[:, 0], corner[:, 1], start)
