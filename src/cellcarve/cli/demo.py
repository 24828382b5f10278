"""The command ``demo``."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from cellcarve.cli.shared import FOLDER, OUTPUT

FLAG = Parameter(group=OUTPUT, negative="")


def demo(
    *,
    output: Annotated[Path, FOLDER] = Path("demo"),
    overwrite: Annotated[bool, FLAG] = False,
    quiet: Annotated[bool, FLAG] = False,
) -> None:
    """Segment a small tissue whose truth is known, and say how well it went.

    Parameters
    ----------
    output
        Folder to write.
    overwrite
        Replace an earlier demo; it is kept until the new one is complete.
    quiet
        Show nothing but errors.
    """
    from cellcarve.console import console
    from cellcarve.demo import demo as run_demo
    from cellcarve.evaluate import format_table

    with console(quiet) as progress:
        scores = run_demo(output, overwrite, progress)
    if quiet:
        return
    print(format_table(scores))
    print(f"open {output / 'result' / 'report.html'}; the same for your data: cellcarve segment INPUT -o DIR")
