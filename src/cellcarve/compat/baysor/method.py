"""The method mixture as the commands use it."""

from cellcarve.compat.baysor.config import Config
from cellcarve.compat.baysor.effective import compute_settings, mixture_settings
from cellcarve.compat.baysor.loading import Molecules
from cellcarve.compat.baysor.log import Log
from cellcarve.compat.baysor.options import Options
from cellcarve.compat.baysor.prior import Laid
from cellcarve.mixture.result import MixtureRun


def segment(molecules: Molecules, laid: Laid, config: Config, options: Options, log: Log) -> MixtureRun:
    """Fit the mixture; without outlines and colours yet."""
    from cellcarve.compat.baysor.look_on import LookOn, key_of
    from cellcarve.mixture import fit

    settings = mixture_settings(config, options)
    key = key_of(molecules, laid.prior, settings, options.seed)
    look_on = LookOn(options, key, log)
    run = fit(molecules.table, laid.prior, settings, compute_settings(options), log, look_on)
    for note in run.notes:
        log.note(note)
    return run


def outline(molecules: Molecules, options: Options, run: MixtureRun) -> None:
    """Outline the cells of a run, in the plane and by layer of z."""
    from cellcarve.mixture import add_outlines

    add_outlines(run, molecules.table, compute_settings(options))


def colour(molecules: Molecules, options: Options, run: MixtureRun) -> None:
    """Colour the molecules of a run by the composition of genes around them."""
    from cellcarve.mixture import add_colours

    add_colours(run, molecules.table, compute_settings(options))
