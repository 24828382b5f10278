"""Put right what is wrong with prior nuclei: cut merged ones in two, join the halves of split ones.

Each decision is local to a nucleus or a pair and needs both space and expression to agree. Expression is judged by the
types: two sets of transcripts stem from one source if one type explains both, whatever the size of the panel.
"""

from dataclasses import dataclass

import numpy as np
from numba import njit
from scipy.sparse import csr_matrix
from scipy.spatial import cKDTree
from scipy.special import logsumexp

from cellcarve.carve.lattice import rows_of
from cellcarve.carve.nuclei import moments
from cellcarve.carve.types import Types, damping


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


def one_source(types: Types, first: np.ndarray, second: np.ndarray, n: np.ndarray, m: np.ndarray) -> np.ndarray:
    """Log Bayes factor that two sets of transcripts stem from one type rather than from two drawn at random.

    Parameters
    ----------
    first, second
        (pairs, K) sums of ln profile over each set.
    n, m
        (pairs,) transcripts in each set.
    """
    share = np.log(types.share + 1e-6)
    a, b = damping(n)[:, None] * first, damping(m)[:, None] * second
    apart = logsumexp(share + a, axis=1) + logsumexp(share + b, axis=1)
    return logsumexp(share + a + b, axis=1) - apart


def evidence_of(types: Types, label: np.ndarray, gene: np.ndarray, cells: int) -> np.ndarray:
    """Sums of ln profile over the transcripts of each label 0 .. cells, (cells + 1, K)."""
    shape = (cells + 1, types.profile.shape[0])
    counts = csr_matrix((np.ones(len(label)), (label, gene)), shape=shape)
    return counts @ np.log(types.profile.astype(np.float64))


def extent(label: np.ndarray, x: np.ndarray, y: np.ndarray, cells: int) -> np.ndarray:
    """sqrt(det covariance) of each label's points, (cells + 1,) µm²: proportional to the area of a uniform disc."""
    _, _, _, xx, yy, xy = moments(label, x, y, cells)
    return np.sqrt(np.maximum(xx * yy - xy * xy, 1e-9))


def repair(label: np.ndarray, x: np.ndarray, y: np.ndarray, gene: np.ndarray, cells: int, types: Types) -> Repaired:
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


def cut_merged(label: np.ndarray, x: np.ndarray, y: np.ndarray, gene: np.ndarray, cells: int, types: Types) -> np.ndarray:
    """Number 1, 2, ... of the new cell for transcripts in the second half of a merged nucleus, else 0; (n,) int32."""
    n, mx, my, xx, yy, xy = moments(label, x, y, cells)
    middle, half = (xx + yy) / 2, np.hypot((xx - yy) / 2, xy)
    long = (n >= 16) & (middle + half > 2.2 * (middle - half))
    size = np.sqrt(np.maximum(xx * yy - xy * xy, 1e-9))
    usual = np.median(size[n >= 5]) if (n >= 5).any() else 0.0
    suspect = long & (size > 1.4 * usual)
    suspect[0] = False
    angle = 0.5 * np.arctan2(2 * xy, xx - yy)
    order, start = rows_of(label, cells + 2)
    side = np.zeros(len(label), bool)
    gap = np.zeros(cells + 1)
    _halve(
        np.flatnonzero(suspect), order, start, x.astype(np.float64), y.astype(np.float64),
        np.stack([mx, my, np.cos(angle), np.sin(angle)], 1), side, gap,
    )
    pair = 2 * label + side
    count = np.bincount(pair, minlength=2 * cells + 2)
    area = extent(pair.astype(np.int32), x, y, 2 * cells + 1)
    evidence = evidence_of(types, pair, gene, 2 * cells + 1)
    a, b = 2 * np.arange(cells + 1), 2 * np.arange(cells + 1) + 1
    same = one_source(types, evidence[a], evidence[b], count[a], count[b])
    ratio = (area[a] + area[b]) / np.maximum(size, 1e-9)
    gap /= np.sqrt(4 * np.pi * size / np.maximum(n, 1)) + 1e-9
    apart = suspect & (np.minimum(count[a], count[b]) >= 5)
    apart &= ((ratio < 0.9) & (gap > 0.8) & (same < -4)) | ((ratio < 0.75) & (gap > 2) & (same < 1))
    number = np.cumsum(apart).astype(np.int32)
    return np.where(apart[label] & side, number[label], 0).astype(np.int32)


@njit(cache=True, nogil=True)
def _halve(suspects, order, start, x, y, axis, side, gap):
    """2-means of each suspect along its long axis: side of each transcript and the gap (5 % to 95 %) between both."""
    for c in suspects:
        own = order[start[c] : start[c + 1]]
        u = (x[own] - axis[c, 0]) * axis[c, 2] + (y[own] - axis[c, 1]) * axis[c, 3]
        cut = 0.0
        for _ in range(20):
            right = u > cut
            if right.all() or not right.any():
                break
            new = (u[right].mean() + u[~right].mean()) / 2
            if new == cut:
                break
            cut = new
        right = u > cut
        if right.any() and not right.all():
            gap[c] = np.quantile(u[right], 0.05) - np.quantile(u[~right], 0.95)
        for i in range(len(own)):
            side[own[i]] = right[i]


def join_split(label: np.ndarray, x: np.ndarray, y: np.ndarray, gene: np.ndarray, cells: int, types: Types) -> np.ndarray:
    """Cell that each cell 0 .. cells becomes part of: itself, or the partner it is joined to; (cells + 1,) int32.

    Touching nuclei are joined where their union is as compact as one nucleus of common size and one type explains
    both.
    """
    n, mx, my, xx, yy, xy = moments(label, x, y, cells)
    size = np.sqrt(np.maximum(xx * yy - xy * xy, 1e-9))
    target = np.arange(cells + 1, dtype=np.int32)
    sound = np.flatnonzero(n >= 4)
    if len(sound) < 2:
        return target
    usual = np.median(size[sound])
    pair = cKDTree(np.c_[mx, my][sound]).query_pairs(2.7 * np.sqrt(usual), output_type="ndarray")
    a, b = sound[pair].T if len(pair) else (np.empty(0, np.int64), np.empty(0, np.int64))
    union = _union_size(a, b, n, np.stack([mx, my, xx, yy, xy]))
    # Joined nuclei lie side by side: together they are as large as their union.
    keep = ((size[a] + size[b]) / union >= 0.92) & (union <= 1.7 * usual)
    a, b, union = a[keep], b[keep], union[keep]
    spacing = np.sqrt(4 * np.pi * union / (n[a] + n[b]))
    order, start = rows_of(label, cells + 2)
    touching = _touch(a, b, order, start, x, y, spacing)
    evidence = evidence_of(types, label, gene, cells)
    good = touching & (one_source(types, evidence[a], evidence[b], n[a], n[b]) > -1)
    return _pair_up(target, a[good], b[good], (union / (size[a] + size[b]))[good])


def _union_size(a: np.ndarray, b: np.ndarray, n: np.ndarray, m: np.ndarray) -> np.ndarray:
    """sqrt(det covariance) of two nuclei's points taken together, from their moments."""
    f, g = n[a] / (n[a] + n[b]), n[b] / (n[a] + n[b])
    dx, dy = m[0, a] - m[0, b], m[1, a] - m[1, b]
    xx = f * m[2, a] + g * m[2, b] + f * g * dx * dx
    yy = f * m[3, a] + g * m[3, b] + f * g * dy * dy
    xy = f * m[4, a] + g * m[4, b] + f * g * dx * dy
    return np.sqrt(np.maximum(xx * yy - xy * xy, 1e-9))


@njit(cache=True, nogil=True)
def _touch(first, second, order, start, x, y, spacing):
    """Whether a tenth of the smaller nucleus' points (and two) lie within 1.5 spacings of the other, without a gap."""
    touching = np.zeros(len(first), np.bool_)
    for i in range(len(first)):
        a, b = order[start[first[i]] : start[first[i] + 1]], order[start[second[i]] : start[second[i] + 1]]
        if len(b) < len(a):
            a, b = b, a
        close = 0
        for t in a:
            for u in b:
                if (x[t] - x[u]) ** 2 + (y[t] - y[u]) ** 2 < (1.5 * spacing[i]) ** 2:
                    close += 1
                    break
        if close < max(2.0, 0.1 * len(a)):
            continue
        dx, dy = x[b].mean() - x[a].mean(), y[b].mean() - y[a].mean()
        length = np.sqrt(dx * dx + dy * dy) + 1e-9
        along_b, along_a = (x[b] * dx + y[b] * dy) / length, (x[a] * dx + y[a] * dy) / length
        touching[i] = np.quantile(along_b, 0.05) - np.quantile(along_a, 0.95) <= 1.7 * spacing[i]
    return touching


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
