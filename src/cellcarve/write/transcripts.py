"""``transcripts.parquet``: one row per input row, in input order."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from cellcarve.data.result import Run
from cellcarve.data.table import STATUS_NAMES

_ROWS = 1 << 20


def transcripts_of(run: Run) -> pa.Table:
    """All rows as one Arrow table; text columns are dictionaries."""
    return pa.Table.from_batches(list(batches(run)))


def write_transcripts(run: Run, path: Path) -> None:
    """Write the table a million rows at a time."""
    writer = None
    try:
        for batch in batches(run):
            # Ids and positions hardly repeat: dictionaries of them would cost time and save nothing.
            plain = [
                f.name for f in batch.schema if not pa.types.is_floating(f.type) and f.name != "transcript_id"
            ]
            writer = writer or pq.ParquetWriter(path, batch.schema, compression="zstd", use_dictionary=plain)
            writer.write_batch(batch)
    finally:
        if writer is not None:
            writer.close()


def batches(run: Run) -> Iterator[pa.RecordBatch]:
    """The rows, a million at a time; at least one batch."""
    table, result = run.table, run.segmentation
    genes, cells = pa.array(table.genes, pa.string()), pa.array(result.names, pa.string())
    fovs, prior = pa.array(table.fovs, pa.string()), pa.array(run.prior.names, pa.string())
    status = pa.array(STATUS_NAMES, pa.string())
    for a in range(0, max(len(table), 1), _ROWS):
        part = slice(a, a + _ROWS)
        columns: dict[str, pa.Array] = {"transcript_id": table.ids[a : a + _ROWS]}
        columns["gene"] = _words(table.gene[part], genes)
        columns |= {"x": pa.array(table.x[part]), "y": pa.array(table.y[part])}
        if table.z is not None:
            columns["z"] = pa.array(table.z[part])
        columns["cell_id"] = _words(result.cell[part] - 1, cells)
        columns["probability"] = pa.array(result.probability[part])
        columns["runner_up"] = _words(result.runner_up[part] - 1, cells)
        columns["background"] = pa.array(result.background[part])
        columns["status"] = _words(table.status[part].astype(np.int32), status)
        if table.quality is not None:
            columns["qv"] = pa.array(table.quality[part])
        if table.fov is not None:
            columns["fov"] = _words(table.fov[part], fovs)
        if run.prior.names:
            columns["prior_cell"] = _words(run.prior.cell[part] - 1, prior)
            columns["prior_core"] = pa.array(run.prior.core[part])
        yield pa.RecordBatch.from_pydict(columns)


def _words(code: np.ndarray, words: pa.Array) -> pa.DictionaryArray:
    """Codes (below 0 = null) into words."""
    return pa.DictionaryArray.from_arrays(pa.array(code, mask=code < 0), words)
