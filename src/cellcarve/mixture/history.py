"""The course of labels at the end of a run, kept as a log of changes, and the vote over it."""

from dataclasses import dataclass, field

import numpy as np
from numba import njit

from cellcarve.data import flat

_MOST = 64
# Transcripts whose changes are sorted at once.
_PIECE = 1 << 19


@dataclass
class History:
    """Changes of N labels since a round.

    Attributes
    ----------
    first
        Round whose labels `base` holds.
    base
        (N,) int32.
    who, to
        Per later round, the transcripts that changed (int32) and their new labels (int32). Nobody reads them before
        the vote: they are put aside.
    """

    first: int
    base: np.ndarray
    who: list[np.ndarray] = field(default_factory=list)
    to: list[np.ndarray] = field(default_factory=list)

    def record(self, changes: list[tuple[np.ndarray, np.ndarray]]) -> None:
        """Log what changed in one round; of several changes of a transcript the last counts."""
        both = flat.aside(np.concatenate([part for side in zip(*changes, strict=True) for part in side]))
        self.who.append(both[: len(both) // 2])
        self.to.append(both[len(both) // 2 :])

    def __len__(self) -> int:
        return len(self.who)


def vote(history: History, alive: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The label that each transcript held most of the time.

    Parameters
    ----------
    history
        R rounds; the labels of the first count from their changes on.
    alive
        (C,) bool, labels that may win; 0 always may.

    Returns
    -------
    tuple
        (N,) int32 winner, (N,) float32 share of the rounds that it held, and (N,) int32 runner-up among components,
        0 = none.
    """
    rounds = len(history)
    n = len(history.base)
    if rounds == 0:
        label = np.where(alive[history.base], history.base, 0).astype(np.int32)
        return label, np.ones(n, np.float32), np.zeros(n, np.int32)
    out = np.empty(n, np.int32), np.empty(n, np.float32), np.empty(n, np.int32)
    allowed = alive.copy()
    allowed[0] = True
    for low in range(0, n, _PIECE):
        span = (low, min(low + _PIECE, n))
        # Where the changes of each transcript begin; once they are dealt, where they end.
        free = np.zeros(span[1] - low + 1, np.int64)
        for who in history.who:
            _tally(who, span, free[1:])
            flat.relax()
        np.cumsum(free, out=free)
        # By transcript, and within one by round, as the rounds are taken in turn.
        when, to = np.empty(free[-1], np.uint16), np.empty(free[-1], np.int32)
        for turn in range(rounds):
            _deal(history.who[turn], history.to[turn], turn, span, (free, when, to))
            flat.relax()
        part = slice(*span)
        _count(
            history.base[part], free, when, to, rounds, allowed, (out[0][part], out[1][part], out[2][part])
        )
    return out


@njit(cache=True, nogil=True)
def _tally(who, span, count):
    for i in who:
        if span[0] <= i < span[1]:
            count[i - span[0]] += 1


@njit(cache=True, nogil=True)
def _deal(who, label, turn, span, room):
    """Put the changes of one round where each transcript's next change goes, which `free` keeps up to date."""
    free, when, to = room
    for c in range(len(who)):
        if span[0] <= who[c] < span[1]:
            slot = free[who[c] - span[0]]
            when[slot], to[slot] = turn, label[c]
            free[who[c] - span[0]] = slot + 1


@njit(cache=True, nogil=True)
def _add(label, held, many, k, rounds):
    """Add rounds to a label's count."""
    if rounds <= 0:
        return many
    c = 0
    while c < many and label[c] != k:
        c += 1
    if c == many:
        if many == len(label):
            return many
        label[c], held[c] = k, 0
        many += 1
    held[c] += rounds
    return many


@njit(cache=True, nogil=True)
def _count(base, end, when, to, rounds, allowed, out):
    label, held = np.empty(_MOST, np.int32), np.empty(_MOST, np.int32)
    for i in range(len(base)):
        many, k, since = 0, base[i], 0
        for c in range(end[i - 1] if i > 0 else 0, end[i]):
            many = _add(label, held, many, k, when[c] - since)
            k, since = to[c], when[c]
        many = _add(label, held, many, k, rounds - since)
        first, second = -1, -1
        for c in range(many):
            if not allowed[label[c]]:
                continue
            if first < 0 or held[c] > held[first]:
                first, second = c, (first if first >= 0 and label[first] > 0 else second)
            elif label[c] > 0 and (second < 0 or held[c] > held[second]):
                second = c
        out[0][i] = label[first] if first >= 0 else 0
        out[1][i] = held[first] / rounds if first >= 0 else 0.0
        out[2][i] = label[second] if second >= 0 else 0
