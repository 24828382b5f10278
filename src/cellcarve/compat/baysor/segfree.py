"""``baysor segfree``: the gene composition around every molecule, without cells."""

from pathlib import Path

import numpy as np

from cellcarve.compat.baysor.derive import check_least
from cellcarve.compat.baysor.effective import effective
from cellcarve.compat.baysor.loading import load, table_path
from cellcarve.compat.baysor.log import Log
from cellcarve.compat.baysor.options import Options
from cellcarve.compat.baysor.outputs.colours import hex_codes
from cellcarve.compat.baysor.outputs.loom import COLUMNS, loom
from cellcarve.compat.baysor.outputs.naming import numbered, run_id
from cellcarve.compat.baysor.paths import check_apart, paths_for
from cellcarve.mixture.compositions import Compositions
from cellcarve.staged import staged

_DIMENSIONS = 30


def segfree(options: Options) -> None:
    """Write compositions, colours and confidences as a loom file of genes by molecules.

    Parameters
    ----------
    options
        What to read and where to write; ``-k`` is enough, without it ``-m`` is needed.

    Raises
    ------
    CellcarveError
        The options, the input or the folder do not allow it.
    """
    if not options.neighbours:
        check_least(options.config, ", or how many neighbours to take with -k")
    paths = paths_for(options.output, "ncvs.loom")
    check_apart(paths.main, table_path(options.coordinates))
    with Log(paths.beside("segfree_log.log")) as log:
        log.note(f"Run {options.line}")
        molecules = load(options, log)
        log.begin()
        config = effective(options, molecules)
        table = molecules.table
        near = options.neighbours or config.plotting.gene_composition_neigborhood
        from cellcarve.compat.baysor.survey import compositions_of, survey
        from cellcarve.mixture.colours import colours
        from cellcarve.mixture.compositions import reduce

        log.stage("estimating noise level")
        found = survey(table, config, options)
        log.stage(f"estimating neighborhood compositions from {min(near, len(table))} neighbours each")
        source = compositions_of(found, near, options)
        vectors = reduce(
            source, config.plotting.ncv_method, _DIMENSIONS, (options.seed, options.threads, False)
        )
        colour = colours(vectors, found.confidence, options.seed, options.threads)
        columns = {
            "CellID": np.arange(1.0, len(table) + 1),
            "Name": numbered(f"V{run_id(molecules, options)}", len(table)),
            "ncv_color": hex_codes(colour),
            "confidence": found.confidence,
        }
        log.stage("saving", len(table), "molecules")
        with staged() as stage:
            _write(stage.place(paths.main), source, table.genes, columns, log)
        log.note("All done!")


def _write(
    path: Path, source: Compositions, genes: list[str], columns: dict[str, np.ndarray], log: Log
) -> None:
    """Some molecules at a time."""
    number = len(columns["Name"])
    with loom(path, (len(genes), number), np.float32, {"Name": np.array(genes, object)}, columns) as stored:
        for low in range(0, number, COLUMNS):
            high = min(low + COLUMNS, number)
            stored[:, low:high] = source.rows(low, high).toarray().T
            log.advance(high - low)
