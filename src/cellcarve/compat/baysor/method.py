"""The method mixture as the commands use it."""

import numpy as np

from cellcarve.compat.baysor.config import Config
from cellcarve.compat.baysor.effective import compute_settings, mixture_settings
from cellcarve.compat.baysor.loading import Molecules
from cellcarve.compat.baysor.log import Log
from cellcarve.compat.baysor.options import Options
from cellcarve.compat.baysor.prior import Laid
from cellcarve.mixture.result import MixtureRun


def segment(molecules: Molecules, laid: Laid, config: Config, options: Options, log: Log) -> MixtureRun:
    """Fit the mixture; without outlines and colours yet."""
    from cellcarve.mixture import fit

    settings = mixture_settings(config, options)
    run = fit(molecules.table, laid.prior, settings, compute_settings(options), log)
    for note in run.notes:
        log.note(note)
    _place(run, molecules)
    return run


def _place(run: MixtureRun, molecules: Molecules) -> None:
    """Mean positions of the cells in the coordinates of the input."""
    table, cells = molecules.table, run.cells
    number = np.maximum(cells.n_transcripts, 1)

    def mean(axis: np.ndarray) -> np.ndarray:
        return np.bincount(run.cell, axis[run.row], len(number) + 1)[1:] / number

    cells.x, cells.y = mean(table.x), mean(table.y)
    cells.z = None if table.z is None else mean(table.z)


def outline(molecules: Molecules, options: Options, run: MixtureRun) -> None:
    """Outline the cells of a run, in the plane and by layer of z."""
    from cellcarve.mixture import add_outlines

    add_outlines(run, molecules.table, compute_settings(options))


def colour(molecules: Molecules, options: Options, run: MixtureRun) -> None:
    """Colour the molecules of a run by the composition of genes around them."""
    from cellcarve.mixture import add_colours

    add_colours(run, molecules.table, compute_settings(options))
