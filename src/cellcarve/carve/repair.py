"""Put right what is wrong with prior nuclei: cut merged ones in two, join the halves of split ones.

Each decision is local to a nucleus or a pair and weighs place and expression as log odds, fitted by logistic
regression on simulated tissue (``docs/model.md``). Expression is judged by programmes: two sets of transcripts stem from
one source if one set of proportions explains both, whatever the size of the panel.
"""

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from cellcarve.carve.merged import cut_merged
from cellcarve.carve.nuclei import moments, size_of
from cellcarve.carve.rate import shift_of_rate
from cellcarve.carve.types import Types, log_likelihood
from cellcarve.data.sorting import rows_of

# Share of split nuclei among the pairs that are looked at, where the log odds were fitted.
_SPLIT_RATE = 0.36


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

    Touching nuclei are joined where they look like the halves of one nucleus of common size and one set of proportions
    explains both.
    """
    n, *moment = moments(label, x, y, cells)
    size = size_of(*moment[2:])
    target = np.arange(cells + 1, dtype=np.int32)
    sound = np.flatnonzero(n >= 4)
    if len(sound) < 2:
        return target
    usual = float(np.median(size[sound]))
    place = np.column_stack(moment[:2])[sound]
    pair = cKDTree(place).query_pairs(3.5 * np.sqrt(usual), output_type="ndarray")
    a, b = sound[pair].T if len(pair) else (np.empty(0, np.int64), np.empty(0, np.int64))
    union = _union_size(a, b, n, np.stack(moment))
    keep = ((size[a] + size[b]) / union > 0.55) & (union < 4 * usual)
    a, b, union = a[keep], b[keep], union[keep]
    if len(a) == 0:
        return target
    owner, own = _both(a, b, *rows_of(label, cells + 2))
    together = log_likelihood(types, owner, gene[own], len(a))
    alone = log_likelihood(types, label, gene, cells + 1)
    apart, flat, uneven = _halves(a, b, np.stack(moment))
    odds = (
        5.89
        - 4.4 * np.log(union / usual)
        - 4.16 * apart
        + 4.22 * flat
        - 6.1 * uneven
        + 0.154 * np.clip(together - alone[a] - alone[b], -40, 10)
        + 1.14 * np.log(np.clip(np.minimum(n[a], n[b]), 4, 150))
    )
    # Where hardly any nucleus is split, what looks like it is chance.
    odds += min(shift_of_rate(odds, _SPLIT_RATE), 0.0)
    good = odds > 0
    return _pair_up(target, a[good], b[good], -odds[good])


def _halves(a: np.ndarray, b: np.ndarray, m: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """How much two nuclei look like halves of one, along and across the line through their middles.

    Returns
    -------
    tuple
        Distance of the middles in units of the spreads along the line; ln(spread across / along); how much the spreads
        across differ, as a log ratio.
    """
    dx, dy = m[0, a] - m[0, b], m[1, a] - m[1, b]
    far = np.hypot(dx, dy)
    cos, sin = dx / np.maximum(far, 1e-9), dy / np.maximum(far, 1e-9)
    along, across = (
        [np.sqrt(np.maximum(m[2, c] * u * u + m[3, c] * v * v + 2 * m[4, c] * u * v, 1e-6)) for c in (a, b)]
        for u, v in ((cos, sin), (-sin, cos))
    )
    flat = np.log(across[0] * across[1] / (along[0] * along[1])) / 2
    return far / (along[0] + along[1]), flat, np.abs(np.log(across[0] / across[1]))


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
    return size_of(xx, yy, xy)


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
