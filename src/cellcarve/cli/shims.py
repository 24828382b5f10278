"""The command ``shims``."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter


def shims(folder: Path, /, *, overwrite: Annotated[bool, Parameter(negative="")] = False) -> None:
    """Write programs named proseg, proseg-to-baysor and baysor that run cellcarve.

    Parameters
    ----------
    folder
        Where to write them; put it first on your PATH.
    overwrite
        Replace programs of these names that are there.
    """
    from cellcarve.compat.shims import write_shims

    written = write_shims(folder, overwrite)
    print(f'{", ".join(path.name for path in written)} written; next: export PATH="{folder.resolve()}:$PATH"')
