"""Items by label, sorted by counting: where labels are small numbers, nothing is compared."""

import numpy as np
from numba import njit


def rows_of(label: np.ndarray, labels: int) -> tuple[np.ndarray, np.ndarray]:
    """Items sorted by label (stable), and where each label 0 .. labels - 1 begins: int32 (n,), (labels + 1,)."""
    start = np.zeros(labels + 1, np.int32)
    _count(label, start[1:])
    np.cumsum(start, out=start)
    order = np.empty(len(label), np.int32)
    deal(label, start.copy(), order)
    return order, start


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
