"""Options of proseg 2, which proseg 3 refuses: taken out with a warning that says what replaces them."""

import re
from typing import NamedTuple

_MANY = -1
_NUMBER = re.compile(r"[0-9.]+")
_SHORT = re.compile("-[a-z]=.")


class Gone(NamedTuple):
    """An option that is no more.

    Attributes
    ----------
    values
        Words that follow it; -1 = all numbers that do.
    advice
        What replaces it.
    """

    values: int
    advice: str


GONE = {
    "--schedule": Gone(_MANY, "set --burnin-samples and --samples instead"),
    "--initial-voxel-size": Gone(1, "set --burnin-voxel-size instead"),
    "--nbglayers": Gone(1, "--voxel-layers sets the layers of cells and background alike"),
    "--perimeter-bound": Gone(1, "set --cell-compactness instead"),
    "--perimeter-eta": Gone(1, "set --cell-compactness instead"),
    "--no-z-layer-doubling": Gone(0, "the number of layers stays at --voxel-layers"),
    "--detect-layers": Gone(0, "set --voxel-layers instead"),
    "--output-cell-voxels": Gone(1, "write --output-cell-polygon-layers instead"),
    "--output-cell-voxels-fmt": Gone(1, "write --output-cell-polygon-layers instead"),
    "--output-cell-hulls": Gone(1, "write --output-cell-polygons instead"),
    "--output-maxpost-counts": Gone(1, "write --output-counts instead, which are whole numbers now"),
    "--output-maxpost-counts-fmt": Gone(1, "write --output-counts instead, which are whole numbers now"),
}


def modern(tokens: list[str]) -> tuple[list[str], list[str]]:
    """The command line without options of proseg 2, and a warning for each.

    Underscores in names of options become hyphens: proseg's manual writes ``--nuclear-reassignment_prob``. Short options
    may be tied to their value by a sign, ``-x=a``.

    >>> modern(["--schedule", "150", "250", "--xenium", "t.csv"])[0]
    ['--xenium', 't.csv']
    """
    kept: list[str] = []
    warnings: list[str] = []
    rest = list(tokens)
    while rest:
        token = rest.pop(0)
        if token == "--":
            return [*kept, token, *rest], warnings
        if _SHORT.match(token):
            token = token[:2] + token[3:]
        name, tied, value = token.partition("=")
        if name.startswith("--"):
            name = name.replace("_", "-")
        gone = GONE.get(name)
        if gone is None:
            kept.append(name + tied + value if name.startswith("--") else token)
            continue
        warnings.append(f"{name} is an option of proseg 2 and does nothing; {gone.advice}")
        del rest[: 0 if tied else _length(gone, rest)]
    return kept, warnings


def _length(gone: Gone, rest: list[str]) -> int:
    """How many of the words that follow belong to an option."""
    if gone.values != _MANY:
        return gone.values
    return next((k for k, word in enumerate(rest) if not _NUMBER.fullmatch(word)), len(rest))
