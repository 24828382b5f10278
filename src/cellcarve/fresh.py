"""A folder that is either made whole or left as it was."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cellcarve.errors import OutputError


@contextmanager
def fresh(folder: Path, overwrite: bool) -> Iterator[Path]:
    """Give an empty folder to a block; if the block fails, what was there before is there again.

    Parameters
    ----------
    folder
        Where to write; its parents are made.
    overwrite
        Replace files that are there; they are kept aside until the block has ended well.

    Yields
    ------
    Path
        `folder`, empty.

    Raises
    ------
    OutputError
        The folder is in use and may not be overwritten, or cannot be made.
    """
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"'{folder}' is a file; name a folder")
    used = folder.is_dir() and any(folder.iterdir())
    if used and not overwrite:
        raise OutputError(f"'{folder}' is not empty; name another folder, or replace it with --overwrite")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    except OSError as error:
        raise OutputError(f"cannot write '{folder}': {error.strerror}; name another folder") from error
    earlier = aside / folder.name
    with suppress(FileNotFoundError):
        folder.rename(earlier)
    try:
        folder.mkdir()
        yield folder
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        with suppress(FileNotFoundError):
            earlier.rename(folder)
        raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)
