"""The run folder: written whole under another name, then put in place."""

import json
import os
import shutil
from pathlib import Path

from cellcarve.data.result import Run
from cellcarve.errors import OutputError
from cellcarve.progress import Progress
from cellcarve.write.load import load_run

__all__ = ["check_output", "load_run", "write_run"]


def check_output(folder: Path, overwrite: bool) -> None:
    """See to it that a result can be written, before hours are spent on it.

    Raises
    ------
    OutputError
        There is something already, or the place cannot be written to.
    """
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"'{folder}' is a file; name a folder")
    if folder.is_dir() and any(folder.iterdir()) and not overwrite:
        raise OutputError(
            f"'{folder}' already holds something; name another folder, or replace it with --overwrite"
        )
    partial = _partial(folder)
    try:
        partial.mkdir(parents=True)
        partial.rmdir()
    except OSError as error:
        raise _refusal(folder, error) from error


def write_run(run: Run, folder: Path, overwrite: bool, report: bool, progress: Progress) -> None:
    """Write every file of a run.

    All is written to a sibling folder and renamed at the end: a run that fails or is killed leaves nothing that looks
    like a result, and an earlier result stays until the new one is whole.

    Parameters
    ----------
    report
        Write ``report.html`` too.

    Raises
    ------
    OutputError
        The folder holds something and may not be replaced, or cannot be written.
    """
    check_output(folder, overwrite)
    partial = _partial(folder)
    try:
        partial.mkdir(parents=True)
        _write_files(run, partial, report, progress)
        _put_in_place(partial, folder)
    except OSError as error:
        raise _refusal(folder, error) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _write_files(run: Run, folder: Path, report: bool, progress: Progress) -> None:
    from cellcarve.record import peak_memory
    from cellcarve.write.anndata import anndata_of
    from cellcarve.write.boundaries import write_boundaries
    from cellcarve.write.spatialdata import write_store
    from cellcarve.write.transcripts import write_transcripts

    progress.stage("write tables")
    write_transcripts(run, folder / "transcripts.parquet")
    run.summary.cells.to_parquet(folder / "cells.parquet", index=False)
    write_boundaries(run, folder)
    anndata_of(run).write_h5ad(folder / "counts.h5ad", compression="lzf")
    progress.stage("write SpatialData")
    write_store(run, folder / "segmentation.zarr")
    if report:
        from cellcarve.report import report as write_report

        progress.stage("write report")
        write_report(run, folder)
    stop = getattr(progress, "stop", None)
    if stop is not None:
        stop()
        run.record["timings"] = progress.timings  # type: ignore[attr-defined]
    run.record["peak_memory"] = peak_memory()
    (folder / "run.json").write_text(json.dumps(run.record, indent=2, default=str) + "\n")


def _put_in_place(partial: Path, folder: Path) -> None:
    """Rename, moving an earlier result aside until the new one is in its place."""
    earlier = folder.with_name(f".{folder.name}.earlier-{os.getpid()}")
    if folder.exists():
        folder.rename(earlier)
    try:
        partial.rename(folder)
    except OSError:
        if earlier.exists():
            earlier.rename(folder)
        raise
    shutil.rmtree(earlier, ignore_errors=True)


def _partial(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.partial-{os.getpid()}")


def _refusal(folder: Path, error: OSError) -> OutputError:
    return OutputError(
        f"cannot write '{folder}': {error.strerror or error}; free some space or name another folder"
    )
