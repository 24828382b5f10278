"""The whole path of a run: options, rows, prior, chain, files."""

import math
import time
from dataclasses import replace

from cellcarve.algebra import one_thread
from cellcarve.compat.proseg.command import parse
from cellcarve.compat.proseg.options import Options
from cellcarve.compat.proseg.prior import lay
from cellcarve.compat.proseg.rows import read_rows
from cellcarve.compat.proseg.settle import settle
from cellcarve.compat.proseg.source import open_source
from cellcarve.compat.proseg.translate import compute_settings, voxel_settings
from cellcarve.console import console
from cellcarve.data import flat
from cellcarve.data.aside import set_aside
from cellcarve.data.table import Table
from cellcarve.errors import InputError
from cellcarve.memory import one_heap, spare_pandas
from cellcarve.progress import Progress
from cellcarve.record import Stopwatch


def main(tokens: list[str]) -> None:
    """Run a command line of proseg.

    Parameters
    ----------
    tokens
        The words after the command's name.

    Raises
    ------
    CellcarveError
        The options, the input or the output do not allow it; nothing has been written.
    """
    parsed = parse(tokens)
    if parsed.options is None:
        return
    with console(False) as progress:
        watch = Stopwatch(progress)
        for warning in parsed.warnings:
            watch.note(warning)
        with one_thread():
            run(parsed.options, watch)


def run(given: Options, progress: Progress) -> None:
    """Segment as asked, and write every file that was asked for.

    Parameters
    ----------
    given
        A command line.
    progress
        Who is told how far it is.

    Raises
    ------
    CellcarveError
        The options, the input or the output do not allow it; nothing has been written.
    """
    from cellcarve.compat.proseg.look_on import LookOn
    from cellcarve.compat.proseg.outputs import write
    from cellcarve.voxels import sample

    began = time.monotonic()
    one_heap()
    spare_pandas()
    options = settle(given)
    settings, compute = voxel_settings(options), compute_settings(options.model)
    if options.inputs.merfish:
        progress.note("--merfish is deprecated; use --merscope, or name the columns")
    progress.stage("read")
    source = open_source(options)
    options = replace(options, inputs=source.inputs)
    table = read_rows(source)
    _tell(table, progress)
    progress.stage("lay prior")
    prior = lay(table, source, options)
    for note in prior.notes:
        progress.note(note)
    look_on = LookOn(options, progress)
    with flat.room(math.inf, options.output.path(options.output.output_spatialdata).parent):
        set_aside(table)
        set_aside(prior)
        result = sample(table, prior, settings, compute, progress, look_on)
        set_aside(result)
        for note in result.notes:
            progress.note(note)
        progress.stage("write")
        seconds = round(time.monotonic() - began, 3)
        for path in write(result, table, options, seconds):
            print(path)
    look_on.end()


def _tell(table: Table, progress: Progress) -> None:
    """Say what was read and left out; refuse when nothing is left."""
    losses = table.losses()
    kept = losses.pop("kept")
    dropped = "".join(f", {count:,} {reason}" for reason, count in losses.items() if count)
    sentence = f"{len(table):,} rows read: {kept:,} kept{dropped}; {len(table.genes):,} genes"
    if kept == 0:
        raise InputError(f"no transcript is left ({sentence}); check --min-qv and --excluded-genes")
    progress.note(sentence)
