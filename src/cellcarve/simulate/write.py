"""Streams the tables of a simulated tissue to a folder."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np

from cellcarve.errors import OutputError
from cellcarve.progress import Progress, Silent
from cellcarve.simulate.block import Molecules, make_molecules
from cellcarve.simulate.families.field import make_field
from cellcarve.simulate.picture import LARGEST, Picture
from cellcarve.simulate.plan import make_plan
from cellcarve.simulate.platforms import PLATFORMS, Files
from cellcarve.simulate.programmes import PROGRAMMES, make_panel, mixtures
from cellcarve.simulate.settings import IN_FORCE, SimulateSettings
from cellcarve.simulate.sink import GROUP
from cellcarve.simulate.window import Windows

# Streams of random numbers.
_MOLECULES, _ROWS = 0, 1


def simulate(settings: SimulateSettings, out: Path, progress: Progress | None = None) -> None:
    """Make a tissue whose truth is known and write it as an instrument would.

    The tissue of a Xenium is written block by block, so that memory does not grow with it; the bins of a Visium
    HD slide, and a field of another family (which has no image), are made in memory. The folder holds
    ``transcripts.parquet``, ``nucleus_boundaries.parquet`` and ``experiment.xenium`` as a Xenium output folder
    does, or ``binned_outputs``, ``barcode_mappings.parquet`` and ``feature_slice.h5`` as Space Ranger's does,
    and beside them

    - ``truth.parquet``: ``transcript_id`` (of a slide, which has none: the number from 0 that a molecule has
      where the matrix is read bin by bin, with ``barcode`` and ``gene``); ``true_cell``, the cell that made the
      molecule (0 = none, -1 = leave out of scores: low quality or control probe); ``leaked``, it lies outside
      that cell; ``inside_cell``, the cell whose body holds its place (0 = none);
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
    with PLATFORMS[settings.platform](out) as files:
        side = make(settings, files, progress)
    used = {name: getattr(settings, of) for name, of in IN_FORCE.items()}
    record = {"side_um": side, "transcripts": files.rows, "settings": asdict(settings) | used}
    (out / "simulation.json").write_text(json.dumps(record, indent=2) + "\n")


def _make_folder(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
        if any(out.iterdir()):
            raise OutputError(f"{out} is not empty; name a new folder")
    except OSError as error:
        raise OutputError(f"cannot write to {out}: {error.strerror}; name another folder") from error


def _write_tissue(settings: SimulateSettings, files: Files, progress: Progress) -> float:
    """Write tables and image; returns the tissue's side (µm)."""
    plan, panel = make_plan(settings, PROGRAMMES), make_panel(settings.seed, settings.genes)
    progress.stage("simulate", plan.blocks**2, "blocks")
    windows = Windows(plan)
    picture = Picture(plan) if settings.image and plan.side**2 < LARGEST else None
    for column, row in plan.places(rim=1):
        window = windows.at(column, row)
        files.add_cells(plan, window, mixtures(plan, panel, window.cells))
        if picture is not None:
            picture.add(window)
        if plan.holds(column, row):
            molecules = make_molecules(plan, panel, window, plan.random(_MOLECULES, column, row))
            files.add_transcripts(plan, panel, window, molecules, plan.random(_ROWS, column, row))
            progress.advance(1)
    files.finish(plan, panel, picture)
    return plan.side


def _write_field(settings: SimulateSettings, files: Files, progress: Progress) -> float:
    """Write the tables of another family; returns the field's side (µm)."""
    progress.stage("simulate")
    field = make_field(settings, np.random.Generator(np.random.Philox(key=[settings.seed, 4])))
    plan, window, panel = field.plan, field.window, field.repertoire.panel
    rng = plan.random(_ROWS)
    files.add_cells(plan, window, field.repertoire.mixture)
    for part in _runs(field.molecules):
        files.add_transcripts(plan, panel, window, part, rng)
    files.finish(plan, panel, None)
    return plan.side


def _runs(molecules: Molecules) -> Iterator[Molecules]:
    """The molecules in runs of a row group."""
    for first in range(0, len(molecules.x), GROUP):
        yield Molecules(*(value[first : first + GROUP] for value in vars(molecules).values()))
