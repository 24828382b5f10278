"""The run folder: written whole under another name, then put in place."""

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from cellcarve.data.result import Run
from cellcarve.errors import OutputError
from cellcarve.progress import Progress
from cellcarve.staged import put_in_place
from cellcarve.write.files import write_files

RECORD = "run.json"


def check_output(folder: Path, overwrite: bool) -> None:
    """See to it that a result can be written, before hours are spent on it.

    Parameters
    ----------
    folder
        Where to write; it and its parents need not exist.
    overwrite
        An earlier result may be replaced. Anything else that is there is never touched.

    Raises
    ------
    OutputError
        Something is there already, or the place cannot be written to.
    """
    folder = folder.resolve()
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"'{folder}' is a file; name a folder")
    used = folder.is_dir() and any(folder.iterdir())
    if used and not (folder / RECORD).is_file():
        raise OutputError(f"'{folder}' is in use and holds no earlier result; name another folder")
    if used and not overwrite:
        raise OutputError(f"'{folder}' holds an earlier result; name another folder, or add --overwrite")
    above = next(parent for parent in folder.parents if parent.exists())
    if not above.is_dir():
        raise OutputError(f"cannot make '{folder}': '{above}' is a file; name another folder")
    try:
        tempfile.TemporaryFile(dir=above).close()
    except OSError as error:
        raise _refusal(folder, error) from error


def write_run(run: Run, folder: Path, overwrite: bool, report: bool, progress: Progress) -> None:
    """Write every file of a run.

    They are written to a sibling folder that is renamed at the end: a run that fails or is stopped leaves
    nothing that looks like a result, and an earlier result stays until the new one is whole.

    Parameters
    ----------
    run
        A finished run; the times of writing and the peak of memory are added to its record.
    folder
        Where to write; its parents are made.
    overwrite
        Replace an earlier result.
    report
        Write ``report.html`` too.
    progress
        Who is told how far it is.

    Raises
    ------
    OutputError
        The folder is in use and may not be replaced, or cannot be written.
    """
    check_output(folder, overwrite)
    # A link is followed: the folder it names is replaced, not the link.
    folder = folder.resolve()
    missing = [parent for parent in folder.parents if not parent.exists()]
    partial = folder.with_name(f".{folder.name}.partial-{os.getpid()}")
    try:
        partial.mkdir(parents=True)
        write_files(run, partial, report, progress)
        put_in_place(partial, folder)
    except BaseException as error:
        shutil.rmtree(partial, ignore_errors=True)
        with suppress(OSError):
            for parent in missing:
                parent.rmdir()
        if _of_the_disk(error):
            raise _refusal(folder, error) from error
        raise


def _of_the_disk(error: BaseException) -> bool:
    """HDF5 reports a full disk on closing a file as a RuntimeError."""
    return isinstance(error, OSError) or (isinstance(error, RuntimeError) and "errno" in str(error))


def _refusal(folder: Path, error: BaseException) -> OutputError:
    number = getattr(error, "errno", None)
    # Libraries wrap what the system says into long texts of their own.
    reason = os.strerror(number) if number else str(error).splitlines()[0]
    return OutputError(f"cannot write '{folder}': {reason}; free space there or name another folder")
