"""A prior segmentation from a column of the table."""

import re

import numpy as np

from cellcarve.compat.baysor.log import Log

_NUMBER = re.compile(r"[+-]?\d+(\.0*)?")
# What stands for "nothing" whatever the label is.
_MISSING = {"", "nan", "na", "null", "none", "missing", "n/a", "<na>"}


def segments(
    code: np.ndarray, labels: list[str], unassigned: tuple[str, ...], compat: str, log: Log
) -> np.ndarray:
    """Segments of molecules by the values of a column.

    Parameters
    ----------
    code
        (K,) int32, index into `labels`, -1 = missing.
    labels
        Distinct values.
    unassigned
        Values that mean "in no segment"; numbers are compared as numbers.
    compat
        ``"0.7"`` for the old rules, by which words for what is missing are segments too.
    log
        Warned where nothing is unassigned.

    Returns
    -------
    numpy.ndarray
        (K,) int32, 0 = none, else 1 .. S in the order of the values.
    """
    free = {_key(word) for word in unassigned}
    missing = set() if compat else _MISSING
    used = np.bincount(code + 1, minlength=len(labels) + 1)
    taken = [
        i
        for i, word in enumerate(labels)
        if word.lower() not in missing and _key(word) not in free and used[i + 1]
    ]
    taken.sort(key=lambda i: _key(labels[i]))
    number = np.zeros(len(labels) + 1, np.int32)
    number[taken] = np.arange(1, len(taken) + 1)
    segment = number[code]
    if len(segment) and segment.all():
        common = labels[int(np.argmax(used[1:]))]
        log.warn(
            f"every molecule has a prior segment; if the commonest, '{common}', means none, say so with "
            f"--config.segmentation.unassigned-prior-label='{common}'"
        )
    return segment


def drop_small(segment: np.ndarray, least: int) -> np.ndarray:
    """Segments with the small ones taken out; the others keep their numbers.

    Parameters
    ----------
    segment
        (K,) int32, 0 = none.
    least
        Molecules that a segment needs.
    """
    size = np.bincount(segment, minlength=1)
    return np.where(size[segment] >= least, segment, 0).astype(np.int32)


def _key(word: str) -> tuple[int, int, str]:
    """Numbers by value and before words, words by their letters."""
    if _NUMBER.fullmatch(word):
        return 0, int(word.split(".")[0]), ""
    return 1, 0, word
