"""All files of a run, into a folder that is there."""

import json
from dataclasses import asdict
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from cellcarve.data.result import Run
from cellcarve.progress import Progress
from cellcarve.record import Stopwatch, peak_memory
from cellcarve.write.anndata import anndata_of
from cellcarve.write.boundaries import write_boundaries
from cellcarve.write.spatialdata import write_store
from cellcarve.write.transcripts import write_transcripts


def write_files(run: Run, folder: Path, report: bool, progress: Progress) -> None:
    """Write the tables, the stores, the report and, last of all, ``run.json``.

    Parameters
    ----------
    run
        A finished run; the times of writing and the peak of memory are added to its record.
    folder
        An empty folder.
    report
        Write ``report.html`` too.
    progress
        Who is told how far it is.

    Raises
    ------
    OSError
        A file cannot be written.
    """
    before = list(run.record.get("timings", ()))
    watch = Stopwatch(progress)
    watch.stage("write tables")
    run.record["images"] = [
        asdict(image) | {"path": str(image.path.absolute())} for image in run.table.images
    ]
    transcripts = folder / "transcripts.parquet"
    write_transcripts(run, transcripts)
    _write_cells(run, folder / "cells.parquet")
    write_boundaries(run, folder)
    counts = anndata_of(run)
    counts.write_h5ad(folder / "counts.h5ad", compression="gzip", compression_opts=1)
    watch.stage("write SpatialData")
    write_store(run, counts, transcripts, folder / "segmentation.zarr")
    del counts
    if report:
        from cellcarve.report import report as write_report

        watch.stage("write report")
        run.record |= {"timings": before + watch.timings, "peak_memory": peak_memory()}
        write_report(run, folder)
    watch.stop()
    run.record |= {"timings": before + watch.timings, "peak_memory": peak_memory()}
    (folder / "run.json").write_text(json.dumps(run.record, indent=2, default=str) + "\n")


def _write_cells(run: Run, path: Path) -> None:
    cells = pa.Table.from_pandas(run.summary.cells, preserve_index=False)
    # Where every cell is new, nothing tells that ids are text.
    place = cells.schema.get_field_index("prior_id")
    cells = cells.set_column(place, "prior_id", cells["prior_id"].cast(pa.string()))
    pq.write_table(cells, path, compression="zstd")
