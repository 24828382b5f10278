"""Small programs under other programs' names, for pipelines that look for those on the path."""

import os
import shlex
import sys
from pathlib import Path

from cellcarve.errors import OutputError

NAMES = ("proseg", "proseg-to-baysor", "baysor")
MARK = "# Made by cellcarve: runs its stand-in."


def write_shims(folder: Path, overwrite: bool = False) -> list[Path]:
    """Write them; each runs this Python's cellcarve with the words it was given.

    Parameters
    ----------
    folder
        Where to; made if need be.
    overwrite
        Replace what has these names there. Earlier ones of ours are always replaced.

    Returns
    -------
    list of Path
        The programs.

    Raises
    ------
    OutputError
        Another program has such a name there, or they cannot be written.
    """
    paths = [folder / name for name in NAMES]
    for path in paths:
        if path.exists() and not overwrite and not _ours(path):
            raise OutputError(
                f"'{path}' is another program; name another folder, or replace it with --overwrite"
            )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path in paths:
            _write(path)
    except OSError as error:
        raise OutputError(f"cannot write to '{folder}': {error.strerror}; name another folder") from error
    return paths


def _ours(path: Path) -> bool:
    try:
        return MARK in path.read_text(errors="replace")[:200]
    except OSError:
        return False


def _write(path: Path) -> None:
    """Write beside its place and rename: a program that runs is never half replaced."""
    python = shlex.quote(sys.executable)
    partial = path.with_name(f".partial-{os.getpid()}-{path.name}")
    partial.write_text(f'#!/bin/sh\n{MARK}\nexec {python} -m cellcarve {path.name} "$@"\n')
    partial.chmod(0o755)
    partial.replace(path)
