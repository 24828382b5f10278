"""Statistics of the cells of a fitted mixture."""

from collections.abc import Sequence

import numpy as np
from numba import njit
from scipy.sparse import csr_matrix

from cellcarve.data.sorting import rows_of
from cellcarve.mixture.molecules import Points
from cellcarve.mixture.result import CellTable

_DENSE = 3
_CELLS_AT_ONCE = 1 << 11


def counts_of(cell: np.ndarray, gene: np.ndarray, cells: int, genes: int) -> csr_matrix:
    """(C, G) int32 transcripts per cell and gene, cells numbered from 1."""
    order, start = rows_of(cell, cells + 1)
    held = gene[order[start[1] :]]
    del order
    counts = csr_matrix((np.ones(len(held), np.int32), held, start[1:] - start[1]), shape=(cells, genes))
    counts.sum_duplicates()
    return counts


def describe(
    at: Points,
    cell: np.ndarray,
    cells: int,
    values: dict[str, np.ndarray | None],
    place: Sequence[np.ndarray],
) -> CellTable:
    """Statistics of C cells.

    Parameters
    ----------
    at
        Positions of N transcripts, µm, from anywhere.
    cell
        (N,) int32, 0 = none, else 1 .. C.
    cells
        C.
    values
        Per transcript: ``confidence``, ``assignment_confidence``, ``cluster`` and ``prior`` (each may be None); per
        cell: ``lifespan`` and ``origin``.
    place
        x, y and, in three dimensions, z of the transcripts in input coordinates, each (N,).
    """
    n = np.bincount(cell, minlength=cells + 1)[1:]
    big = n >= _DENSE
    area, elongation = _flat_shapes(at, cell, cells)
    area, elongation = np.where(big, area, np.nan), np.where(big, elongation, np.nan)
    with np.errstate(divide="ignore"):
        density = np.where(big, n / area, np.nan)
    cluster, share = _majority(cell, values["cluster"], cells)
    prior, _ = _majority(cell, values["prior"], cells)
    mean = [_mean(cell, axis, cells) for axis in place]
    return CellTable(
        x=mean[0],
        y=mean[1],
        z=mean[2] if len(mean) > 2 else None,
        cluster=cluster,
        n_transcripts=n.astype(np.int64),
        area=area,
        density=density,
        elongation=elongation,
        avg_confidence=_mean(cell, values["confidence"], cells),
        avg_assignment_confidence=_mean(cell, values["assignment_confidence"], cells),
        max_cluster_frac=share,
        lifespan=np.asarray(values["lifespan"], np.int64),
        prior=np.zeros(cells, np.int32) if prior is None else prior,
        origin=np.asarray(values["origin"], np.uint8),
    )


def _mean(cell: np.ndarray, value: np.ndarray | None, cells: int) -> np.ndarray:
    if value is None:
        return np.full(cells, np.nan)
    n = np.bincount(cell, minlength=cells + 1)[1:]
    total = np.zeros(cells + 1)
    _sum(cell, value, total)
    return total[1:] / np.maximum(n, 1)


@njit(cache=True, nogil=True)
def _sum(cell, value, total):
    for i in range(len(cell)):
        total[cell[i]] += value[i]


def _majority(
    cell: np.ndarray, value: np.ndarray | None, cells: int
) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Per cell its most frequent value above 0 (the lowest of several; 0 = it has none), and its share of the cell."""
    if value is None:
        return None, None
    most = int(value.max(initial=0)) + 1
    there = (cell > 0) & (value > 0)
    key, count = np.unique(cell[there].astype(np.int64) * most + value[there], return_counts=True)
    order = np.lexsort((-key, count))
    found, held = np.zeros(cells + 1, np.int32), np.zeros(cells + 1)
    found[key[order] // most] = key[order] % most
    held[key[order] // most] = count[order]
    n = np.bincount(cell, minlength=cells + 1)
    return found[1:], (held / np.maximum(n, 1))[1:]


def _flat_shapes(at: Points, cell: np.ndarray, cells: int) -> tuple[np.ndarray, np.ndarray]:
    """Area of the convex hull (µm²) and ratio of the covariance's eigenvalues of each cell."""
    order, start = rows_of(cell, cells + 1)
    start = start[1:]
    area, ratio = np.zeros(cells), np.zeros(cells)
    for low in range(0, cells, _CELLS_AT_ONCE):
        high = min(low + _CELLS_AT_ONCE, cells)
        some = order[start[low] : start[high]]
        some = some[np.lexsort((at.y[some], at.x[some], cell[some]))]
        x, y = at.x[some].astype(np.float64), at.y[some].astype(np.float64)
        _shapes(x, y, start[low : high + 1] - start[low], area[low:high], ratio[low:high])
    return area, ratio


@njit(cache=True, nogil=True)
def hull_area(x, y):
    """Area of the convex hull of points sorted by x and then y (Andrew's monotone chain)."""
    n = len(x)
    hull = np.empty(2 * n + 2, np.int64)
    many = 0
    for way in range(2):
        least = many + 1
        for s in range(n):
            i = s if way == 0 else n - 1 - s
            while many > least:
                a, b = hull[many - 2], hull[many - 1]
                if (x[b] - x[a]) * (y[i] - y[a]) - (y[b] - y[a]) * (x[i] - x[a]) > 0:
                    break
                many -= 1
            hull[many] = i
            many += 1
        many -= 1
    area = 0.0
    for s in range(many):
        a, b = hull[s], hull[(s + 1) % many]
        area += x[a] * y[b] - x[b] * y[a]
    return 0.5 * area


@njit(cache=True, nogil=True)
def _shapes(x, y, start, area, ratio):
    for c in range(len(area)):
        low, high = start[c], start[c + 1]
        n = high - low
        if n < 3:
            continue
        px, py = x[low:high] - x[low:high].mean(), y[low:high] - y[low:high].mean()
        area[c] = hull_area(px, py)
        xx, xy, yy = (px * px).sum() / (n - 1), (px * py).sum() / (n - 1), (py * py).sum() / (n - 1)
        root = np.sqrt((xx - yy) ** 2 / 4 + xy * xy)
        short = (xx + yy) / 2 - root
        ratio[c] = ((xx + yy) / 2 + root) / short if short > 0 else np.inf
