"""The table of genes, and those of the factors that genes share."""

from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa

from cellcarve.compat.proseg.outputs.tables import full
from cellcarve.data.arrow import as_column, as_text
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
        "gene": as_text(run.genes),
        "total_count": run.gene_total.astype(np.uint64),
        "expected_assigned_count": run.gene_expected.astype(np.float32),
    }
    _, layers, strata = run.background_rate.shape
    for stratum in range(strata):
        for layer in range(layers):
            rate = run.background_rate[:, layer, stratum]
            columns[f"λ_bg_{stratum}_{layer}"] = np.ascontiguousarray(rate, np.float32)
    return full(columns)


def metagene_rates(run: VoxelRun, at_once: int) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
    """How strongly each cell (rows) uses each of the K factors: columns ``phi0`` .. ``phi{K - 1}``, float32.

    The first factors are the genes that are modelled one by one.
    """
    schema = _wide(f"phi{k}" for k in range(run.latent.shape[1]))
    return schema, (_block(schema, block) for block in phi(run, at_once))


def phi(run: VoxelRun, at_once: int) -> Iterator[np.ndarray]:
    """Blocks of `at_once` rows of cells by factors, float32."""
    return (phi_rows(run, first, last) for first, last in _blocks(len(run.names), at_once))


def theta(run: VoxelRun, at_once: int) -> Iterator[np.ndarray]:
    """Blocks of `at_once` rows of genes by factors, float32."""
    return (_theta(run, first, last) for first, last in _blocks(len(run.genes), at_once))


def rates(run: VoxelRun, at_once: int) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
    """Poisson rate of each gene (columns, float32 per µm² of volume) in each cell (rows)."""
    schema, blocks = _wide(run.genes), _blocks(len(run.names), at_once)
    return schema, (_block(schema, rate_rows(run, first, last)) for first, last in blocks)


def counts(run: VoxelRun, at_once: int) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
    """Transcripts of each gene (columns, int32) in each cell (rows)."""
    schema = pa.schema([pa.field(name, pa.int32(), False) for name in run.genes])
    blocks = _blocks(len(run.names), at_once)
    return schema, (_block(schema, run.counts[a:b].toarray().astype(np.int32)) for a, b in blocks)


def metagene_loadings(run: VoxelRun, at_once: int) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
    """How each gene (rows) is made of the K factors: ``gene`` and ``theta0`` .. ``theta{K - 1}``, float32.

    A gene that is modelled by itself is its own factor.
    """
    numbers = _wide(f"theta{k}" for k in range(run.latent.shape[1]))
    schema = numbers.insert(0, pa.field("gene", pa.string(), False))

    def batch(first: int, last: int) -> pa.RecordBatch:
        columns = _block(numbers, _theta(run, first, last)).columns
        return pa.RecordBatch.from_arrays([as_text(run.genes[first:last]), *columns], schema=schema)

    return schema, (batch(first, last) for first, last in _blocks(len(run.genes), at_once))


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


def _wide(names: Iterable[str]) -> pa.Schema:
    return pa.schema([pa.field(name, pa.float32(), False) for name in names])


def _block(schema: pa.Schema, values: np.ndarray) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays(
        [as_column(column) for column in np.ascontiguousarray(values.T)], schema=schema
    )


def _blocks(rows: int, at_once: int) -> Iterator[tuple[int, int]]:
    return ((first, min(first + at_once, rows)) for first in range(0, rows, max(at_once, 1)))
