"""Patterns of gene names, in the syntax that proseg takes: that of Python knows no ``[[:alpha:]]``."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def matching(pattern: str, names: Sequence[str]) -> np.ndarray:
    """Which names a regular expression matches anywhere.

    Parameters
    ----------
    pattern
        A regular expression.
    names
        N names.

    Returns
    -------
    ndarray
        (N,) bool.

    Raises
    ------
    ValueError
        It is no regular expression.
    """
    found = pc.match_substring_regex(pa.array(names, pa.string()), pattern)
    return np.array(found.to_pylist(), bool)
