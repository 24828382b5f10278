"""Part components that are better explained as two cells."""

import numpy as np

from cellcarve.mixture.change import move
from cellcarve.mixture.evidence import gains
from cellcarve.mixture.state import Cells, State

# Rounds of two means within a component.
_MEANS = 4
# Log evidence that must be gained: the halves were chosen to gain.
_LEAST = 10.0


def spares(cells: Cells, number: int) -> np.ndarray:
    """(M,) at most `number` components that hold nothing and can begin anew."""
    free = (cells.n == 0) & (cells.anchor == 0)
    free[0] = False
    return np.flatnonzero(free)[:number]


def begin(cells: Cells, new: np.ndarray, like: np.ndarray) -> None:
    """Let components begin with the kind, cluster and segment of others; all (M,)."""
    cells.kind[new], cells.cluster[new], cells.main[new] = (
        cells.kind[like],
        cells.cluster[like],
        cells.main[like],
    )


def splits(state: State, fewest: int) -> int:
    """Part components along their longest axis where two cells explain their transcripts better.

    All that are large enough are parted, by two means, and those that gain nothing become one again. The evidence is
    that by which components are joined.

    Parameters
    ----------
    state
        The chain; changed in place.
    fewest
        Transcripts that either half holds at least.

    Returns
    -------
    int
        Components parted. Anchors stay whole.
    """
    cells, label = state.cells, state.scene.label
    large = (cells.n >= 2 * fewest) & (cells.anchor == 0)
    large[0] = False
    old = np.flatnonzero(large)
    new = spares(cells, len(old))
    old = old[: len(new)]
    if len(old) == 0:
        return 0
    into = np.zeros(len(cells.n), np.int32)
    into[old] = new
    who = np.flatnonzero(into[label] > 0).astype(np.int32)
    who = who[_far_half(state, who, old)]
    begin(cells, new, old)
    move(state, who, into[label[who]])
    both = (cells.n[old] >= fewest) & (cells.n[new] >= fewest)
    gain = np.full(len(old), np.inf)
    pairs = np.column_stack([old, new])[both]
    whole = np.full(len(pairs), np.inf)
    gain[both] = gains(pairs, whole, cells, state.counts.genes, state.profile, state.rules)
    back = np.arange(len(cells.n), dtype=np.int32)
    back[new] = np.where(gain > -_LEAST, old, new)
    who = who[back[label[who]] != label[who]]
    move(state, who, back[label[who]])
    return int(np.count_nonzero(gain <= -_LEAST))


def _far_half(state: State, who: np.ndarray, old: np.ndarray) -> np.ndarray:
    """Whether each transcript of `who` is in the second half of its component by two means, (M,) bool."""
    cells, at = state.cells, state.at
    order = np.empty(len(cells.n), np.int64)
    order[old] = np.arange(len(old))
    own = order[state.scene.label[who]]
    place = np.column_stack([at.x[who], at.y[who], at.z[who]]).astype(np.float64)
    n, sums = cells.n[old].astype(np.float64), cells.sums[old]
    mean = sums[:, :3] / n[:, None]
    second = sums[:, [3, 4, 5, 4, 6, 7, 5, 7, 8]].reshape(-1, 3, 3) / n[:, None, None]
    _, axes = np.linalg.eigh(second - mean[:, :, None] * mean[:, None, :])
    far = ((place - mean[own]) * axes[own, :, 2]).sum(1) > 0
    for _ in range(_MEANS):
        key = 2 * own + far
        count = np.maximum(np.bincount(key, minlength=2 * len(old)), 1)
        middle = np.column_stack([np.bincount(key, axis, 2 * len(old)) for axis in place.T]) / count[:, None]
        away = [((place - middle[2 * own + side]) ** 2).sum(1) for side in (0, 1)]
        far = away[1] < away[0]
    return far
