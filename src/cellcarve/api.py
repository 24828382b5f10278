"""The verbs as Python functions, with the command line's names."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cellcarve.config import gather
from cellcarve.console import console
from cellcarve.settings import OutputSettings

if TYPE_CHECKING:
    import anndata
    import geopandas
    import pandas as pd

    from cellcarve.data.result import Run


@dataclass(frozen=True)
class Result:
    """A finished segmentation.

    Parameters
    ----------
    run
        Input, prior, segmentation, summary and record, as plain arrays.
    """

    run: "Run"

    @property
    def adata(self) -> "anndata.AnnData":
        """Cells by genes: integer counts in ``X``, expected counts in ``layers["expected"]``, positions."""
        from cellcarve.write import anndata_of

        return anndata_of(self.run)

    @property
    def transcripts(self) -> "pd.DataFrame":
        """One row per input row, in input order, with cell, probability and status."""
        from cellcarve.write import transcripts_of

        return transcripts_of(self.run).to_pandas()

    @property
    def cells(self) -> "pd.DataFrame":
        """One row per cell."""
        return self.run.summary.cells

    @property
    def boundaries(self) -> "geopandas.GeoDataFrame":
        """One polygon (µm) per cell that has one."""
        from cellcarve.write import boundaries_of

        return boundaries_of(self.run)

    def write(self, folder: str | Path, overwrite: bool = False) -> Path:
        """Write the run folder, report included.

        Parameters
        ----------
        folder
            Where to.
        overwrite
            Replace an earlier result there.

        Returns
        -------
        Path
            The folder.

        Raises
        ------
        OutputError
            The folder holds an earlier result or cannot be written.
        """
        from cellcarve.progress import Silent
        from cellcarve.write import check_output, write_run

        target = OutputSettings(Path(folder), overwrite)
        check_output(target.output, overwrite)
        write_run(self.run, target.output, overwrite, True, Silent())
        return target.output

    def __repr__(self) -> str:
        rows, cells = len(self.run.table), len(self.run.segmentation.names)
        return f"Result({rows:,} transcripts, {cells:,} cells)"


def segment(
    source: Any,
    *,
    output: str | Path | None = None,
    overwrite: bool = False,
    resume: bool = False,
    quiet: bool = True,
    **settings: Any,
) -> Result:
    """Assign every transcript of an experiment to a cell.

    Parameters
    ----------
    source
        Folder or file of an instrument, a pandas DataFrame, a pyarrow Table or a SpatialData object.
    output
        Folder to write as well; None keeps the result in memory.
    overwrite
        Replace an earlier result in `output`.
    resume
        Go on from the checkpoint that an interrupted run left beside `output`. Methods mixture and voxel only.
    quiet
        Show no progress.
    **settings
        Any setting by the name of its flag, for example ``min_qv=20``, ``roi="0,0,500,500"``,
        ``prior="nuclei.tif"``, ``purity="pure"``, ``seed=1``.

    Returns
    -------
    Result
        Counts, transcripts, cells and outlines.

    Raises
    ------
    SettingsError
        A setting is unknown or does not fit.
    InputError
        The input cannot be used.
    OutputError
        The output folder holds an earlier result or cannot be written.
    MemoryBudgetError
        The run does not fit into memory.

    Examples
    --------
    >>> import cellcarve
    >>> result = cellcarve.segment("outs/", min_qv=20)  # doctest: +SKIP
    >>> result.adata.n_obs  # doctest: +SKIP
    733
    """
    from cellcarve.run import segment as run_segment

    chosen = gather(settings)
    target = None if output is None else OutputSettings(Path(output), overwrite, resume)
    with console(quiet) as progress:
        return Result(run_segment(source, chosen, target, progress))


def simulate(out: str | Path, *, overwrite: bool = False, **settings: Any) -> Path:
    """Make a tissue whose truth is known, in files like an instrument's.

    Parameters
    ----------
    out
        Folder to write.
    overwrite
        Replace files that are there.
    **settings
        Fields of `cellcarve.simulate.SimulateSettings`, for example ``transcripts=50_000``.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    SettingsError
        A setting is unknown or does not fit.
    OutputError
        The folder is in use or cannot be written.
    """
    from dataclasses import asdict

    from cellcarve.fresh import fresh
    from cellcarve.simulate import SimulateSettings
    from cellcarve.simulate import simulate as make
    from cellcarve.validate import known

    names = asdict(SimulateSettings())
    chosen = SimulateSettings(**{known(name, names): value for name, value in settings.items()})
    with fresh(Path(out), overwrite) as folder:
        make(chosen, folder)
    return folder


def evaluate(
    segmentation: str | Path,
    *,
    truth: str | Path | None = None,
    reference: str | Path | None = None,
    against: str | Path | None = None,
) -> dict[str, Any]:
    """Measure the quality of a segmentation, by any program.

    Parameters
    ----------
    segmentation
        Folder of a run, or a table with a cell per transcript.
    truth
        Table with the true cell of each transcript, or the folder that ``simulate`` wrote.
    reference
        Single-cell expression profiles by cell type.
    against
        Another segmentation of the same transcripts.

    Returns
    -------
    dict
        Measures by name, JSON-ready.

    Raises
    ------
    InputError
        A file cannot be used.
    """
    from cellcarve.evaluate import evaluate as measure

    paths = [None if path is None else Path(path) for path in (truth, reference, against)]
    return measure(Path(segmentation), truth=paths[0], reference=paths[1], against=paths[2])


def report(folder: str | Path) -> Path:
    """Write the HTML report of a finished run again.

    Parameters
    ----------
    folder
        The run's folder.

    Returns
    -------
    Path
        The report.

    Raises
    ------
    InputError
        The folder holds no run.
    """
    from cellcarve.report import report as write_report
    from cellcarve.write import load_run

    write_report(load_run(Path(folder)), Path(folder))
    return Path(folder) / "report.html"


def convert(
    folder: str | Path,
    to: str,
    output: str | Path | None = None,
    *,
    overwrite: bool = False,
    pixel_size: float | None = None,
    origin: tuple[float, float] | None = None,
) -> Path:
    """Write a finished segmentation, ours or proseg's, in another tool's form.

    Parameters
    ----------
    folder
        A run's folder, or the zarr store of proseg or of its stand-in.
    to
        ``"h5ad"``, ``"seurat"``, ``"xenium-ranger"``, ``"qupath"``, ``"spatialdata"`` or ``"geojson"``.
    output
        File or folder to make; named after the source by default.
    overwrite
        Replace what is there.
    pixel_size, origin
        For QuPath: side in µm of a pixel of the image, and position in µm of the corner of its first one.

    Returns
    -------
    Path
        What was written.

    Raises
    ------
    SettingsError
        There is no such form.
    InputError
        The folder holds no finished segmentation.
    OutputError
        Something is there already, or it cannot be written.
    """
    from cellcarve.convert import convert as write
    from cellcarve.convert import pixels

    place = pixels(pixel_size, origin)
    return write(Path(folder), to, None if output is None else Path(output), overwrite, place)[0]


def demo(folder: str | Path = "demo", *, overwrite: bool = False) -> dict[str, dict[str, Any]]:
    """Segment a small tissue whose truth is known, and score it beside simple rules.

    Parameters
    ----------
    folder
        Where to write.
    overwrite
        Replace an earlier demo.

    Returns
    -------
    dict
        Per rule, "cellcarve" first, its measures by name.

    Raises
    ------
    OutputError
        The folder is in use or cannot be written.
    """
    from cellcarve.demo import demo as run_demo
    from cellcarve.progress import Silent

    return run_demo(Path(folder), overwrite, Silent())
