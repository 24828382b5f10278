"""The command ``simulate``."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from cyclopts import Group, Parameter

from cellcarve.cli.shared import FOLDER, OUTPUT, Shown
from cellcarve.simulate import SimulateSettings

TISSUE = Group("Tissue", sort_key=1)


@dataclass(frozen=True)
class Options:
    """The flags of ``simulate``, by group."""

    shown: Annotated[Shown, Parameter(name="*", group=OUTPUT)] = field(default_factory=Shown)
    tissue: Annotated[SimulateSettings, Parameter(name="*", group=TISSUE)] = field(
        default_factory=SimulateSettings
    )


NO_OPTIONS = Options()


def simulate(
    *, output: Annotated[Path, FOLDER], options: Annotated[Options, Parameter(name="*")] = NO_OPTIONS
) -> None:
    """Make a tissue whose truth is known, in files like an instrument's.

    Parameters
    ----------
    output
        Folder to write.
    """
    from cellcarve.console import console
    from cellcarve.fresh import fresh
    from cellcarve.simulate import simulate as make

    with fresh(output, options.shown.overwrite), console(options.shown.quiet) as progress:
        make(options.tissue, output, progress)
    if not options.shown.quiet:
        print(f"tissue in {output}; segment it with: cellcarve segment {output} -o result/")
