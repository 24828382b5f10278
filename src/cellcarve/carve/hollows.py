"""Nuclei that are all but empty of RNA, found as the hollows of its density where no prior is given."""

import numpy as np
from scipy.ndimage import distance_transform_edt

from cellcarve.carve.across import HALO, PIXEL, densities, empty_within
from cellcarve.carve.threads import on_threads
from cellcarve.data import flat
from cellcarve.data.sorting import first_of_each
from cellcarve.data.table import Table
from cellcarve.data.tiles import cut, view_tile
from cellcarve.data.tissue import Tissue
from cellcarve.progress import Progress

# Side of a tile in cell radii, so that one has as many pixels whatever the radius; and the least radius, µm, that is tried.
_SIDE, _SMALLEST = 64.0, 0.5
# A hollow is deeper than its rim by this much in ln density. On fields of an embryo that served for nothing else, F1 was
# 0.61 with it, 0.60 with twice as much, and 0.59 where density was taken over a width of 0.25 radii instead of 0.3.
_DEPTH, _WIDTH = 0.05, 0.3
# Density below which a place is as good as empty, and surroundings that are no tissue, as shares of the usual density.
_EMPTY, _OUTSIDE = 0.05, 0.2
# Area of a hollow with its slopes, in areas of a cell of usual size.
_AREA = (0.1, 8.0)
# Core: this share of a hollow's transcripts, those farthest from its border, and no fewer than these.
_CORE, _FEWEST = 0.2, 4
# Share of a cell's transcripts that stem from the one that it stands for, beside what the method itself doubts. On those
# fields the calibration error went from between 0.07 and 0.14 to between 0.04 and 0.07.
TRUST = 0.85
# Steps of ln density: whole numbers flood alike on all machines.
_STEPS = 1000


def find_hollows(
    table: Table, radius: float, side: float, threads: int, progress: Progress
) -> np.ndarray | None:
    """Where empty spots lie within cells, the transcripts nearest to each make the core of a cell.

    Parameters
    ----------
    table
        N rows of input.
    radius
        Of a cell, µm.
    side
        Largest side of the tiles that are worked on, µm.
    threads
        Tiles at work at the same time; 0 = one per processor.
    progress
        Who is told, if there are such.

    Returns
    -------
    numpy.ndarray or None
        (N,) int32 cell in whose core each row lies, 0 = none; None where there are no such cells.
    """
    if radius < _SMALLEST:
        return None
    found = flat.zeros(len(table), np.int32)
    tissue = cut(table, found, found > 0, 0, min(side, _SIDE * radius))
    progress.stage("looking for empty spots", len(tissue.transcripts), "transcripts")
    within, usual = empty_within(tissue, radius, threads)
    if not within:
        return None
    t = tissue.transcripts

    def one(tile: int) -> tuple[np.ndarray, np.ndarray]:
        answer = _cores(tissue, tile, radius, usual)
        flat.relax()
        return answer

    def take(answer: tuple[np.ndarray, np.ndarray]) -> None:
        index, number = answer
        found[t.row[index]] = tissue.cells + number
        tissue.cells += int(number.max(initial=0))

    on_threads(one, np.flatnonzero(np.diff(t.start)).tolist(), threads, take)
    progress.note(
        "no prior: transcripts on either side of empty spots belong together, so these are taken for nuclei that hold hardly "
        f"any RNA: {tissue.cells:,} found"
    )
    return found if tissue.cells else None


def _cores(tissue: Tissue, tile: int, radius: float, usual: float) -> tuple[np.ndarray, np.ndarray]:
    """Transcripts in the core of a hollow that has its middle in the tile, and its number from 1."""
    from skimage.segmentation import find_boundaries

    grid = tissue.grid
    view = view_tile(tissue, tile, min(HALO * radius, grid.side))
    narrow, wide, pixel = densities(view, radius, _WIDTH)
    basin = _basins(narrow, wide, usual)
    depth = distance_transform_edt(~find_boundaries(basin))
    core = _deepest(basin.ravel()[pixel], depth.ravel()[pixel])
    of = basin.ravel()[pixel[core]]
    held = np.bincount(of, minlength=basin.max() + 1)
    middle = [np.bincount(of, v[core], len(held)) / np.maximum(held, 1) for v in (view.x, view.y)]
    own = grid.of(middle[0] + grid.centre_x, middle[1] + grid.centre_y) == tile
    wanted = (held > 0) & own & _usual_size(basin)
    number = np.cumsum(wanted)
    kept = wanted[of]
    return view.index[core[kept]], number[of[kept]]


def _deepest(of: np.ndarray, depth: np.ndarray) -> np.ndarray:
    """The transcripts of each hollow that lie deepest in it, given the hollow, 0 = none, and the depth of each."""
    held = np.bincount(of)
    most = np.where(held < 2 * _FEWEST, 0, np.maximum(_CORE * held, _FEWEST))
    most[0] = 0
    return first_of_each(of, -depth, most)


def _basins(narrow: np.ndarray, wide: np.ndarray, usual: float) -> np.ndarray:
    """(ny, nx) int32 hollow whose slopes each place is on, 0 = none, from the density of places and of surroundings."""
    from skimage.measure import label
    from skimage.morphology import h_minima
    from skimage.segmentation import watershed

    tissue = wide > _OUTSIDE * usual
    height = np.rint(_STEPS * np.log(narrow / usual + _EMPTY)).astype(np.int32)
    bottoms = label(h_minima(height, int(_STEPS * _DEPTH)) & tissue)
    return watershed(height, bottoms, mask=tissue)


def _usual_size(basin: np.ndarray) -> np.ndarray:
    """(B + 1,) bool: hollows of about a cell's size; not 0, which is none."""
    area = np.bincount(basin.ravel()) * PIXEL**2 / np.pi
    return (area > _AREA[0]) & (area < _AREA[1]) & (np.arange(len(area)) > 0)
