"""The table of genes, and those of the factors that genes share."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from cellcarve.voxels.result import VoxelRun, phi_rows, rate_rows


def gene_table(run: VoxelRun) -> pa.RecordBatch:
    """One row per gene, in the chain's order.

    Parameters
    ----------
    run
        A finished chain of G genes, L layers and D strata of density.

    Returns
    -------
    RecordBatch
        ``gene``, ``total_count`` (uint64 transcripts), ``expected_assigned_count`` (float32) and a background rate
        (float32 per µm² and the section's thickness) ``λ_bg_{stratum}_{layer}`` for each stratum and layer.
    """
    columns = {
        "gene": pa.array(run.genes, pa.string()),
        "total_count": run.gene_total.astype(np.uint64),
        "expected_assigned_count": run.gene_expected.astype(np.float32),
    }
    _, layers, strata = run.background_rate.shape
    for stratum in range(strata):
        for layer in range(layers):
            rate = run.background_rate[:, layer, stratum]
            columns[f"λ_bg_{stratum}_{layer}"] = np.ascontiguousarray(rate, np.float32)
    return pa.RecordBatch.from_pydict(columns)


def metagene_rates(run: VoxelRun, at_once: int) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
    """How strongly each cell (rows) uses each of the K factors: columns ``phi0`` .. ``phi{K - 1}``, float32.

    The first factors are the genes that are modelled one by one.
    """
    names = [f"phi{k}" for k in range(run.latent.shape[1])]
    return _wide(names), (
        _block(names, phi_rows(run, first, last)) for first, last in _blocks(len(run.names), at_once)
    )


def rates(run: VoxelRun, at_once: int) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
    """Poisson rate of each gene (columns, float32 per µm² of volume) in each cell (rows)."""
    return _wide(run.genes), (
        _block(run.genes, rate_rows(run, first, last)) for first, last in _blocks(len(run.names), at_once)
    )


def counts(run: VoxelRun, at_once: int) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
    """Transcripts of each gene (columns, int32) in each cell (rows)."""
    schema = pa.schema([(name, pa.int32()) for name in run.genes])
    return schema, (
        _block(run.genes, run.counts[first:last].toarray().astype(np.int32))
        for first, last in _blocks(len(run.names), at_once)
    )


def metagene_loadings(run: VoxelRun, at_once: int) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
    """How each gene (rows) is made of the K factors: ``gene`` and ``theta0`` .. ``theta{K - 1}``, float32.

    A gene that is modelled by itself is its own factor.
    """
    names = [f"theta{k}" for k in range(run.latent.shape[1])]
    schema = _wide(names).insert(0, pa.field("gene", pa.string()))

    def blocks() -> Iterator[pa.RecordBatch]:
        for first, last in _blocks(len(run.genes), at_once):
            told = pa.array(run.genes[first:last], pa.string())
            yield _block(names, _theta(run, first, last)).add_column(0, "gene", told)

    return schema, blocks()


def _theta(run: VoxelRun, first: int, last: int) -> np.ndarray:
    """Loadings of genes `first` .. `last` - 1."""
    factors = run.loadings.shape[0]
    alone = run.latent.shape[1] - factors
    theta = np.zeros((last - first, alone + factors), np.float32)
    own = np.arange(first, min(last, alone))
    theta[own - first, own] = 1
    if factors and last > alone:
        begin = max(first, alone)
        theta[begin - first :, alone:] = run.loadings[:, begin - alone : last - alone].T
    return theta


def _wide(names: list[str]) -> pa.Schema:
    return pa.schema([(name, pa.float32()) for name in names])


def _block(names: list[str], values: np.ndarray) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays(
        [pa.array(column) for column in np.ascontiguousarray(values.T)], names=names
    )


def _blocks(rows: int, at_once: int) -> Iterator[tuple[int, int]]:
    return ((first, min(first + at_once, rows)) for first in range(0, rows, max(at_once, 1)))
