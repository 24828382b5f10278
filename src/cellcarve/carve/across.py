"""Whether nuclei are the empty spots: transcripts on either side of a nucleus belong to one cell, those of a gap to two.

RNA is made in the nucleus but stays outside it, so that in thin sections nuclei may be all but empty, and what lies thick
together lies where cells meet. Where no nuclei are given, genes tell: pairs of transcripts, less than a cell apart, are
of the same gene more often where they belong to one cell. If pairs with an emptier place between them are so more often
than pairs with a fuller one, the empty places are within cells. A pair counts by how rare its gene is, so that a few that
lie everywhere do not outweigh the rest.
"""

from typing import NamedTuple

import numpy as np
from numba import njit
from scipy.ndimage import gaussian_filter

from cellcarve.carve.lattice import lay_lattice, pixels_of
from cellcarve.carve.threads import on_threads
from cellcarve.data.tiles import View, view_tile
from cellcarve.data.tissue import Tissue

# Lengths in cell radii: a pixel; widths over which density is taken, of a place and of its surroundings; how far apart the
# transcripts of a pair are; what is looked at around a tile.
PIXEL, _NARROW, WIDE = 1 / 12, 0.35, 1.4
_PAIR = (1.2, 1.8)
HALO = 8.0
# Weight of the surroundings in the density of a place.
_FLOOR = 0.02
# Most transcripts whose pairs are counted, and about how many of a square's transcripts each makes pairs with at most.
_MOST, _PARTNERS = 300_000, 1000
# Empty spots lie within cells where pairs across them are alike so many times as often, by so many standard errors.
# Measured: 1.05 and 1.06 by 9 and 11 errors on fields of an embryo, below 0.98 on crops of breast, lung and brain and on all
# kinds of simulated cells but those of one type, which have 1.00.
_RATIO, _ERRORS = 1.02, 5.0


class Sign(NamedTuple):
    """Sums over the transcripts of a tile whose pairs were counted, and the density around them.

    Attributes
    ----------
    low, high
        Weighted shares of pairs of the same gene with an emptier and with a fuller place between them.
    difference, square
        Sums of the transcripts' weighted differences of these shares, and of their squares.
    wide
        (n,) float32 transcripts per pixel in the surroundings of each.
    """

    low: float
    high: float
    difference: float
    square: float
    wide: np.ndarray


def empty_within(tissue: Tissue, radius: float, threads: int) -> tuple[bool, float]:
    """Whether empty spots lie within cells; and the usual density around a transcript, per pixel.

    Parameters
    ----------
    tissue
        Its transcripts; prior cells do not count.
    radius
        Of a cell, µm.
    threads
        Tiles at work at the same time; 0 = one per processor.
    """
    t = tissue.transcripts
    stride = max(1, len(t) // _MOST)
    worth = (len(t) / np.maximum(np.bincount(t.gene, minlength=tissue.genes), 1)).astype(np.float32)
    signs: list[Sign] = []
    tiles = np.flatnonzero(np.diff(t.start)).tolist()
    on_threads(lambda tile: _sign(tissue, tile, radius, worth, stride), tiles, threads, signs.append)
    low, high, difference, square = (sum(sign[n] for sign in signs) for n in range(4))
    usual = float(np.median(np.concatenate([sign.wide for sign in signs])))
    return bool(low > _RATIO * high and difference > _ERRORS * square**0.5), usual


def densities(view: View, radius: float, near: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Transcripts per pixel of each place, over a width of `near` radii, and of its surroundings; pixels of transcripts.

    Returns
    -------
    tuple
        (ny, nx) float32 twice, and (V,) int32.
    """
    lattice = lay_lattice(view, radius * PIXEL)
    pixel = pixels_of(lattice, view.x, view.y)
    count = np.bincount(pixel, minlength=len(lattice)).astype(np.float32).reshape(lattice.ny, lattice.nx)
    narrow, wide = (gaussian_filter(count, width / PIXEL, mode="constant") for width in (near, WIDE))
    return narrow, wide, pixel


def _sign(tissue: Tissue, tile: int, radius: float, worth: np.ndarray, stride: int) -> Sign:
    view = view_tile(tissue, tile, min(HALO * radius, tissue.grid.side))
    narrow, wide, pixel = densities(view, radius, _NARROW)
    relative = (narrow + _FLOOR * wide) / np.maximum(wide, np.float32(1e-9))
    chosen = np.flatnonzero(view.inside & (view.index % stride == 0))
    side = _PAIR[1] / PIXEL
    row, column = np.divmod(pixel, np.int32(narrow.shape[1]))
    # An empty column beside the last one: no square is a neighbour's neighbour on the other side.
    across = int(narrow.shape[1] // side) + 2
    square = (row // side).astype(np.int64) * across + (column // side).astype(np.int64)
    order = np.argsort(square, kind="stable")
    count = (int(narrow.shape[0] // side) + 1) * across
    first = np.searchsorted(square[order], np.arange(count + 1))
    low, high, difference, errors = _compare(
        (row, column), view.gene, worth, relative, chosen, (order, first, square, across)
    )
    return Sign(low, high, difference, errors, wide.ravel()[pixel[chosen]])


@njit(cache=True, nogil=True)
def _compare(place, gene, worth, relative, chosen, squares):
    """The four sums of `Sign` over the chosen transcripts.

    Parameters
    ----------
    place, gene
        (V,) row and column of the pixel, and gene of each transcript.
    worth
        (G,) of a pair of this gene.
    relative
        (ny, nx) density.
    chosen
        Transcripts whose pairs are counted.
    squares
        Transcripts by square, where each square begins, the square of each transcript, and squares along x; no pair is
        longer than the side of one.
    """
    row, column = place
    order, first, square, across = squares
    nearest, farthest = (_PAIR[0] / PIXEL) ** 2, (_PAIR[1] / PIXEL) ** 2
    low, high, difference, errors = 0.0, 0.0, 0.0, 0.0
    for i in chosen:
        pairs, same = np.zeros(2), np.zeros(2)
        here = relative[row[i], column[i]]
        for v in range(-1, 2):
            for u in range(-1, 2):
                s = square[i] + v * across + u
                if s < 0 or s + 1 >= first.size:
                    continue
                for n in range(first[s], first[s + 1], 1 + (first[s + 1] - first[s]) // _PARTNERS):
                    j = order[n]
                    apart = (row[i] - row[j]) ** 2 + (column[i] - column[j]) ** 2
                    if not nearest < apart <= farthest:
                        continue
                    between = relative[(row[i] + row[j]) // 2, (column[i] + column[j]) // 2]
                    there = relative[row[j], column[j]]
                    if min(here, there) <= between <= max(here, there):
                        continue
                    fuller = 1 if between > here else 0
                    pairs[fuller] += 1
                    same[fuller] += worth[gene[i]] * (gene[i] == gene[j])
        if pairs[0] > 0 and pairs[1] > 0:
            weight = pairs[0] * pairs[1] / (pairs[0] + pairs[1])
            a, b = weight * same[0] / pairs[0], weight * same[1] / pairs[1]
            low, high, difference, errors = low + a, high + b, difference + a - b, errors + (a - b) ** 2
    return low, high, difference, errors
