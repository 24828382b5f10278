"""Streams the tables of a simulated tissue to a folder."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from cellcarve.errors import OutputError
from cellcarve.progress import Progress, Silent
from cellcarve.simulate.block import Molecules, make_molecules
from cellcarve.simulate.families.field import make_field
from cellcarve.simulate.picture import LARGEST, PIXEL, Picture
from cellcarve.simulate.plan import make_plan
from cellcarve.simulate.programmes import PROGRAMMES, make_panel, mixtures
from cellcarve.simulate.rows import cell_rows, outline_rows, transcript_rows
from cellcarve.simulate.settings import SimulateSettings
from cellcarve.simulate.window import Windows

# Streams of random numbers.
_MOLECULES, _ROWS = 0, 1


def simulate(settings: SimulateSettings, out: Path, progress: Progress | None = None) -> None:
    """Make a tissue whose truth is known and write it as an instrument would.

    The tissue is written block by block, so that memory does not grow with it; a field of another family is
    made in memory (about 300 bytes per transcript) and has no image. The folder holds
    ``transcripts.parquet``, ``nucleus_boundaries.parquet`` and ``experiment.xenium`` as a Xenium output folder
    does, and beside them

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
    make = _write_tissue if settings.family == "tissue" else _write_field
    side, rows = make(settings, out, progress)
    used = {"thickness": settings.depth, "leak_share": settings.drifting, "background": settings.haze}
    record = {"side_um": side, "transcripts": rows, "settings": asdict(settings) | used}
    (out / "simulation.json").write_text(json.dumps(record, indent=2) + "\n")


def _make_folder(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
        if any(out.iterdir()):
            raise OutputError(f"{out} is not empty; name a new folder")
    except OSError as error:
        raise OutputError(f"cannot write to {out}: {error.strerror}; name another folder") from error


def _write_tissue(settings: SimulateSettings, out: Path, progress: Progress) -> tuple[float, int]:
    """Write tables and image; returns the tissue's side (µm) and the number of transcripts."""
    plan, panel = make_plan(settings, PROGRAMMES), make_panel(settings.seed, settings.genes)
    progress.stage("simulate", plan.blocks**2, "blocks")
    windows, rows = Windows(plan), 0
    picture = Picture(plan) if settings.image and plan.side**2 < LARGEST else None
    with _sinks(out) as sinks:
        for column, row in plan.places(rim=1):
            window = windows.at(column, row)
            sinks["nucleus_boundaries"].add(outline_rows(plan, window))
            sinks["true_cells"].add(cell_rows(plan, window, mixtures(plan, panel, window.cells)))
            if picture is not None:
                picture.add(window)
            if plan.holds(column, row):
                molecules = make_molecules(plan, panel, window, plan.random(_MOLECULES, column, row))
                parts = transcript_rows(plan, panel, window, molecules, plan.random(_ROWS, column, row))
                rows = _add_transcripts(parts, sinks, rows)
                progress.advance(1)
    if picture is not None:
        picture.write(out / IMAGE)
    _write_experiment(out, picture is not None)
    return plan.side, rows


def _write_field(settings: SimulateSettings, out: Path, progress: Progress) -> tuple[float, int]:
    """Write the tables of another family; returns the field's side (µm) and the number of transcripts."""
    progress.stage("simulate")
    field = make_field(settings, np.random.Generator(np.random.Philox(key=[settings.seed, 4])))
    plan, window, panel = field.plan, field.window, field.repertoire.panel
    rng, rows = plan.random(_ROWS), 0
    with _sinks(out) as sinks:
        if window.drawn.height is None:
            sinks["nucleus_boundaries"].add(outline_rows(plan, window))
        sinks["true_cells"].add(cell_rows(plan, window, field.repertoire.mixture))
        for part in _runs(field.molecules):
            rows = _add_transcripts(transcript_rows(plan, panel, window, part, rng), sinks, rows)
    _write_experiment(out, False)
    return plan.side, rows


def _runs(molecules: Molecules) -> Iterator[Molecules]:
    """The molecules in runs of a row group."""
    for first in range(0, len(molecules.x), _GROUP):
        yield Molecules(*(value[first : first + _GROUP] for value in vars(molecules).values()))


@contextmanager
def _sinks(out: Path) -> "Iterator[dict[str, _Sink]]":
    with ExitStack() as stack:
        yield {name: stack.enter_context(_Sink(out / f"{name}.parquet")) for name in _NAMES}


def _add_transcripts(parts: tuple[pa.Table, pa.Table], sinks: "dict[str, _Sink]", before: int) -> int:
    """Add rows to both tables of transcripts; returns how many they hold then, `before` being there already."""
    after = before + len(parts[0])
    ids = pa.array(np.arange(before + 1, after + 1, dtype=np.uint64))
    for name, part in zip(("transcripts", "truth"), parts, strict=True):
        sinks[name].add(part.add_column(0, "transcript_id", ids))
    return after


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
