"""Columns of the table that Baysor 0.7 takes for granted, though nobody named them: a rule of ``--compat 0.7``."""

from pathlib import Path

import numpy as np
import pyarrow as pa

from cellcarve.compat.baysor.columns import Mapping
from cellcarve.compat.baysor.options import Options
from cellcarve.compat.baysor.values import words
from cellcarve.data.prior import Prior
from cellcarve.errors import InputError
from cellcarve.mixture.result import MixtureRun
from cellcarve.read.convert import Place, Words, as_numbers
from cellcarve.read.grow import Growing

PRIOR, CLUSTER, NUCLEAR = "prior_segmentation", "cluster", "nuclei_probs"
_MOST_CLUSTERS = 255


def implied(options: Options, mapping: Mapping) -> dict[str, str]:
    """Columns that are taken for granted, by the input's name for each; none but by the old rules.

    What the run itself makes (a named prior, molecule clusters, compartments) takes the place of such a column.
    """
    part = options.config.segmentation
    used = {PRIOR: not options.prior, CLUSTER: part.n_clusters < 2, NUCLEAR: not words(part.nuclei_genes)}
    names = {out: name for name, out in mapping.written}
    return {out: names[out] for out, wanted in used.items() if options.compat and wanted and out in names}


class Implied:
    """Collects such columns batch by batch.

    Parameters
    ----------
    columns
        From `implied`.
    path
        The table, for messages.
    """

    def __init__(self, columns: dict[str, str], path: Path) -> None:
        self.columns = columns
        self._path = path
        self._words = {what: Words() for what in columns if what != NUCLEAR}
        self._chances = Growing()

    def add(self, batch: pa.RecordBatch, first: int) -> None:
        """Take in some more rows, `first` of which lie before."""
        for what, name in self.columns.items():
            column, place = batch.column(name), Place(self._path, name, first)
            if what == NUCLEAR:
                values = as_numbers(column, place)
                if not np.isfinite(values).all():
                    raise place.fault(int(np.argmin(np.isfinite(values))), f"no number; {_REMEDY}")
                self._chances.add(values)
            else:
                self._words[what].add(column, place)

    def finish(self) -> dict[str, np.ndarray]:
        """(N,) int64 segments and clusters, and float32 chances to lie in a nucleus, each where it is there."""
        found = {what: self._numbers(what) for what in self._words}
        return found | ({NUCLEAR: self._chances.finish()} if NUCLEAR in self.columns else {})

    def _numbers(self, what: str) -> np.ndarray:
        code, labels = self._words[what].finish()
        name = self.columns[what]
        odd = [word for word in labels if not word.isdecimal() or int(word) >= 2**31]
        if odd or (code < 0).any():
            shown = f"'{odd[0]}'" if odd else "rows without a value"
            raise InputError(
                f"{self._path}, column '{name}' holds {shown} beside whole numbers from 0; {_REMEDY}"
            )
        return np.array([int(word) for word in labels], np.int64)[code]


_REMEDY = "by --compat 0.7 it is used though nobody named it, so rename it or leave it out"


def believe(prior: Prior, found: dict[str, np.ndarray]) -> None:
    """Clusters and chances of a table's rows into what is believed of them.

    Raises
    ------
    InputError
        There are too many clusters.
    """
    prior.nuclear = found.get(NUCLEAR)
    if CLUSTER not in found:
        return
    values, code = np.unique(found[CLUSTER], return_inverse=True)
    if len(values) > _MOST_CLUSTERS:
        raise InputError(
            f"the column '{CLUSTER}' holds {len(values)} values, more than {_MOST_CLUSTERS}; {_REMEDY}"
        )
    prior.cluster = (code + 1).astype(np.uint8)


def rename(run: MixtureRun, found: dict[str, np.ndarray]) -> None:
    """Give the clusters of a run the numbers that they have in the table."""
    if CLUSTER not in found or run.cluster is None or run.cells.cluster is None:
        return
    values = np.unique(found[CLUSTER]).astype(np.int32)
    run.cluster, run.cells.cluster = values[run.cluster - 1], values[run.cells.cluster - 1]
