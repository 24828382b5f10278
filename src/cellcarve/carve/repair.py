"""Put right what is wrong with prior nuclei: cut merged ones in two, join the halves of split ones.

Each decision is local to a nucleus or a pair and weighs place and expression as log odds, fitted by logistic
regression on simulated tissue (``docs/model.md``). Expression is judged by programmes: two sets of transcripts stem from
one source if one set of proportions explains both, whatever the size of the panel.
"""

from dataclasses import dataclass

import numpy as np
from numba import njit
from scipy.spatial import cKDTree

from cellcarve.carve.merged import cut_merged
from cellcarve.carve.nuclei import moments
from cellcarve.carve.types import Types, log_likelihood
from cellcarve.data.sorting import rows_of


@dataclass
class Repaired:
    """Nuclei after repair; n nuclear transcripts, C cells.

    Attributes
    ----------
    label
        (n,) int32 cell of each nuclear transcript, 1 .. cells.
    cells
        Number of cells, those emptied by joining included.
    parent
        (C + 1,) int32 prior cell that each cell was cut out of or kept from.
    joined
        (C + 1,) bool, another nucleus was joined to it.
    cut
        (C + 1,) bool, the cell is one of the halves of a merged nucleus.
    """

    label: np.ndarray
    cells: int
    parent: np.ndarray
    joined: np.ndarray
    cut: np.ndarray


def repair(
    label: np.ndarray, x: np.ndarray, y: np.ndarray, gene: np.ndarray, cells: int, types: Types
) -> Repaired:
    """Cut and join nuclei.

    Parameters
    ----------
    label
        (n,) int32 prior cell of each nuclear transcript, 1 .. cells.
    x, y
        (n,) float32 µm.
    gene
        (n,) int32.
    """
    cut = cut_merged(label, x, y, gene, cells, types)
    total = cells + int(cut.max(initial=0))
    parent = np.arange(total + 1, dtype=np.int32)
    halves = np.zeros(total + 1, bool)
    if total > cells:
        first = np.unique(cut[cut > 0], return_index=True)[1]
        old = label[np.flatnonzero(cut > 0)[first]]
        parent[cells + 1 :] = old
        halves[cells + 1 :] = True
        halves[old] = True
        label = np.where(cut > 0, cells + cut, label).astype(np.int32)
    target = join_split(label, x, y, gene, total, types)
    joined = np.zeros(total + 1, bool)
    joined[target[target != np.arange(total + 1)]] = True
    return Repaired(target[label], total, parent, joined, halves)


def join_split(
    label: np.ndarray, x: np.ndarray, y: np.ndarray, gene: np.ndarray, cells: int, types: Types
) -> np.ndarray:
    """Cell that each cell 0 .. cells becomes part of: itself, or the partner it is joined to; (cells + 1,) int32.

    Touching nuclei are joined where their union is as compact as one nucleus of common size and one set of
    proportions explains both.
    """
    n, mx, my, xx, yy, xy = moments(label, x, y, cells)
    size = np.sqrt(np.maximum(xx * yy - xy * xy, 1e-9))
    target = np.arange(cells + 1, dtype=np.int32)
    sound = np.flatnonzero(n >= 4)
    if len(sound) < 2:
        return target
    usual = float(np.median(size[sound]))
    pair = cKDTree(np.c_[mx, my][sound]).query_pairs(3.5 * np.sqrt(usual), output_type="ndarray")
    a, b = sound[pair].T if len(pair) else (np.empty(0, np.int64), np.empty(0, np.int64))
    union = _union_size(a, b, n, np.stack([mx, my, xx, yy, xy]))
    ratio = (size[a] + size[b]) / union
    keep = (ratio > 0.7) & (union < 3 * usual)
    a, b, union, ratio = a[keep], b[keep], union[keep], ratio[keep]
    if len(a) == 0:
        return target
    order, start = rows_of(label, cells + 2)
    spacing = np.sqrt(4 * np.pi * union / (n[a] + n[b]))
    near = np.clip(_nearness(a, b, order, start, x, y) / spacing, 0, 6)
    owner, own = _both(a, b, order, start)
    together = log_likelihood(types, owner, gene[own], len(a))
    alone = log_likelihood(types, label, gene, cells + 1)
    same = np.clip(together - alone[a] - alone[b], -40, 10)
    fewest = np.log(np.clip(np.minimum(n[a], n[b]), 4, 150))
    odds = (
        3.9 * np.clip(ratio, 0.5, 1.2)
        - 2.46 * np.log(union / usual)
        - near
        + 0.25 * same
        + 1.34 * fewest
        - 5.6
    )
    good = odds > 0
    return _pair_up(target, a[good], b[good], -odds[good])


def _both(
    a: np.ndarray, b: np.ndarray, order: np.ndarray, start: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Pairs' numbers (int32) and the transcripts of both their nuclei, one after the other."""
    first = np.stack([start[a], start[b]], 1).ravel()
    length = np.stack([start[a + 1] - start[a], start[b + 1] - start[b]], 1).ravel()
    offset = np.arange(length.sum()) - np.repeat(np.cumsum(length) - length, length)
    owner = np.repeat(np.repeat(np.arange(len(a), dtype=np.int32), 2), length)
    return owner, order[np.repeat(first, length) + offset]


def _union_size(a: np.ndarray, b: np.ndarray, n: np.ndarray, m: np.ndarray) -> np.ndarray:
    """sqrt(det covariance) of two nuclei's points taken together, from their moments."""
    f, g = n[a] / (n[a] + n[b]), n[b] / (n[a] + n[b])
    dx, dy = m[0, a] - m[0, b], m[1, a] - m[1, b]
    xx = f * m[2, a] + g * m[2, b] + f * g * dx * dx
    yy = f * m[3, a] + g * m[3, b] + f * g * dy * dy
    xy = f * m[4, a] + g * m[4, b] + f * g * dx * dy
    return np.sqrt(np.maximum(xx * yy - xy * xy, 1e-9))


@njit(cache=True, nogil=True)
def _nearness(first, second, order, start, x, y):
    """Lowest tenth (µm) of the distances of the smaller nucleus' points to the nearest point of the other."""
    near = np.zeros(len(first))
    for i in range(len(first)):
        a, b = order[start[first[i]] : start[first[i] + 1]], order[start[second[i]] : start[second[i] + 1]]
        if len(b) < len(a):
            a, b = b, a
        distance = np.full(len(a), 1e9)
        for j in range(len(a)):
            for u in b:
                distance[j] = min(distance[j], (x[a[j]] - x[u]) ** 2 + (y[a[j]] - y[u]) ** 2)
        near[i] = np.sqrt(np.sort(distance)[len(a) // 10])
    return near


def _pair_up(target: np.ndarray, a: np.ndarray, b: np.ndarray, looseness: np.ndarray) -> np.ndarray:
    """Join each nucleus to at most one other: pairs that are each other's tightest partner."""
    best = np.full(len(target), np.inf)
    np.minimum.at(best, a, looseness)
    np.minimum.at(best, b, looseness)
    mutual = (looseness == best[a]) & (looseness == best[b])
    a, b = a[mutual], b[mutual]
    _, once = np.unique(np.minimum(a, b), return_index=True)
    a, b = a[once], b[once]
    free = (target[a] == a) & (target[b] == b)
    target[np.maximum(a, b)[free]] = np.minimum(a, b)[free]
    return target
