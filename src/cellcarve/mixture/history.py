"""The course of labels at the end of a run, kept as a log of changes, and the vote over it."""

from dataclasses import dataclass, field

import numpy as np
from numba import njit

_MOST = 64


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
        Per later round, the transcripts that changed (int32) and their new labels (int32).
    """

    first: int
    base: np.ndarray
    who: list[np.ndarray] = field(default_factory=list)
    to: list[np.ndarray] = field(default_factory=list)

    def record(self, changes: list[tuple[np.ndarray, np.ndarray]]) -> None:
        """Log what changed in one round; of several changes of a transcript the last counts."""
        self.who.append(np.concatenate([who for who, _ in changes]))
        self.to.append(np.concatenate([to for _, to in changes]))

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
    start = np.zeros(n + 1, np.int64)
    for who in history.who:
        start[1:] += np.bincount(who, minlength=n)
    np.cumsum(start, out=start)
    # By transcript, and within one by round, as the rounds are taken in turn.
    when, to = np.empty(start[-1], np.uint16), np.empty(start[-1], np.int32)
    free = start[:-1].copy()
    for turn in range(rounds):
        _deal(history.who[turn], history.to[turn], turn, free, when, to)
    out = np.empty(n, np.int32), np.empty(n, np.float32), np.empty(n, np.int32)
    allowed = alive.copy()
    allowed[0] = True
    _count(history.base, start, when, to, rounds, allowed, out)
    return out


@njit(cache=True, nogil=True)
def _deal(who, label, turn, free, when, to):
    """Put the changes of one round where each transcript's next change goes, which `free` keeps up to date."""
    for c in range(len(who)):
        slot = free[who[c]]
        when[slot], to[slot] = turn, label[c]
        free[who[c]] = slot + 1


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
def _count(base, start, when, to, rounds, allowed, out):
    label, held = np.empty(_MOST, np.int32), np.empty(_MOST, np.int32)
    for i in range(len(base)):
        many, k, since = 0, base[i], 0
        for c in range(start[i], start[i + 1]):
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
