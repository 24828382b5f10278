"""``baysor run``: read, lay the prior, segment, and save the tables before anything that takes long."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cellcarve.compat.baysor import method
from cellcarve.compat.baysor.config import Config
from cellcarve.compat.baysor.derive import check_markers, check_run
from cellcarve.compat.baysor.effective import effective
from cellcarve.compat.baysor.loading import Molecules, load, table_path
from cellcarve.compat.baysor.log import Log
from cellcarve.compat.baysor.options import COUNTS, Options
from cellcarve.compat.baysor.outputs.cell_stats import cell_stats, write_cell_stats
from cellcarve.compat.baysor.outputs.counts import write_counts
from cellcarve.compat.baysor.outputs.mend import mend
from cellcarve.compat.baysor.outputs.molecules import write_molecules
from cellcarve.compat.baysor.outputs.naming import numbered, run_id
from cellcarve.compat.baysor.outputs.params import write_params
from cellcarve.compat.baysor.outputs.polygons import write_polygons, write_slices
from cellcarve.compat.baysor.paths import Paths, check_apart, paths_for
from cellcarve.compat.baysor.prior import Laid, lay_prior
from cellcarve.compat.baysor.small import drop_small_cells
from cellcarve.errors import Interrupted
from cellcarve.mixture.result import MixtureRun
from cellcarve.staged import staged

STATS, PARAMS, LOG = "cell_stats.csv", "params.dump.toml", "log.log"
FLAT, DEEP = "polygons_2d.json", "polygons_3d.json"
BORDERS, DIAGNOSTICS = "borders.html", "diagnostics.html"


@dataclass
class _Job:
    """What every step of saving needs."""

    options: Options
    config: Config
    paths: Paths
    molecules: Molecules
    laid: Laid
    run: MixtureRun
    names: np.ndarray
    log: Log


def run(options: Options) -> None:
    """Segment the molecules of a table and write all that was asked for.

    Parameters
    ----------
    options
        What to read, how, and where to write.

    Raises
    ------
    CellcarveError
        The options, the input or the folder do not allow it. What was there before is left alone, the log until the
        input is known to be good, the rest until the new tables are whole.
    """
    check_run(options.config, options.prior)
    paths = paths_for(options.output, "segmentation.csv")
    check_apart(paths.main, table_path(options.coordinates))
    with Log(paths.beside(LOG)) as log:
        log.note(f"Run {options.line}")
        part = options.config.segmentation
        if part.nuclei_genes and part.n_clusters > 1:
            log.warn(
                "nuclei and cytoplasm of one cell may fall into different clusters of molecules; with nuclei_genes, "
                "--n-clusters=1 is safer"
            )
        molecules = load(options, log)
        laid = lay_prior(molecules, options, log)
        check_markers(options.config, molecules.table.genes)
        log.begin()
        config = effective(options, molecules, laid.scale)
        try:
            done = method.segment(molecules, laid, config, options, log)
        except KeyboardInterrupt:
            if paths.checkpoint.is_file():
                raise Interrupted(
                    "interrupted; no table was written yet, and the same command with --resume goes on from the checkpoint"
                ) from None
            raise
        if options.drop_small_cells:
            gone = drop_small_cells(done, config.data.min_molecules_per_cell)
            log.note(
                f"{gone} cells of fewer than {config.data.min_molecules_per_cell} molecules became noise"
            )
        names = numbered(f"C{run_id(molecules, options)}", len(done.cells.x))
        job = _Job(options, config, paths, molecules, laid, done, names, log)
        _tell(job)
        _save_tables(job)
        paths.checkpoint.unlink(missing_ok=True)
        try:
            _save_the_rest(job)
        except KeyboardInterrupt:
            raise Interrupted(
                f"interrupted; '{paths.main}' and the tables beside it are saved, not all of the rest is"
            ) from None
        log.note("All done!")


def _save_the_rest(job: _Job) -> None:
    """What takes long, and what a result is whole without."""
    _save_polygons(job)
    _save_colours(job)
    if job.options.plot:
        _save_pages(job)


def _tell(job: _Job) -> None:
    """What came out, and what the user should look at."""
    cells, run = job.run.cells, job.run
    inside = np.count_nonzero(run.cell) / max(len(run.cell), 1)
    job.log.note(f"{len(cells.x)} cells hold {inside:.1%} of the molecules")
    least = job.config.data.min_molecules_per_cell
    if not len(cells.x):
        job.log.warn("every molecule is noise: the outputs hold no cells; check --scale and -m")
    elif cells.n_transcripts.max() < least:
        job.log.warn(
            f"no cell has {least} molecules (the largest has {cells.n_transcripts.max()}); -m or --scale do not fit the data"
        )


def _save_tables(job: _Job) -> None:
    """Molecules, cells, counts and parameters, put in place together; what an earlier run left beside them goes."""
    job.log.stage("saving the tables")
    stats = cell_stats(job.run.cells, job.names)
    genes = job.molecules.table.genes
    with staged() as stage:
        beside = job.paths.beside
        stage.replaces(beside(name) for name in (FLAT, DEEP, BORDERS, DIAGNOSTICS))
        stage.replaces(beside(f"counts.{form}") for form in COUNTS)
        _write_molecules(job, stage.place(job.paths.main))
        write_cell_stats(stage.place(beside(STATS)), stats)
        for form in job.options.counts:
            write_counts(stage.place(beside(f"counts.{form}")), form, job.run.counts, genes, stats)
        write_params(stage.place(beside(PARAMS)), job.config, job.options)
    job.log.note(f"Saved {job.paths.main}, and statistics, counts and parameters beside it")


def _write_molecules(job: _Job, path: Path) -> None:
    write_molecules(path, job.molecules, job.run, job.laid.segment, job.names)


def _save_polygons(job: _Job) -> None:
    form = job.options.polygons
    if form == "none" and not job.options.plot:
        return
    job.log.stage("outlining cells")
    method.outline(job.molecules, job.options, job.run)
    scale = job.run.scale
    if job.run.rings is not None:
        job.run.rings = mend(job.run.rings, job.run.cells, scale)
    if form == "none" or job.run.rings is None:
        return
    with staged() as stage:
        write_polygons(stage.place(job.paths.beside(FLAT)), job.run.rings, job.names, form, scale)
        if job.molecules.table.z is not None:
            write_slices(stage.place(job.paths.beside(DEEP)), job.run.slices, job.names, form, scale)


def _save_colours(job: _Job) -> None:
    """The table of molecules once more, with its last column."""
    if not job.options.ncv:
        return
    job.log.stage("estimating local colours")
    method.colour(job.molecules, job.options, job.run)
    with staged() as stage:
        _write_molecules(job, stage.place(job.paths.main))


def _save_pages(job: _Job) -> None:
    from cellcarve.compat.baysor.plots.borders import borders_page
    from cellcarve.compat.baysor.plots.diagnostics import diagnostics_page
    from cellcarve.compat.baysor.plots.earlier import prior_rings

    job.log.stage("drawing")
    table = job.molecules.table
    prior = prior_rings(table, job.laid, job.options)
    borders = borders_page(table, job.run, job.names, prior, job.config)
    with staged() as stage:
        stage.place(job.paths.beside(DIAGNOSTICS)).write_text(
            diagnostics_page(job.run, job.log.warnings), "utf-8"
        )
        stage.place(job.paths.beside(BORDERS)).write_text(borders, "utf-8")
