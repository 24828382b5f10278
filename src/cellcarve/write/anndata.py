"""``counts.h5ad``: cells by genes."""

import json
from typing import TYPE_CHECKING

import numpy as np

from cellcarve.data.result import Run

if TYPE_CHECKING:
    import pandas as pd
    from anndata import AnnData


def anndata_of(run: Run) -> "AnnData":
    """Counts of a run.

    Parameters
    ----------
    run
        A finished run of C cells and G genes.

    Returns
    -------
    AnnData
        ``X`` (C, G) int32 transcripts, ``layers["expected"]`` float32 expected counts, ``obs`` the table of
        cells by ``cell_id``, ``obsm["spatial"]`` (C, 2) float32 centroids in µm, ``var`` the kept transcripts
        of each gene and the share of them that lies in cells, ``uns["cellcarve"]`` the record as JSON text.
    """
    from anndata import AnnData

    # Copies: what people do to their counts must not reach the run.
    out = AnnData(X=run.summary.counts.astype(np.int32), obs=_cells(run), var=_genes(run))
    out.layers["expected"] = run.segmentation.expected.astype(np.float32)
    out.obsm["spatial"] = run.summary.cells[["x", "y"]].to_numpy(np.float32)
    out.uns["cellcarve"] = json.dumps(run.record, default=str)
    return out


def _cells(run: Run) -> "pd.DataFrame":
    """The table of cells with text as categories, which readers of every age understand."""
    import pandas as pd

    cells = run.summary.cells.drop(columns="cell_id")
    cells.index = _index(run.segmentation.names)
    for name in ("origin", "prior_id"):
        text = cells[name].astype(object)
        cells[name] = pd.Categorical(text.where(text.notna(), ""))
    return cells


def _genes(run: Run) -> "pd.DataFrame":
    import pandas as pd

    table, genes = run.table, len(run.table.genes)
    kept = np.bincount(table.gene[table.status == 0], minlength=genes)
    held = np.bincount(table.gene[run.segmentation.cell > 0], minlength=genes)
    share = (held / np.maximum(kept, 1)).astype(np.float32)
    return pd.DataFrame({"transcripts": kept, "assigned_share": share}, index=_index(table.genes))


def _index(names: list[str]) -> "pd.Index":
    """Names as plain objects: newer string types would be written in a form that older readers lack."""
    import pandas as pd

    return pd.Index(np.array(names, object), dtype=object)
