"""Flags that several commands have."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Group, Parameter

OUTPUT = Group("Output", sort_key=0)
FOLDER = Parameter(alias="-o", group=OUTPUT)


@dataclass(frozen=True)
class Shown:
    """How the result is written, and what is shown.

    Parameters
    ----------
    overwrite
        Replace an earlier result; it is kept until the new one is complete.
    quiet
        Show nothing but errors.
    config
        TOML file with settings by the names of the flags; the command line wins over it.
    """

    overwrite: Annotated[bool, Parameter(negative="")] = False
    quiet: Annotated[bool, Parameter(negative="")] = False
    config: Path | None = None
