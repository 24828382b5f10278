"""``transcripts.parquet``: one row per input row, in input order."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from cellcarve.data import flat
from cellcarve.data.result import Run
from cellcarve.data.table import STATUS_NAMES

ROWS_AT_ONCE = 1_000_000


def transcripts_of(run: Run, part: slice = slice(None)) -> pa.Table:
    """The input rows as a table; text columns are dictionaries.

    Parameters
    ----------
    run
        A finished run.
    part
        Which rows; all by default.

    Returns
    -------
    pyarrow.Table
        Rows in input order: ``transcript_id``, ``gene``, ``x``, ``y`` (float32, µm), ``cell_id`` (null = in no
        cell), ``best_cell`` (the likeliest cell, also where it is not sure enough to be given),
        ``probability`` (float32, that `best_cell` is right), ``runner_up`` (null = none), ``background`` and
        ``status``; where the input had them ``z``, ``qv``, ``fov`` and ``instrument_cell``; with a prior
        ``prior_cell`` and ``prior_core``.
    """
    return pa.Table.from_batches([_batch(run, part)])


def write_transcripts(run: Run, path: Path) -> None:
    """Write the table of `transcripts_of`, a million rows at a time.

    Parameters
    ----------
    run
        A finished run.
    path
        The Parquet file to make.

    Raises
    ------
    OSError
        It cannot be written.
    """
    schema = _schema(run)
    # Ids and positions hardly repeat: to look for repetitions costs time and saves nothing.
    text = [field.name for field in schema if pa.types.is_dictionary(field.type)]
    with pq.ParquetWriter(path, schema, compression="zstd", use_dictionary=text) as writer:
        for batch in _batches(run):
            writer.write_batch(batch)
            flat.relax()


def _schema(run: Run) -> pa.Schema:
    """The columns, told the way pandas tells them.

    Without that, Dask takes categories that it has not seen for few, and cannot write again what it has read.
    """
    empty = _batch(run, slice(0, 0))
    told = pa.Schema.from_pandas(empty.to_pandas(), preserve_index=False).metadata
    return empty.schema.with_metadata(told)


def _batches(run: Run) -> Iterator[pa.RecordBatch]:
    for first in range(0, len(run.table), ROWS_AT_ONCE):
        yield _batch(run, slice(first, first + ROWS_AT_ONCE))


def _batch(run: Run, part: slice) -> pa.RecordBatch:
    """Some of the rows."""
    table, prior, result = run.table, run.prior, run.segmentation
    columns: dict[str, pa.Array] = {"transcript_id": table.ids[part]}
    columns["gene"] = _words(table.gene[part] + 1, table.genes)
    columns |= {"x": pa.array(table.x[part]), "y": pa.array(table.y[part])}
    if table.z is not None:
        columns["z"] = pa.array(table.z[part])
    columns["cell_id"] = _words(result.cell[part], result.names)
    columns["best_cell"] = _words(result.best[part], result.names)
    columns["probability"] = pa.array(result.probability[part])
    columns["runner_up"] = _words(result.runner_up[part], result.names)
    columns["background"] = pa.array(result.background[part])
    columns["status"] = _words(table.status[part].astype(np.int32) + 1, STATUS_NAMES)
    if table.quality is not None:
        columns["qv"] = pa.array(table.quality[part])
    if table.fov is not None:
        columns["fov"] = _words(table.fov[part] + 1, table.fovs)
    if table.cell_names:
        columns["instrument_cell"] = _words(table.cell[part], table.cell_names)
    if prior.names:
        columns["prior_cell"] = _words(prior.cell[part], prior.names)
        columns["prior_core"] = pa.array(prior.core[part])
    return pa.RecordBatch.from_pydict(columns)


def _words(code: np.ndarray, words: "list[str] | tuple[str, ...]") -> pa.DictionaryArray:
    """Codes (0 = null, else index plus one) as words; only words that occur are kept.

    A large tissue has far more cells than a batch touches, and every batch stores its dictionary.
    """
    occurs = np.zeros(len(words) + 1, bool)
    occurs[code] = True
    occurs[0] = False
    place = np.cumsum(occurs, dtype=np.int32) - 1
    kept = pa.array([words[i] for i in np.flatnonzero(occurs[1:])], pa.string())
    return pa.DictionaryArray.from_arrays(pa.array(place[code], mask=code == 0), kept)
