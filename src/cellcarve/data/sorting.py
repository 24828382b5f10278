"""Items by label, sorted by counting: where labels are small numbers, nothing is compared."""

import numpy as np
from numba import njit

# Items that int32 numbers tell apart.
MOST = np.iinfo(np.int32).max


def rows_of(label: np.ndarray, labels: int) -> tuple[np.ndarray, np.ndarray]:
    """Items sorted by label (stable), and where each label 0 .. labels - 1 begins: (n,), (labels + 1,).

    Both are int32, or int64 where there are more items than int32 counts.
    """
    kind = np.int32 if len(label) <= MOST else np.int64
    start = np.zeros(labels + 1, kind)
    _count(label, start[1:])
    np.cumsum(start, out=start)
    order = np.empty(len(label), kind)
    deal(label, start.copy(), order)
    return order, start


def first_of_each(label: np.ndarray, key: np.ndarray, most: np.ndarray) -> np.ndarray:
    """Items of smallest key under each label, fewer than `most[label]` before each: (k,) int64, by label and key."""
    order = np.lexsort((key, label))
    held = np.bincount(label, minlength=len(most))
    rank = np.arange(len(label)) - (np.cumsum(held) - held)[label[order]]
    return order[rank < most[label[order]]]


@njit(cache=True, nogil=True)
def _count(label, many):
    for k in label:
        many[k] += 1


@njit(cache=True, nogil=True)
def deal(label, free, order):
    """Put the number of each item where its label's next item goes, which `free` says and keeps up to date."""
    for i in range(len(label)):
        order[free[label[i]]] = i
        free[label[i]] += 1
