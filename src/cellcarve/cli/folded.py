"""Flags that only one method reads: a line in the help of ``segment``, and all of them where that method is named."""

import sys

from cyclopts import Group
from cyclopts.help import DefaultFormatter, HelpPanel
from rich.console import Console, ConsoleOptions


def folded(method: str, order: int) -> Group:
    """Group of the flags of one method, for the help page.

    Parameters
    ----------
    method
        Name of the method.
    order
        Place of the group among the others.
    """

    def show(console: Console, options: ConsoleOptions, panel: HelpPanel) -> None:
        if named(method, sys.argv):
            DefaultFormatter()(console, options, panel)
            return
        console.print(
            f"{len(panel.entries)} more for method {method}: cellcarve segment --method {method} --help",
            highlight=False,
        )

    return Group(f"Method {method}", sort_key=order, help_formatter=show)


def named(method: str, words: list[str]) -> bool:
    """Whether the words of a command line choose the method.

    >>> named("voxel", ["segment", "--method", "voxel", "--help"]), named("voxel", ["segment", "--help"])
    (True, False)
    """
    return f" --method {method} " in f" {' '.join(words)} ".replace("=", " ")
