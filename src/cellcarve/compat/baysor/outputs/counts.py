"""``segmentation_counts``: molecules per gene and cell, as loom, tsv or h5ad."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_matrix

from cellcarve.compat.baysor.outputs.loom import write_loom

if TYPE_CHECKING:
    import pandas as pd

_GENES = 64


def write_counts(path: Path, form: str, counts: csr_matrix, genes: list[str], stats: "pd.DataFrame") -> None:
    """Write the counts in one form.

    Parameters
    ----------
    path
        The file.
    form
        ``"loom"``, ``"tsv"`` or ``"h5ad"``.
    counts
        (C, G) molecules per cell and gene.
    genes
        G names.
    stats
        Table of the C cells.

    Raises
    ------
    OSError
        The file cannot be written.
    """
    writers = {"loom": _loom, "tsv": _tsv, "h5ad": _h5ad}
    writers[form](path, counts, genes, stats)


def _loom(path: Path, counts: csr_matrix, genes: list[str], stats: "pd.DataFrame") -> None:
    cells = {"CellID": np.arange(1.0, len(stats) + 1), "Name": stats["cell"].to_numpy(object)}
    cells |= {name: stats[name].to_numpy() for name in stats.columns if name != "cell"}
    write_loom(path, csr_matrix(counts.T).astype(np.int64), {"Name": np.array(genes, object)}, cells)


def _tsv(path: Path, counts: csr_matrix, genes: list[str], stats: "pd.DataFrame") -> None:
    """A dense row per gene, some genes at a time."""
    import pandas as pd

    names = stats["cell"].tolist()
    by_gene = csr_matrix(counts.T)
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write("\t".join(["gene", *names]) + "\n")
        for top in range(0, len(genes), _GENES):
            block = pd.DataFrame(by_gene[top : top + _GENES].toarray(), index=genes[top : top + _GENES])
            block.to_csv(file, sep="\t", header=False, lineterminator="\n")


def _h5ad(path: Path, counts: csr_matrix, genes: list[str], stats: "pd.DataFrame") -> None:
    import anndata
    import pandas as pd

    cells = stats.set_index("cell")
    made = anndata.AnnData(
        counts.astype(np.int32), obs=cells, var=pd.DataFrame(index=pd.Index(genes, name="gene"))
    )
    made.obs["CellID"] = np.arange(1, len(stats) + 1)
    axes = [axis for axis in ("x", "y", "z") if axis in cells]
    made.obsm["spatial"] = cells[axes].to_numpy(np.float64)
    made.write_h5ad(path, compression="gzip")
