"""The method mixture as the commands use it."""

from cellcarve.compat.baysor.config import Config
from cellcarve.compat.baysor.effective import compute_settings, mixture_settings
from cellcarve.compat.baysor.implied import rename
from cellcarve.compat.baysor.loading import Molecules
from cellcarve.compat.baysor.log import Log
from cellcarve.compat.baysor.options import Options
from cellcarve.compat.baysor.paths import paths_for
from cellcarve.compat.baysor.prior import Laid
from cellcarve.mixture.result import MixtureRun


def segment(molecules: Molecules, laid: Laid, config: Config, options: Options, log: Log) -> MixtureRun:
    """Fit the mixture; without outlines and colours yet."""
    from cellcarve.chain.keeper import Keeper
    from cellcarve.chain.key import key_of
    from cellcarve.mixture import fit
    from cellcarve.mixture.kept import Kept

    settings = mixture_settings(config, options)
    key = key_of(molecules.table, laid.prior, settings, options.seed)
    keeper = Keeper(paths_for(options.output, "segmentation.csv").checkpoint, key, options.resume, log)
    run = fit(molecules.table, laid.prior, settings, compute_settings(options), log, Kept(keeper))
    for note in run.notes:
        log.note(note)
    rename(run, molecules.implied)
    return run


def outline(molecules: Molecules, options: Options, run: MixtureRun) -> None:
    """Outline the cells of a run, in the plane and by layer of z."""
    from cellcarve.mixture import add_outlines

    add_outlines(run, molecules.table, compute_settings(options))


def colour(molecules: Molecules, options: Options, run: MixtureRun) -> None:
    """Colour the molecules of a run by the composition of genes around them."""
    from cellcarve.mixture import add_colours

    add_colours(run, molecules.table, compute_settings(options))
