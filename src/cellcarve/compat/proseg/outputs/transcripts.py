"""The table of transcripts."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cellcarve.compat.proseg.outputs.tables import full
from cellcarve.data import flat
from cellcarve.data.arrow import as_column, as_text
from cellcarve.data.table import Table
from cellcarve.voxels.result import VoxelRun

ROWS_AT_ONCE = 1 << 17


def transcript_batches(
    run: VoxelRun, table: Table, extra: tuple[str, ...] = ("qv",)
) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
    """The transcripts that took part, in input order.

    Parameters
    ----------
    run
        A finished chain.
    table
        What it read.
    extra
        Columns beyond the oldest ones: ``"qv"`` and ``"probability"``.

    Returns
    -------
    schema, batches
        ``transcript_id`` (uint64; text where the input has text), ``qv`` (float32, infinite where the input told
        none), ``x``, ``y``, ``z`` (float32, where the transcript was made: µm and normalised depth),
        ``observed_x``, ``observed_y``, ``observed_z`` (where it was seen), ``gene`` (dictionary), ``assignment``
        (uint32 cell counted from 0, null = background), ``background`` (bool) and ``probability`` (float32, of the
        assignment, or of being background).
    """
    genes = as_text(run.genes)
    ids = _ids(table.ids)

    def batch(first: int) -> pa.RecordBatch:
        return _batch(run, table, (ids, genes, extra), slice(first, first + ROWS_AT_ONCE))

    schema = _batch(run, table, (ids, genes, extra), slice(0, 0)).schema
    return schema, _relaxed(batch(first) for first in range(0, len(run.row), ROWS_AT_ONCE))


def _relaxed(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The batches; what they were made of may lie in files, and takes no memory longer than they do."""
    for batch in batches:
        flat.relax()
        yield batch


def _ids(ids: pa.Array) -> pa.Array:
    """Ids as unsigned numbers where they are numbers that can be; as text otherwise."""
    if pa.types.is_null(ids.type):
        return ids.cast(pa.uint64())
    if pa.types.is_integer(ids.type) and (len(ids) == ids.null_count or pc.min(ids).as_py() >= 0):
        return ids.cast(pa.uint64())
    return ids.cast(pa.string())


def _batch(
    run: VoxelRun, table: Table, told: tuple[pa.Array, pa.Array, tuple[str, ...]], part: slice
) -> pa.RecordBatch:
    ids, genes, wanted = told
    row = run.row[part]
    columns: dict[str, object] = {"transcript_id": ids.take(as_column(row))}
    if "qv" in wanted:
        unknown = np.full(len(row), np.inf, np.float32)
        columns["qv"] = unknown if table.quality is None else table.quality[row].astype(np.float32)
    columns |= dict(zip("xyz", run.lies(part), strict=True))
    columns |= {f"observed_{axis}": getattr(run, axis)[part].astype(np.float32) for axis in "xyz"}
    columns["gene"] = pa.DictionaryArray.from_arrays(as_column(run.gene[part].astype(np.int32)), genes)
    cell = run.cell[part].astype(np.int64)
    columns["assignment"] = as_column((cell - 1).astype(np.uint32), cell == 0)
    columns["background"] = cell == 0
    if "probability" in wanted:
        columns["probability"] = run.probability[part].astype(np.float32)
    return full(columns, ("transcript_id", "qv", "assignment"))
