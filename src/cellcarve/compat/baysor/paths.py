"""Where Baysor's files go, by the path that was asked for."""

import os
from dataclasses import dataclass
from pathlib import Path

from cellcarve.chain.keeper import beside
from cellcarve.errors import OutputError


@dataclass(frozen=True)
class Paths:
    """The main file of a command, and the start of the names of all others.

    Attributes
    ----------
    main
        The file that was asked for.
    stem
        Its path without its ending.
    """

    main: Path
    stem: Path

    def beside(self, suffix: str) -> Path:
        """``<stem>_<suffix>``."""
        return self.stem.with_name(f"{self.stem.name}_{suffix}")

    @property
    def checkpoint(self) -> Path:
        """Where the checkpoint of a run lies: hidden, beside its main file."""
        return beside(self.main)


def paths_for(output: str, default: str) -> Paths:
    """The files of a command.

    A folder, or a path that ends with a separator, gets the default name. A path without an ending is the start
    of every name.

    Parameters
    ----------
    output
        What was asked for.
    default
        Name of the main file where a folder was asked for.

    Raises
    ------
    OutputError
        The folder does not exist or cannot be written to.
    """
    path = Path(output)
    if path.is_dir() or output.endswith(("/", os.sep)):
        path = path / default
    main, stem = path, path.with_suffix("") if path.suffix else path
    if not path.suffix:
        main = path.with_name(f"{path.name}_{default}")
    _check(path.parent)
    return Paths(main, stem)


def _check(folder: Path) -> None:
    """Refuse before hours are spent."""
    if not folder.is_dir():
        raise OutputError(f"the folder '{folder}' does not exist; make it, or name another with --output")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OutputError(f"the folder '{folder}' cannot be written to; name another with --output")


def check_apart(output: Path, source: Path) -> None:
    """Refuse to write over the table that is read.

    Raises
    ------
    OutputError
        Both are the same file.
    """
    if output.exists() and output.samefile(source):
        raise OutputError(f"'{output}' is the input; name another file with --output")
