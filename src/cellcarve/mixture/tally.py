"""Counts of things per cell without a table of all cells by all things: a small hash table for each cell."""

from typing import NamedTuple

import numpy as np
from numba import njit

from cellcarve.chain.compiled import LEAF, MAKER, PART
from cellcarve.data.sorting import rows_of

_SMALLEST = 4


class Tally(NamedTuple):
    """Counts of keys per owner; C owners (0 unused), one open hash table each in a shared store.

    Attributes
    ----------
    start
        (C,) int64 where each owner's slots begin.
    size
        (C,) int32 slots, a power of two, or 0.
    used
        (C,) int32 slots taken, by keys of count 0 too.
    kinds
        (C,) int32 keys with a count above 0.
    key
        int32, -1 = free.
    held
        int32.
    end
        (1,) int64, slots of the store that are given away.
    """

    start: np.ndarray
    size: np.ndarray
    used: np.ndarray
    kinds: np.ndarray
    key: np.ndarray
    held: np.ndarray
    end: np.ndarray


_ONE = np.zeros(1, np.int32)
# Of nobody.
NONE = Tally(np.zeros(1, np.int64), _ONE, _ONE, _ONE, _ONE[:0], _ONE[:0], np.zeros(1, np.int64))


@njit(**PART)
def slot_of(key, start, size, what):
    """The slot that holds a key, or the free one where it belongs."""
    mask = size - 1
    slot = (np.uint32(what) * np.uint32(2654435769) >> np.uint32(7)) & np.uint32(mask)
    while key[start + slot] != what and key[start + slot] != -1:
        slot = (slot + np.uint32(1)) & np.uint32(mask)
    return start + np.int64(slot)


@njit(**PART)
def count_of(tally, owner, what):
    """Count of a key (int32)."""
    if tally.size[owner] == 0:
        return np.int32(0)
    slot = slot_of(tally.key, tally.start[owner], tally.size[owner], what)
    return tally.held[slot] if tally.key[slot] == what else np.int32(0)


@njit(**LEAF)
def _grow(tally, owner):
    """Move an owner to a table with room for its keys and as many again; False where the store is full."""
    wanted = _SMALLEST
    while wanted < 2 * (tally.kinds[owner] + 1):
        wanted *= 2
    fresh, old, many = tally.end[0], tally.start[owner], tally.size[owner]
    if fresh + wanted > len(tally.key):
        return False
    tally.end[0] += wanted
    tally.start[owner], tally.size[owner], tally.used[owner] = fresh, wanted, 0
    for s in range(old, old + many):
        if tally.held[s] > 0:
            slot = slot_of(tally.key, fresh, wanted, tally.key[s])
            tally.key[slot], tally.held[slot] = tally.key[s], tally.held[s]
            tally.used[owner] += 1
    return True


@njit(**LEAF)
def add(tally, owner, what, amount):
    """Add to a count; False (and nothing added) where the store is full."""
    if tally.size[owner] > 0:
        slot = slot_of(tally.key, tally.start[owner], tally.size[owner], what)
        if tally.key[slot] == what:
            before = tally.held[slot]
            tally.held[slot] = before + amount
            tally.kinds[owner] += np.int32(tally.held[slot] > 0) - np.int32(before > 0)
            return True
    if 4 * (tally.used[owner] + 1) > 3 * tally.size[owner] and not _grow(tally, owner):
        return False
    slot = slot_of(tally.key, tally.start[owner], tally.size[owner], what)
    tally.key[slot], tally.held[slot] = what, amount
    tally.used[owner] += 1
    tally.kinds[owner] += 1
    return True


@njit(**MAKER)
def _sizes(order, first, what, size):
    """Slots that each owner needs for its distinct keys, through a scratch table."""
    scratch = np.full(_SMALLEST, -1, np.int32)
    for owner in range(1, len(first) - 1):
        many = first[owner + 1] - first[owner]
        if many == 0:
            continue
        room = _SMALLEST
        while room < 2 * many:
            room *= 2
        if room > len(scratch):
            scratch = np.full(room, -1, np.int32)
        scratch[:room] = -1
        kinds = 0
        for m in range(first[owner], first[owner + 1]):
            slot = slot_of(scratch, 0, room, what[order[m]])
            kinds += scratch[slot] == -1
            scratch[slot] = what[order[m]]
        size[owner] = _SMALLEST
        while 3 * size[owner] < 4 * (kinds + 1):
            size[owner] *= 2


@njit(**LEAF)
def _insert(tally, owner, what):
    for i in range(len(owner)):
        if owner[i] > 0 and what[i] >= 0:
            add(tally, owner[i], what[i], 1)


def tally_up(owner: np.ndarray, what: np.ndarray, owners: int, spare: float = 0.5) -> Tally:
    """Count what each owner has.

    Parameters
    ----------
    owner
        (N,) int32, 0 = nobody.
    what
        (N,) int32 keys; negative ones are not counted.
    owners
        C, one more than the highest owner.
    spare
        Room to grow, as a share of what is taken.
    """
    size = np.zeros(owners, np.int32)
    _sizes(*rows_of(np.where(what >= 0, owner, 0), owners), what, size)
    start = np.zeros(owners, np.int64)
    np.cumsum(size[:-1], out=start[1:])
    end = int(size.sum())
    room = end + int(spare * end) + 1024
    zero = np.zeros(owners, np.int32)
    key, count = np.full(room, -1, np.int32), np.zeros(room, np.int32)
    tally = Tally(start, size, zero, zero.copy(), key, count, np.array([end], np.int64))
    _insert(tally, owner, what)
    return tally
