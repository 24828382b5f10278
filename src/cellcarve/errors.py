"""Errors that a user can act on.

Every one of them carries one sentence that says what is wrong, where (file, column, row) and what to do. The
command line prints that sentence and exits with ``code``; no traceback is shown.
"""

import difflib
from collections.abc import Iterable


class CellcarveError(Exception):
    """A mistake in the input, the settings or the machine that the user can put right."""

    code = 2


class InputError(CellcarveError):
    """The input files cannot be used as they are."""


class SettingsError(CellcarveError):
    """A setting is unknown, out of bounds or contradicts another."""


class SettingError(SettingsError):
    """One setting has a value that it cannot have; whoever calls it by another name can say so.

    Parameters
    ----------
    name
        The setting.
    told
        What is wrong with it: the rest of the sentence.
    """

    def __init__(self, name: str, told: str) -> None:
        super().__init__(f"{name} {told}")
        self.name, self.told = name, told


class OutputError(CellcarveError):
    """The result cannot be written where it was asked for."""


class MemoryBudgetError(CellcarveError):
    """The run does not fit into the memory it was allowed."""


class Interrupted(CellcarveError):
    """Ctrl-C came when part of the result had been written already."""

    code = 130


def nearest(name: str, known: Iterable[str]) -> str:
    """Advice naming the known word closest to a mistyped one.

    Parameters
    ----------
    name
        What the user wrote.
    known
        The words that would have been right.

    Returns
    -------
    str
        ``"; did you mean 'x'?"`` where something is close, else ``"; known: a, b, c"``.
    """
    words = list(known)
    lower = {w.lower(): w for w in reversed(words)}
    close = difflib.get_close_matches(name.lower(), list(lower), n=1, cutoff=0.5)
    if close:
        return f"; did you mean '{lower[close[0]]}'?"
    return f"; known: {', '.join(words[:30])}" if words else ""
