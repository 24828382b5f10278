"""Which genes take part."""

import fnmatch
import re

import numpy as np

from cellcarve.compat.baysor.log import Log
from cellcarve.compat.baysor.values import words
from cellcarve.errors import SettingsError

_GLOB = re.compile(r"[\w\-.*?]+")
_REGEX = "regex:"


def excluded(names: list[str], patterns: str, compat: str, log: Log) -> np.ndarray:
    """Genes that a list of patterns leaves out.

    A pattern of letters, digits, ``_ - . * ?`` has to match the whole name, ``*`` and ``?`` standing for any
    characters and for one; anything else, whatever follows ``regex:``, and every pattern under ``--compat 0.7`` is a
    regular expression that is looked for anywhere in the name.

    Parameters
    ----------
    names
        G genes.
    patterns
        Separated by commas.
    compat
        ``"0.7"`` for the old meaning.
    log
        Told what was left out, what matched nothing, and where the two meanings differ.

    Returns
    -------
    numpy.ndarray
        (G,) bool.

    Raises
    ------
    SettingsError
        A pattern is no regular expression.
    """
    out = np.zeros(len(names), bool)
    idle = []
    for pattern in words(patterns):
        hit = _hits(names, pattern, compat, log)
        out |= hit
        if not hit.any():
            idle.append(pattern)
    if idle:
        log.warn(f"exclude_genes: no gene matches {', '.join(idle)}")
    if out.any():
        log.note(f"Excluding genes: {', '.join(sorted(np.array(names)[out].tolist()))}")
    return out


def _hits(names: list[str], pattern: str, compat: str, log: Log) -> np.ndarray:
    if compat or pattern.startswith(_REGEX) or not _GLOB.fullmatch(pattern):
        return _searched(names, pattern.removeprefix(_REGEX))
    whole = re.compile(fnmatch.translate(pattern))
    hit = np.array([whole.fullmatch(name) is not None for name in names], bool)
    other = _other_reading(names, pattern)
    if other is not None and not np.array_equal(hit, other):
        gone, came = int((other & ~hit).sum()), int((hit & ~other).sum())
        log.note(
            f"exclude_genes: '{pattern}' is matched against whole names; as a regular expression it would take "
            f"{gone} genes more and {came} less (write {_REGEX}{pattern} for that)"
        )
    return hit


def _other_reading(names: list[str], pattern: str) -> np.ndarray | None:
    try:
        return _searched(names, pattern)
    except SettingsError:
        return None


def _searched(names: list[str], pattern: str) -> np.ndarray:
    try:
        found = re.compile(pattern)
    except re.error as error:
        raise SettingsError(
            f"exclude_genes: '{pattern}' is no regular expression ({error}); correct it"
        ) from error
    return np.array([found.search(name) is not None for name in names], bool)
