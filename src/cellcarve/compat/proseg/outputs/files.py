"""Write what was asked for."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
from scipy.sparse import coo_matrix

from cellcarve.compat.proseg.command import VERSION
from cellcarve.compat.proseg.options import Options
from cellcarve.compat.proseg.outputs import genes
from cellcarve.compat.proseg.outputs.cells import cell_table
from cellcarve.compat.proseg.outputs.check import check_outputs, wanted
from cellcarve.compat.proseg.outputs.columns import Columns, consensus, union
from cellcarve.compat.proseg.outputs.geojson import write_features
from cellcarve.compat.proseg.outputs.masks import write_masks
from cellcarve.compat.proseg.outputs.matrix import write_matrix
from cellcarve.compat.proseg.outputs.polygons import column_polygons, layer_polygons
from cellcarve.compat.proseg.outputs.store import Told, write_store
from cellcarve.compat.proseg.outputs.tables import format_of, write_table
from cellcarve.compat.proseg.outputs.transcripts import transcript_batches
from cellcarve.compat.proseg.outputs.voxel_counts import write_voxel_counts
from cellcarve.data.table import Table
from cellcarve.staged import staged
from cellcarve.voxels.result import VoxelRun

# The oldest version, as `--compat` names them, that tells the quality of transcripts, and factors in the store.
MODERN = "3.2"

Rows = tuple[pa.Schema, Iterable[pa.RecordBatch]]


def write(run: VoxelRun, table: Table, options: Options, seconds: float = 0.0) -> list[Path]:
    """Write the store and every file that the options name.

    All are written beside their places first and renamed when the last is whole: a run that fails leaves an
    earlier result as it was.

    Parameters
    ----------
    run
        A finished chain.
    table
        What it read.
    options
        The whole command line.
    seconds
        How long the run took.

    Returns
    -------
    list of Path
        What was written, the store first.

    Raises
    ------
    OutputError, SettingsError
        As `check_outputs`; or the disk is full.
    """
    output = options.output
    check_outputs(output)
    if options.inputs.transcript_id_column is None:
        # Row numbers would pass for the instrument's ids.
        table = replace(table, ids=pa.nulls(len(table), pa.uint64()))
    shown = average(run) if options.model.best else run
    modern = options.model.compat >= MODERN
    extra: tuple[str, ...] = ("qv",) if modern else ()
    extra += ("probability",) if options.model.best else ()
    columns = union(shown)
    agreed = consensus(shown, columns)
    polygons = column_polygons(shown, agreed)
    words = " ".join(("proseg", *options.arguments))
    held = None if output.exclude_spatialdata_transcripts else extra
    told = Told(VERSION, words, seconds, held, output.cells_per_chunk if modern else 0)
    tables = _tables(shown, table, output.cells_per_chunk, extra)
    others = _others(shown, columns, agreed, polygons)
    store, files = output.path(output.output_spatialdata), wanted(output)
    with staged() as stage:
        write_store(stage.place(store), shown, table, polygons, told)
        for name, file in files.items():
            kind = getattr(output, f"{name}_fmt", "infer")
            if name in others and kind == "infer":
                others[name](stage.place(file))
            else:
                write_table(stage.place(file), format_of(file, kind), *tables[name]())
    return [store, *files.values()]


def average(run: VoxelRun) -> VoxelRun:
    """The same chain with the soft answer over its recorded sweeps in the place of the last state."""
    cell = np.where(run.kept, run.best, 0).astype(np.int32)
    held = np.flatnonzero(cell)
    one = np.ones(len(held), np.int32)
    shape = (len(run.names), len(run.genes))
    counts = coo_matrix((one, (cell[held] - 1, run.gene[held])), shape).tocsr()
    counts.sum_duplicates()
    return replace(run, cell=cell, background=cell == 0, counts=counts, expected=run.weighted)


def _tables(
    run: VoxelRun, table: Table, at_once: int, extra: tuple[str, ...]
) -> dict[str, Callable[[], Rows]]:
    """What makes the rows of each table, by its option."""
    return {
        "output_cell_metadata": lambda: _whole(cell_table(run)),
        "output_transcript_metadata": lambda: transcript_batches(run, table, extra),
        "output_gene_metadata": lambda: _whole(genes.gene_table(run)),
        "output_metagene_rates": lambda: genes.metagene_rates(run, at_once),
        "output_metagene_loadings": lambda: genes.metagene_loadings(run, at_once),
        "output_rates": lambda: genes.rates(run, at_once),
        "output_counts": lambda: genes.counts(run, at_once),
    }


def _others(
    run: VoxelRun, columns: Columns, agreed: Columns, polygons: np.ndarray
) -> dict[str, Callable[[Path], None]]:
    """What writes each of the other files, by its option."""
    cell = np.arange(len(run.names))

    def layers(path: Path) -> None:
        cell, layer, shapes = layer_polygons(run)
        write_features(path, {"cell": cell, "layer": layer}, shapes)

    return {
        "output_counts": lambda path: write_matrix(path, run.counts),
        "output_expected_counts": lambda path: write_matrix(path, run.expected),
        "output_cell_polygons": lambda path: write_features(path, {"cell": cell}, polygons),
        "output_union_cell_polygons": lambda path: write_features(
            path, {"cell": cell}, column_polygons(run, columns)
        ),
        "output_cell_polygon_layers": layers,
        "output_voxel_counts": lambda path: write_voxel_counts(path, run),
        "output_cell_masks": lambda path: write_masks(path, run, agreed),
    }


def _whole(batch: pa.RecordBatch) -> Rows:
    return batch.schema, [batch]
