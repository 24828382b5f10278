"""Commands that stand in for other programs and parse their own arguments, with those programs' spellings."""

from importlib import import_module
from typing import NamedTuple


class DropIn(NamedTuple):
    """A command of its own.

    Attributes
    ----------
    target
        ``"module:function"``; the function takes the words after the command's name and returns nothing.
    summary
        For ``cellcarve --help``.
    """

    target: str
    summary: str


DROP_INS: dict[str, DropIn] = {
    "proseg": DropIn(
        "cellcarve.compat.proseg.run:main", "Segment with proseg 3's options and files, by the method voxel."
    ),
    "proseg-to-baysor": DropIn(
        "cellcarve.compat.proseg.to_baysor:main", "Turn proseg's store into files that Xenium Ranger imports."
    ),
    "stitch-cosmx": DropIn(
        "cellcarve.compat.proseg.stitch:main",
        "Join the flat files of AtoMx into one table for proseg --cosmx-micron.",
    ),
    "baysor": DropIn(
        "cellcarve.compat.baysor.command:main",
        "Segment, preview or describe molecules with Baysor's options and files.",
    ),
}


def call(name: str, tokens: list[str]) -> None:
    """Run a stand-in.

    Parameters
    ----------
    name
        A key of `DROP_INS`.
    tokens
        The words after it.

    Raises
    ------
    CellcarveError
        The arguments or the input do not allow it.
    """
    module, function = DROP_INS[name].target.split(":")
    getattr(import_module(module), function)(tokens)
