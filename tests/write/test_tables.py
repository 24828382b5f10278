"""Tables and counts: nothing is lost, nothing is moved, and others read them."""

import json

import anndata
import geopandas
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cellcarve.data.table import STATUS_NAMES
from cellcarve.progress import Silent
from cellcarve.write import anndata_of, boundaries_of, transcripts, transcripts_of, write_run


def words(code, names):
    """What a column of codes must read as, one word at a time."""
    return [names[c - 1] if c else None for c in code]


def check_rows(rows, run):
    table, prior, result = run.table, run.prior, run.segmentation
    assert rows["transcript_id"].to_pylist() == table.ids.to_pylist()
    assert rows["gene"].to_pylist() == [table.genes[g] for g in table.gene]
    assert rows["cell_id"].to_pylist() == words(result.cell, result.names)
    assert rows["best_cell"].to_pylist() == words(result.best, result.names)
    assert rows["runner_up"].to_pylist() == words(result.runner_up, result.names)
    assert rows["status"].to_pylist() == [STATUS_NAMES[s] for s in table.status]
    assert rows["background"].to_pylist() == result.background.tolist()
    for name, values in {"x": table.x, "y": table.y, "probability": result.probability}.items():
        assert rows.schema.field(name).type == pa.float32()
        np.testing.assert_array_equal(rows[name].to_numpy(), values)
    asked = {"z": table.z, "qv": table.quality, "fov": table.fov}
    assert {name for name in asked if name in rows.column_names} == {
        k for k, v in asked.items() if v is not None
    }
    assert ("instrument_cell" in rows.column_names) == bool(table.cell_names)
    if prior.names:
        assert rows["prior_cell"].to_pylist() == words(prior.cell, prior.names)
        assert rows["prior_core"].to_pylist() == prior.core.tolist()
        assert rows["instrument_cell"].to_pylist() == words(table.cell, table.cell_names)
        assert rows["fov"].to_pylist() == [table.fovs[f] for f in table.fov]


def test_every_row_is_there_once_and_in_order(written):
    check_rows(pq.read_table(written.folder / "transcripts.parquet"), written.run)
    check_rows(transcripts_of(written.run), written.run)


def test_rows_do_not_depend_on_the_batches(made, tmp_path, monkeypatch):
    monkeypatch.setattr(transcripts, "ROWS_AT_ONCE", 37)
    run = made()
    transcripts.write_transcripts(run, tmp_path / "rows.parquet")
    assert pq.ParquetFile(tmp_path / "rows.parquet").num_row_groups == -(-900 // 37)
    check_rows(pq.read_table(tmp_path / "rows.parquet"), run)


def test_counts_are_the_transcripts_with_a_cell(written):
    counts = anndata.read_h5ad(written.folder / "counts.h5ad")
    rows = pq.read_table(written.folder / "transcripts.parquet").to_pandas()
    held = rows[rows.cell_id.notna()]
    truth = held.groupby(["cell_id", "gene"], observed=True).size()
    assert counts.X.dtype == np.int32
    assert counts.X.sum() == len(held)
    for (cell, gene), number in truth.items():
        assert counts[cell, gene].X.toarray()[0, 0] == number
    sure = rows[rows.best_cell.notna()].groupby("best_cell", observed=True).probability.sum()
    expected = np.asarray(counts.layers["expected"].sum(axis=1)).ravel()
    assert counts.layers["expected"].dtype == np.float32
    np.testing.assert_allclose(expected, sure.reindex(counts.obs_names), rtol=1e-5)


def test_genes_and_cells_of_the_counts(written):
    counts = anndata.read_h5ad(written.folder / "counts.h5ad")
    rows = pq.read_table(written.folder / "transcripts.parquet").to_pandas()
    kept = rows[rows.status == "kept"].groupby("gene", observed=False)
    number = kept.size().reindex(counts.var_names)
    np.testing.assert_array_equal(counts.var.transcripts, number)
    held = kept.cell_id.count().reindex(counts.var_names)
    np.testing.assert_allclose(counts.var.assigned_share, held / number, rtol=1e-6)
    cells = pq.read_table(written.folder / "cells.parquet").to_pandas()
    assert counts.obs_names.tolist() == cells.cell_id.tolist() == written.run.segmentation.names
    assert counts.obs.prior_id.tolist() == cells.prior_id.fillna("").tolist()
    np.testing.assert_array_equal(counts.obsm["spatial"], cells[["x", "y"]])
    assert json.loads(counts.uns["cellcarve"])["seed"] == 1


def test_ids_are_text_even_where_there_are_none(written):
    schema = pq.read_schema(written.folder / "cells.parquet")
    assert schema.field("prior_id").type == pa.string()


def test_boundaries_are_the_outlines(written):
    run, frame = written.run, geopandas.read_parquet(written.folder / "boundaries.parquet")
    assert frame.is_valid.all()
    assert frame.cell_id.tolist() == words(run.summary.outlines.cell, run.segmentation.names)
    np.testing.assert_allclose(frame.area, 64)
    middle = run.summary.cells.set_index("cell_id").loc[frame.cell_id]
    np.testing.assert_allclose(frame.centroid.x, middle.x, rtol=1e-6)
    np.testing.assert_allclose(frame.centroid.y, middle.y, rtol=1e-6)
    assert boundaries_of(run).geom_equals_exact(frame, 0).all()


def test_boundaries_of_layers_and_prior(written):
    layers, prior = written.folder / "boundaries_layers.parquet", written.folder / "prior_boundaries.parquet"
    if not written.run.summary.layers:
        assert not layers.exists()
        assert not prior.exists()
        return
    frame = geopandas.read_parquet(layers)
    assert frame.groupby("layer").size().to_dict() == {0: 29, 1: 28}
    np.testing.assert_allclose(frame.area, 36)
    frame = geopandas.read_parquet(prior)
    assert frame.cell_id.tolist() == written.run.prior.names
    np.testing.assert_allclose(frame.area, 16)


def test_record_is_written_last_with_times_and_memory(written):
    record = json.loads((written.folder / "run.json").read_text())
    assert [time["stage"] for time in record["timings"]] == ["write tables", "write SpatialData"]
    assert record["peak_memory"] > 2**20
    assert record == json.loads(json.dumps(written.run.record))
    latest = max(written.folder.iterdir(), key=lambda path: path.stat().st_mtime_ns)
    assert latest.name == "run.json"


def test_same_run_same_bytes(made, tmp_path):
    for name in ("a", "b"):
        write_run(made(rich=False), tmp_path / name, False, False, Silent())
    for name in ("transcripts.parquet", "cells.parquet", "boundaries.parquet"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


@pytest.mark.parametrize(("rows", "cells"), [(1, 1), (1, 0), (50, 0), (60, 1)])
@pytest.mark.parametrize("rich", [True, False])
def test_next_to_nothing_is_written_all_the_same(made, tmp_path, rows, cells, rich):
    from cellcarve.write import load_run

    run = made(rows=rows, cells=cells, rich=rich and cells > 0)
    write_run(run, tmp_path / "out", False, False, Silent())
    check_rows(pq.read_table(tmp_path / "out" / "transcripts.parquet"), run)
    assert anndata.read_h5ad(tmp_path / "out" / "counts.h5ad").shape == (cells, 12)
    assert len(load_run(tmp_path / "out").segmentation.names) == cells


def test_counts_in_scanpy(written):
    scanpy = pytest.importorskip("scanpy")
    counts = scanpy.read_h5ad(written.folder / "counts.h5ad")
    counts = counts[np.asarray(counts.X.sum(axis=1)).ravel() > 0].copy()
    counts.X = counts.X.astype(np.float32)
    scanpy.pp.normalize_total(counts, target_sum=100)
    np.testing.assert_allclose(np.asarray(counts.X.sum(axis=1)).ravel(), 100, rtol=1e-5)
    scanpy.pp.log1p(counts)
    scanpy.pp.pca(counts, n_comps=5)
    assert np.isfinite(counts.obsm["X_pca"]).all()


def test_neighbours_in_squidpy(written):
    squidpy = pytest.importorskip("squidpy")
    counts = anndata.read_h5ad(written.folder / "counts.h5ad")
    squidpy.gr.spatial_neighbors(counts, coord_type="generic", radius=12.5)
    # Cells stand on a grid of 6 by 5 with 12 µm between neighbours.
    assert counts.obsp["spatial_connectivities"].nnz == 2 * (5 * 5 + 6 * 4)


def test_result_in_memory_is_left_as_it_was(made):
    run = made()
    before = run.summary.cells.copy(), run.summary.counts.copy()
    anndata_of(run).X.data[:] = 0
    boundaries_of(run)
    assert run.summary.cells.equals(before[0])
    assert (run.summary.counts != before[1]).nnz == 0
