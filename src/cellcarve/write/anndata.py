"""``counts.h5ad``: cells by genes."""

import json
from typing import TYPE_CHECKING

import numpy as np

from cellcarve.data.result import Run

if TYPE_CHECKING:
    from anndata import AnnData


def anndata_of(run: Run) -> "AnnData":
    """Counts of a run.

    Returns
    -------
    AnnData
        ``X`` int32 transcripts (cells, genes), ``layers["expected"]`` float32 expected counts, ``obs`` the table of cells,
        ``obsm["spatial"]`` centroids in µm, ``var`` transcripts of each gene and the share of them in cells.
    """
    import pandas as pd
    from anndata import AnnData

    table, summary, result = run.table, run.summary, run.segmentation
    kept = table.status == 0
    every = np.bincount(table.gene[kept], minlength=len(table.genes))
    inside = np.bincount(table.gene[result.cell > 0], minlength=len(table.genes))
    share = np.divide(inside, every, out=np.zeros(len(every)), where=every > 0)
    var = pd.DataFrame(
        {"transcripts": every, "assigned_share": share.astype(np.float32)}, index=_index(table.genes)
    )
    cells = summary.cells.drop(columns="cell_id")
    cells.index = _index(result.names)
    for name in ("origin", "prior_id"):
        cells[name] = pd.Categorical(cells[name].astype(object).where(cells[name].notna(), ""))
    out = AnnData(X=summary.counts.astype(np.int32), obs=cells, var=var)
    out.layers["expected"] = result.expected.astype(np.float32)
    out.obsm["spatial"] = summary.cells[["x", "y"]].to_numpy(np.float32)
    out.uns["cellcarve"] = json.dumps(run.record, default=str)
    return out


def _index(names: list[str]) -> "np.ndarray":
    """Names as a plain object index, which every version of anndata reads."""
    import pandas as pd

    return pd.Index(np.array(names, dtype=object))
