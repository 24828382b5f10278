"""The whole path of a segmentation: read, lay the prior, assign, summarise, record, write."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cellcarve import memory
from cellcarve.errors import InputError, SettingsError
from cellcarve.progress import Progress
from cellcarve.record import Stopwatch, origin, outcome, peak_memory
from cellcarve.settings import OutputSettings, Settings

if TYPE_CHECKING:
    from cellcarve.data.result import Run
    from cellcarve.data.table import Table


def segment(source: Any, settings: Settings, output: OutputSettings | None, progress: Progress) -> "Run":
    """Assign every transcript of an experiment to a cell.

    Parameters
    ----------
    source
        Folder or file of an instrument, or a table in memory.
    settings
        All settings of the run.
    output
        Where to write; None keeps the result in memory only.
    progress
        Who is told how far it is.

    Returns
    -------
    Run
        Input, prior, segmentation, summary and record.

    Raises
    ------
    CellcarveError
        The input, the settings, the memory or the output folder do not allow it; nothing has been written.
    """
    from cellcarve.chain.keeper import beside
    from cellcarve.data import flat
    from cellcarve.data.aside import set_aside
    from cellcarve.write import check_output, write_run

    chain = settings.method != "carve"
    if output is not None:
        if output.resume and not chain:
            raise SettingsError(
                "--resume goes on from a checkpoint, and the method carve leaves none; leave it out, or name the "
                "interrupted run's --method"
            )
        check_output(output.output, output.overwrite)
    memory.one_heap()
    room = memory.room(memory.budget(settings.compute.memory))
    with flat.room(room, _scratch(output)):
        watch = Stopwatch(progress)
        run = _segment(source, settings, output, watch)
        if output is not None:
            set_aside(run.segmentation)
            write_run(run, output.output, output.overwrite, True, watch)
            if chain:
                beside(output.output.resolve()).unlink(missing_ok=True)
    return run


def _segment(source: Any, settings: Settings, output: OutputSettings | None, watch: Stopwatch) -> "Run":
    """The path up to what is written."""
    from cellcarve.data.result import Run
    from cellcarve.methods import assign
    from cellcarve.plan import plan
    from cellcarve.priors import lay
    from cellcarve.read import read
    from cellcarve.summarise import summarise

    watch.stage("read")
    table = read(source, settings.read, watch)
    _tell(table, watch)
    watch.stage("lay prior")
    prior = lay(table, settings.prior, source)
    _notes(prior.notes, watch)
    if settings.method == "carve" and prior.kind == "none":
        watch.note("without a prior, --method mixture with --cell-scale usually finds cells better")
    planned = plan(table, prior, settings)
    watch.note(planned.sentence)
    segmentation = assign(table, prior, planned.settings, watch, output)
    summary = summarise(table, prior, segmentation, watch)
    watch.stop()
    record = origin(planned.settings, table.files) | outcome(table, prior, segmentation)
    record |= {"memory_estimate": planned.needed, "timings": watch.timings, "notes": watch.notes}
    record["peak_memory"] = peak_memory()
    return Run(table, prior, segmentation, summary, record)


def _scratch(output: OutputSettings | None) -> Path:
    """Where arrays go that memory has no room for: beside the result, where there is disk to write it on."""
    if output is None:
        return Path(tempfile.gettempdir())
    return next(parent for parent in output.output.resolve().parents if parent.is_dir())


def _tell(table: "Table", watch: Stopwatch) -> None:
    """Say what was found and what was left out; refuse when nothing is left."""
    _notes(table.notes, watch)
    losses = table.losses()
    kept = losses.pop("kept")
    dropped = "".join(f", {count:,} {reason}" for reason, count in losses.items() if count)
    sentence = f"{len(table):,} rows read: {kept:,} kept{dropped}; {len(table.genes):,} genes"
    if kept == 0:
        raise InputError(f"no transcript is left to assign ({sentence}); check the input, --min-qv and --roi")
    watch.note(sentence)


def _notes(notes: list[str], watch: Stopwatch) -> None:
    for note in notes:
        watch.note(note)
