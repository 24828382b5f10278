"""Every file that is written, through the readers that people use."""

import gzip
import json
from dataclasses import replace
from pathlib import Path

import anndata
import geopandas
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import scipy.io
import spatialdata
import tifffile
from scipy.sparse import csr_matrix

from cellcarve.compat.proseg.options import InputOptions, ModelOptions, Options, OutputOptions
from cellcarve.compat.proseg.outputs import check_outputs, write
from cellcarve.compat.proseg.to_baysor import to_baysor
from cellcarve.convert.ranger import check
from cellcarve.errors import OutputError, SettingsError

ALL = {
    "output_counts": "counts.mtx.gz",
    "output_expected_counts": "expected.mtx.gz",
    "output_cell_metadata": "cells.csv.gz",
    "output_transcript_metadata": "transcripts.parquet",
    "output_gene_metadata": "genes.csv",
    "output_metagene_rates": "phi.parquet",
    "output_metagene_loadings": "theta.csv",
    "output_rates": "rates.parquet",
    "output_cell_polygons": "cells.geojson.gz",
    "output_union_cell_polygons": "union.geojson.gz",
    "output_cell_polygon_layers": "layers.geojson.gz",
    "output_voxel_counts": "voxels.csv.gz",
    "output_cell_masks": "cells.tif",
}


def options(folder, names=ALL, model=None, **more):
    given = {name: Path(file) for name, file in names.items()}
    output = OutputOptions(output_path=folder, **given, **more)
    parts = {
        "inputs": InputOptions(transcript_id_column="id"),
        "model": model or ModelOptions(),
        "output": output,
    }
    return Options(Path("in.csv"), **parts, arguments=("in.csv", "--xenium"))


def shapes(path):
    with gzip.open(path) as file:
        return geopandas.read_file(file)


@pytest.fixture
def written(chain, tmp_path):
    write(*chain, options(tmp_path))
    return tmp_path


def test_counts_are_those_of_the_chain(written, chain):
    run, _ = chain
    assert (scipy.io.mmread(written / "counts.mtx.gz").tocsr() != run.counts).nnz == 0
    expected = scipy.io.mmread(written / "expected.mtx.gz").toarray()
    np.testing.assert_array_equal(expected.astype(np.float32), run.expected.toarray())


def test_tally_of_transcripts_is_the_counts(written, chain):
    run, _ = chain
    rows = pd.read_parquet(written / "transcripts.parquet")
    assert (rows["assignment"].isna() == rows["background"]).all()
    held = rows[~rows["background"]]
    tally = pd.crosstab(held["assignment"].astype(int), held["gene"].astype(str))
    counts = pd.DataFrame(run.counts.toarray(), columns=run.genes)
    full = tally.reindex(index=counts.index, columns=counts.columns, fill_value=0)
    assert (full.to_numpy() == counts.to_numpy()).all()


def test_transcripts_keep_order_ids_and_quality(written, chain):
    run, table = chain
    rows = pq.read_table(written / "transcripts.parquet")
    assert rows["transcript_id"].to_pylist() == [table.ids[row].as_py() for row in run.row]
    np.testing.assert_array_equal(rows["qv"].to_numpy(), table.quality[run.row])
    np.testing.assert_array_equal(rows["observed_x"].to_numpy(), run.x)
    np.testing.assert_allclose(
        rows["x"].to_numpy() - rows["observed_x"].to_numpy(), run.moved[:, 0] * run.voxel_size, atol=1e-5
    )


def test_transcripts_without_ids_or_quality_say_so(chain, tmp_path):
    run, table = chain
    table.quality = None
    chosen = replace(options(tmp_path, {"output_transcript_metadata": "t.csv"}), inputs=InputOptions())
    write(run, table, chosen)
    assert all(line.startswith(",inf,") for line in (tmp_path / "t.csv").read_text().splitlines()[1:])
    part = tmp_path / "proseg-output.zarr/points/transcripts/points.parquet/part.0.parquet"
    assert pq.read_table(part)["transcript_id"].null_count == len(run.row)


def test_csv_and_parquet_say_the_same(chain, tmp_path):
    for file in ("t.csv", "t.csv.gz", "t.parquet"):
        write(*chain, options(tmp_path, {"output_transcript_metadata": file}, overwrite=True))
    plain, packed = pd.read_csv(tmp_path / "t.csv"), pd.read_csv(tmp_path / "t.csv.gz")
    pd.testing.assert_frame_equal(plain, packed)
    binary = pd.read_parquet(tmp_path / "t.parquet")
    assert (plain["transcript_id"] == binary["transcript_id"]).all()
    assert (plain["gene"] == binary["gene"].astype(str)).all()
    np.testing.assert_allclose(plain["x"], binary["x"], rtol=1e-6)
    np.testing.assert_array_equal(plain["assignment"], binary["assignment"])
    text = (tmp_path / "t.csv").read_text().splitlines()
    assert text[0] == "transcript_id,qv,x,y,z,observed_x,observed_y,observed_z,gene,assignment,background"
    assert any(line.endswith(",,true") for line in text)


def test_told_format_wins_over_the_ending(chain, tmp_path):
    more = {"output_cell_metadata_fmt": "parquet"}
    write(*chain, options(tmp_path, {"output_cell_metadata": "cells.csv"}, **more))
    assert pq.read_table(tmp_path / "cells.csv").num_rows == len(chain[0].names)


def test_genes_with_commas_survive_csv(chain, tmp_path):
    run, table = chain
    run.genes = ['a,b"c', *run.genes[1:]]
    names = {"output_gene_metadata": "g.csv", "output_transcript_metadata": "t.csv", "output_rates": "r.csv"}
    write(run, table, options(tmp_path, names))
    assert pd.read_csv(tmp_path / "g.csv")["gene"].tolist() == run.genes
    assert set(pd.read_csv(tmp_path / "t.csv")["gene"]) == set(run.genes)
    assert pd.read_csv(tmp_path / "r.csv").columns.tolist() == run.genes


def test_rates_are_factors_times_loadings(written, chain):
    run, _ = chain
    phi = pd.read_parquet(written / "phi.parquet").to_numpy()
    theta = pd.read_csv(written / "theta.csv")
    rates = pd.read_parquet(written / "rates.parquet")
    assert theta["gene"].tolist() == run.genes
    assert rates.columns.tolist() == run.genes
    np.testing.assert_allclose(rates, phi @ theta.drop(columns="gene").to_numpy().T, rtol=1e-4)


def test_chunks_of_cells_leave_no_seam(chain, tmp_path):
    names = {"output_rates": "r.csv", "output_metagene_loadings": "l.csv", "output_metagene_rates": "m.csv"}
    frames = []
    for at_once in (1, 2, 100):
        write(*chain, options(tmp_path, names, overwrite=True, cells_per_chunk=at_once))
        frames.append([pd.read_csv(tmp_path / file) for file in names.values()])
    for other in frames[1:]:
        for left, right in zip(frames[0], other, strict=True):
            pd.testing.assert_frame_equal(left, right, rtol=1e-5)


def test_background_rates_by_stratum_and_layer(written, chain):
    run, _ = chain
    genes = pd.read_csv(written / "genes.csv")
    for layer in range(run.layers):
        for stratum in range(run.background_rate.shape[2]):
            np.testing.assert_allclose(
                genes[f"λ_bg_{stratum}_{layer}"], run.background_rate[:, layer, stratum], rtol=1e-6
            )


def test_outlines_are_read_by_geopandas(written, chain):
    run, _ = chain
    for file in ("cells", "union", "layers"):
        frame = shapes(written / f"{file}.geojson.gz")
        assert frame.is_valid.all()
        assert set(frame["cell"]) == set(range(len(run.names)))
        assert set(frame.geom_type) == {"MultiPolygon"}
    assert shapes(written / "layers.geojson.gz")["layer"].max() == run.layers - 1


def test_voxel_counts_hold_every_transcript(written, chain):
    run, _ = chain
    voxels = pd.read_csv(written / "voxels.csv.gz")
    assert voxels["count"].sum() == len(run.row)
    per_gene = voxels.groupby("gene")["count"].sum()
    assert per_gene.to_dict() == dict(zip(run.genes, run.gene_total.tolist(), strict=True))
    np.testing.assert_allclose(
        (voxels["dx"] * voxels["count"]).sum(), run.moved[:, 0].sum() * run.voxel_size, rtol=1e-6
    )


def test_masks_show_the_consensus(written, chain):
    run, _ = chain
    image = tifffile.imread(written / "cells.tif")
    with tifffile.TiffFile(written / "cells.tif") as file:
        told = json.loads(file.pages[0].description)
    assert (image.shape, image.dtype) == (run.shape, np.uint32)
    assert told == {"pixel_size_um": run.voxel_size, "x0_um": run.x0, "y0_um": run.y0}
    area = np.bincount(image.ravel(), minlength=len(run.names) + 1)[1:] * run.voxel_size**2
    outlined = shapes(written / "cells.geojson.gz").area
    assert (area > 0).all()
    assert (outlined >= area - 1e-9).mean() > 0.8


def test_store_is_read_by_spatialdata(written, chain):
    run, _ = chain
    store = spatialdata.read_zarr(written / "proseg-output.zarr")
    assert (run.counts != store.tables["table"].X).nnz == 0
    assert store.tables["table"].uns["spatialdata_attrs"]["instance_key"] == "cell"
    assert len(store.points["transcripts"].compute()) == len(run.row)
    frame = store.shapes["cell_boundaries"]
    assert frame.crs is None
    assert frame.is_valid.all()
    element, table = spatialdata.join_spatialelement_table(
        sdata=store, spatial_element_names="cell_boundaries", table_name="table", how="inner"
    )
    assert len(element["cell_boundaries"]) == table.n_obs == len(run.names)


def test_table_is_read_by_anndata(written, chain):
    run, _ = chain
    table = anndata.read_zarr(written / "proseg-output.zarr/tables/table")
    assert table.obs_names.tolist() == [str(c) for c in range(len(run.names))]
    assert table.obs["original_cell_id"].tolist() == run.names
    assert not table.obs["region"].cat.ordered
    assert table.var_names.tolist() == run.genes
    assert (table.obsp["transition_counts"] != run.transitions).nnz == 0
    assert table.uns["proseg_run"]["args"] == "proseg in.csv --xenium"


def test_store_without_transcripts(chain, tmp_path):
    write(*chain, options(tmp_path, {}, exclude_spatialdata_transcripts=True))
    assert sorted(path.name for path in (tmp_path / "proseg-output.zarr/points").iterdir()) == [".zgroup"]
    assert not spatialdata.read_zarr(tmp_path / "proseg-output.zarr").points


def test_best_answer_goes_into_the_same_files(chain, tmp_path):
    run, table = chain
    write(run, table, options(tmp_path, model=ModelOptions(best=True)))
    rows = pd.read_parquet(tmp_path / "transcripts.parquet")
    kept = np.where(run.kept, run.best, 0)
    np.testing.assert_array_equal(rows["assignment"].fillna(-1).astype(int) + 1, kept)
    np.testing.assert_array_equal(rows["probability"], run.probability)
    counts = scipy.io.mmread(tmp_path / "counts.mtx.gz").toarray()
    assert counts.sum() == (kept > 0).sum()
    np.testing.assert_array_equal(counts.sum(1), np.bincount(kept, minlength=len(run.names) + 1)[1:])


def test_older_versions_tell_no_quality(chain, tmp_path):
    names = {"output_transcript_metadata": "t.csv"}
    write(*chain, options(tmp_path, names, model=ModelOptions(compat="3.0")))
    assert "qv" not in pd.read_csv(tmp_path / "t.csv").columns


def test_counts_as_a_table_where_its_format_is_told(chain, tmp_path):
    run, table = chain
    write(run, table, options(tmp_path, {"output_counts": "c.csv"}, output_counts_fmt="csv"))
    np.testing.assert_array_equal(pd.read_csv(tmp_path / "c.csv").to_numpy(), run.counts.toarray())


@pytest.mark.parametrize("silent", [False, True], ids=["some", "none"])
def test_one_cell_with_and_without_transcripts(make_chain, tmp_path, silent):
    label = np.zeros((2, 6, 6), np.int32)
    label[:, 2:4, 2:5] = 1
    run, table = make_chain(label, np.random.default_rng(0), 40)
    if silent:
        none = csr_matrix(run.counts.shape, dtype=np.int32)
        run = replace(
            run,
            cell=0 * run.cell,
            background=np.ones(40, bool),
            counts=none,
            expected=none.astype(np.float32),
        )
    write(run, table, options(tmp_path))
    store = spatialdata.read_zarr(tmp_path / "proseg-output.zarr")
    assert store.tables["table"].X.sum() == run.counts.sum()
    assert scipy.io.mmread(tmp_path / "counts.mtx.gz").shape == (1, len(run.genes))
    assert shapes(tmp_path / "cells.geojson.gz").geometry[0].bounds == (11, -3, 12.5, -2)
    assert main_of(tmp_path) == (0 if silent else 1)


def main_of(folder):
    """Cells that the command for Xenium Ranger makes of a store."""
    to_baysor((folder / "proseg-output.zarr",), folder / "a.csv", folder / "a.geojson")
    assert check(folder / "a.csv", folder / "a.geojson") == []
    return len(json.loads((folder / "a.geojson").read_text())["geometries"])


def test_same_chain_same_bytes(chain, tmp_path):
    folders = [tmp_path / name for name in "ab"]
    for folder in folders:
        folder.mkdir()
        write(*chain, options(folder))
    for path in (p for p in folders[0].rglob("*") if p.is_file()):
        assert path.read_bytes() == (folders[1] / path.relative_to(folders[0])).read_bytes(), path


def test_failure_leaves_an_earlier_result_as_it_was(chain, tmp_path, monkeypatch):
    write(*chain, options(tmp_path))
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    full = OSError(28, "No space left on device")

    def fail(*_):
        raise full

    monkeypatch.setattr("cellcarve.compat.proseg.outputs.files.write_masks", fail)
    with pytest.raises(OutputError, match="No space left"):
        write(*chain, options(tmp_path, overwrite=True))
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before


def test_overwriting_leaves_nothing_beside(chain, tmp_path):
    for _ in range(2):
        write(*chain, options(tmp_path, overwrite=True))
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([*ALL.values(), "proseg-output.zarr"])


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ({"output_cell_metadata": "cells.tsv"}, "ending of"),
        ({"output_cell_metadata": "a.csv", "output_gene_metadata": "a.csv"}, "have the same name"),
        ({"output_cell_metadata": "nowhere/a.csv"}, "no folder"),
    ],
)
def test_outputs_that_cannot_be(tmp_path, names, message):
    with pytest.raises((SettingsError, OutputError), match=message):
        check_outputs(options(tmp_path, names).output)


def test_store_that_is_there_is_kept(tmp_path):
    store = tmp_path / "proseg-output.zarr"
    store.mkdir()
    with pytest.raises(OutputError, match="--overwrite"):
        check_outputs(options(tmp_path, {}).output)
    with pytest.raises(OutputError, match="no zarr store"):
        check_outputs(options(tmp_path, {}, overwrite=True).output)
