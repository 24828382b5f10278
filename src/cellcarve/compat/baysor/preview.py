"""``baysor preview``: a page to look at the molecules before they are segmented."""

import numpy as np

from cellcarve.compat.baysor.derive import check_least
from cellcarve.compat.baysor.effective import effective
from cellcarve.compat.baysor.loading import load, table_path
from cellcarve.compat.baysor.log import Log
from cellcarve.compat.baysor.options import Options
from cellcarve.compat.baysor.paths import check_apart, paths_for
from cellcarve.staged import staged

_DIMENSIONS = 20
_SURELY_NOISE = 0.01


def preview(options: Options) -> None:
    """Write a page with compositions, noise and genes.

    Parameters
    ----------
    options
        What to read and where to write.

    Raises
    ------
    CellcarveError
        The options, the input or the folder do not allow it.
    """
    check_least(options.config)
    paths = paths_for(options.output, "preview.html")
    check_apart(paths.main, table_path(options.coordinates))
    with Log(paths.beside("preview_log.log")) as log:
        log.note(f"Run {options.line}")
        molecules = load(options, log)
        log.begin()
        config = effective(options, molecules)
        from cellcarve.compat.baysor.plots.genes import gene_structure
        from cellcarve.compat.baysor.plots.preview import Look, preview_page
        from cellcarve.compat.baysor.survey import compositions_of, survey
        from cellcarve.mixture.colours import colours
        from cellcarve.mixture.compositions import reduce
        from cellcarve.mixture.cooccurrence import cooccurrence

        log.stage("estimating noise level")
        table = molecules.table
        found = survey(table, config, options)
        least, expected = noise_levels(found.confidence)
        log.note(f"Minimal noise level={least:.2f}%. Expected noise level={expected:.2f}%.")
        log.stage("estimating local colors")
        source = compositions_of(found, config.plotting.gene_composition_neigborhood, options)
        how = (options.seed, options.threads, bool(options.compat))
        vectors = reduce(source, config.plotting.ncv_method, _DIMENSIONS, how)
        colour = colours(vectors, found.confidence, options.seed, options.threads)
        log.stage("estimating gene structure")
        together = cooccurrence(table.gene, len(table.genes), found.graph, found.confidence)
        place = gene_structure(together, options.seed)
        log.stage("drawing")
        page = preview_page(Look(table, found.confidence, found.noise, colour, place), config)
        with staged() as stage:
            stage.place(paths.main).write_text(page, "utf-8")
        log.note("All done!")


def noise_levels(confidence: np.ndarray) -> tuple[float, float]:
    """Share of molecules that are surely noise, and share expected to be, in percent."""
    return 100 * float(np.mean(confidence < _SURELY_NOISE)), 100 * float(np.mean(1 - confidence))
