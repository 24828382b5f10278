"""Files that appear together: written beside their places under other names, and renamed when all are whole."""

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cellcarve.errors import OutputError


class Stage:
    """Names to write under until all is well."""

    def __init__(self) -> None:
        self.targets: dict[Path, Path] = {}
        self.stale: set[Path] = set()

    def place(self, target: Path) -> Path:
        """Name to write a file or folder under.

        Parameters
        ----------
        target
            Where it is to appear; a link is followed, so that what it names is replaced.

        Raises
        ------
        OutputError
            Two outputs have the same name, or its folder is not there.
        """
        target = Path(os.path.realpath(target))
        if target in self.targets:
            raise OutputError(f"two outputs are called '{target}'; give each a name of its own")
        if not target.parent.is_dir():
            raise OutputError(
                f"there is no folder '{target.parent}' to write '{target.name}' to; make it first"
            )
        # The ending stays, as some writers go by it.
        partial = target.with_name(f".partial-{os.getpid()}-{target.name}")
        _remove(partial)
        self.targets[target] = partial
        return partial

    def replaces(self, stale: Iterable[Path]) -> None:
        """Files of an earlier run that would not fit the new ones: they go when these are put in place.

        Parameters
        ----------
        stale
            Files, there or not; what is written anew under such a name stays.
        """
        self.stale |= {Path(os.path.realpath(path)) for path in stale}


@contextmanager
def staged() -> Iterator[Stage]:
    """Let a block write files and folders, which appear when it ends well; else all is as it was.

    Yields
    ------
    Stage
        Gives the names to write under.

    Raises
    ------
    OutputError
        A file cannot be written.
    """
    stage = Stage()
    try:
        yield stage
        for path in stage.stale - set(stage.targets):
            path.unlink(missing_ok=True)
        for target, partial in stage.targets.items():
            put_in_place(partial, target)
    except OSError as error:
        # A full disk names no file: it is the last that was begun.
        where = error.filename or next(reversed(stage.targets), "an output")
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise OutputError(
            f"cannot write '{where}': {reason}; free space there or name another place"
        ) from error
    finally:
        for partial in stage.targets.values():
            _remove(partial)


def put_in_place(partial: Path, target: Path) -> None:
    """Rename; an earlier folder of that name is moved aside until the new one is in its place.

    Parameters
    ----------
    partial
        What was written.
    target
        Its place.

    Raises
    ------
    OSError
        It cannot be renamed; what was there before is there again.
    """
    if not target.is_dir():
        partial.replace(target)
        return
    earlier = target.with_name(f".{target.name}.earlier-{os.getpid()}")
    target.rename(earlier)
    try:
        partial.rename(target)
    except BaseException:
        earlier.rename(target)
        raise
    _remove(earlier)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(FileNotFoundError):
            path.unlink()
