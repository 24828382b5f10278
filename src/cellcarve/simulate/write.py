"""Streams the tables of a simulated tissue to a folder."""

import json
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from cellcarve.errors import OutputError
from cellcarve.progress import Progress, Silent
from cellcarve.simulate.block import make_molecules
from cellcarve.simulate.picture import LARGEST, PIXEL, Picture
from cellcarve.simulate.plan import Plan, make_plan
from cellcarve.simulate.programmes import PROGRAMMES, Panel, make_panel
from cellcarve.simulate.rows import cell_rows, outline_rows, transcript_rows
from cellcarve.simulate.settings import SimulateSettings
from cellcarve.simulate.window import Window, Windows

# Streams of random numbers.
_MOLECULES, _ROWS = 0, 1


def simulate(settings: SimulateSettings, out: Path, progress: Progress | None = None) -> None:
    """Make a tissue whose truth is known and write it as an instrument would.

    Written block by block, so that memory does not grow with the tissue. The folder holds
    ``transcripts.parquet``, ``nucleus_boundaries.parquet`` and ``experiment.xenium`` as a Xenium output
    folder does, and beside them

    - ``truth.parquet``: ``transcript_id``; ``true_cell``, the cell that made the molecule (0 = none, -1 =
      leave out of scores: low quality or control probe); ``leaked``, it lies outside that cell;
      ``inside_cell``, the cell whose body holds its place (0 = none);
    - ``true_cells.parquet``: every cell in the section with type, place, area and its nucleus' fate;
    - ``simulation.json``: the settings.

    Parameters
    ----------
    settings
        What to make.
    out
        Folder to write; it must be empty or absent.
    progress
        Is told how far it is.

    Raises
    ------
    OutputError
        The folder holds files or cannot be written.
    """
    out, progress = Path(out), progress or Silent()
    _make_folder(out)
    plan, panel = make_plan(settings, PROGRAMMES), make_panel(settings.seed, settings.genes)
    progress.stage("simulate", plan.blocks**2, "blocks")
    rows = _write_tables(plan, panel, out, progress)
    record = {"side_um": plan.side, "transcripts": rows, "settings": asdict(settings)}
    (out / "simulation.json").write_text(json.dumps(record, indent=2) + "\n")


def _make_folder(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
        if any(out.iterdir()):
            raise OutputError(f"{out} is not empty; name a new folder")
    except OSError as error:
        raise OutputError(f"cannot write to {out}: {error.strerror}; name another folder") from error


def _write_tables(plan: Plan, panel: Panel, out: Path, progress: Progress) -> int:
    """Write tables and image; returns the number of transcripts."""
    windows, rows = Windows(plan), 0
    picture = Picture(plan) if plan.settings.image and plan.side**2 < LARGEST else None
    with ExitStack() as stack:
        sinks = {name: stack.enter_context(_Sink(out / f"{name}.parquet")) for name in _NAMES}
        for column, row in plan.places(rim=1):
            window = windows.at(column, row)
            sinks["nucleus_boundaries"].add(outline_rows(plan, window))
            sinks["true_cells"].add(cell_rows(plan, panel, window))
            if picture is not None:
                picture.add(window)
            if plan.holds(column, row):
                rows += _add_transcripts(plan, panel, window, sinks, (column, row, rows))
                progress.advance(1)
    if picture is not None:
        picture.write(out / IMAGE)
    _write_experiment(out, picture is not None)
    return rows


def _add_transcripts(
    plan: Plan, panel: Panel, window: Window, sinks: "dict[str, _Sink]", place: tuple[int, int, int]
) -> int:
    """Add a block's rows to both tables of transcripts; `place` is its column, row and the rows before it."""
    column, row, before = place
    molecules = make_molecules(plan, panel, window, plan.random(_MOLECULES, column, row))
    parts = transcript_rows(plan, panel, window, molecules, plan.random(_ROWS, column, row))
    ids = pa.array(np.arange(before + 1, before + 1 + len(molecules.x), dtype=np.uint64))
    for name, part in zip(("transcripts", "truth"), parts, strict=True):
        sinks[name].add(part.add_column(0, "transcript_id", ids))
    return len(ids)


def _write_experiment(out: Path, pictured: bool) -> None:
    """The file by which a Xenium output folder is known."""
    experiment = {"run_name": "simulated tissue", "pixel_size": PIXEL}
    images = {"images": {"morphology_filepath": IMAGE}} if pictured else {}
    (out / "experiment.xenium").write_text(json.dumps(experiment | images, indent=2) + "\n")


IMAGE = "morphology.ome.tif"
_NAMES = ("transcripts", "truth", "nucleus_boundaries", "true_cells")
_GROUP = 1_000_000


class _Sink:
    """A Parquet file that is written in row groups of about a million rows."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._waiting: list[pa.Table] = []
        self._writer: pq.ParquetWriter | None = None

    def __enter__(self) -> "_Sink":
        return self

    def __exit__(self, *error: object) -> None:
        if self._waiting:
            self._flush()
        if self._writer is not None:
            self._writer.close()

    def add(self, table: pa.Table) -> None:
        """Take some more rows."""
        self._waiting.append(table)
        if sum(len(part) for part in self._waiting) >= _GROUP:
            self._flush()

    def _flush(self) -> None:
        table = pa.concat_tables(self._waiting)
        self._waiting = []
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._path, table.schema, compression="zstd")
        self._writer.write_table(table)
