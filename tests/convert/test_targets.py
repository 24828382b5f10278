"""Every form, of a run of ours and of a store of proseg, through the readers that people use."""

import gzip
import json
import shutil
from pathlib import Path

import anndata
import geopandas
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import scanpy
import shapely
import spatialdata

import cellcarve
from cellcarve.convert import Pixels, load
from cellcarve.convert import convert as write
from cellcarve.convert.ranger import check
from cellcarve.errors import InputError, OutputError, SettingsError

REFERENCE = Path(__file__).parents[1] / "compat" / "reference"
PIXELS = Pixels(0.5, 2.0, -1.0)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    cellcarve.simulate(folder / "tissue", transcripts=1500, genes=25, per_cell=60, image=False)
    cellcarve.segment(folder / "tissue", output=folder / "result")
    return folder / "result"


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("store")
    shutil.unpack_archive(REFERENCE / "proseg-output.zarr.zip", folder)
    return folder / "proseg-output.zarr"


@pytest.fixture(scope="module", params=["run", "store"])
def source(request):
    return request.getfixturevalue(request.param)


def test_h5ad(source, tmp_path):
    finished = load(source)
    out, _ = write(source, "h5ad", tmp_path / "a.h5ad")
    table = anndata.read_h5ad(out)
    assert (table.X != finished.table.X).nnz == 0
    assert table.obsm["spatial"].shape == (finished.cells, 2)
    scanpy.pp.normalize_total(table)


def test_seurat_bundle(source, tmp_path):
    finished = load(source)
    out, _ = write(source, "seurat", tmp_path / "bundle")
    table = scanpy.read_10x_h5(out / "cell_feature_matrix.h5")
    assert table.var_names.tolist() == finished.table.var_names.tolist()
    assert table.obs_names.tolist() == finished.table.obs_names.tolist()
    assert (table.X != finished.table.X).nnz == 0
    folder = scanpy.read_10x_mtx(out / "cell_feature_matrix")
    assert (folder.X != table.X).nnz == 0
    cells = pd.read_csv(out / "cells.csv.gz", dtype={"cell_id": str})
    pd.testing.assert_frame_equal(cells, pd.read_parquet(out / "cells.parquet"), check_dtype=False)
    assert cells["cell_id"].astype(str).tolist() == finished.table.obs_names.tolist()
    assert (cells["transcript_counts"] == np.asarray(finished.table.X.sum(1)).ravel()).all()
    rings = pd.read_parquet(out / "cell_boundaries.parquet")
    assert rings.columns.tolist() == ["cell_id", "vertex_x", "vertex_y"]
    assert rings["cell_id"].nunique() == sum(shape is not None for shape in finished.polygon)


def test_seurat_transcripts_tally_with_counts(source, tmp_path):
    finished = load(source)
    out, _ = write(source, "seurat", tmp_path / "bundle")
    rows = pd.read_parquet(out / "transcripts.parquet")
    pd.testing.assert_frame_equal(
        rows, pd.read_csv(out / "transcripts.csv.gz", dtype={"cell_id": str}), check_dtype=False, rtol=1e-4
    )
    held = rows[rows["cell_id"] != "UNASSIGNED"]
    tally = held["cell_id"].value_counts().reindex(finished.table.obs_names, fill_value=0)
    assert (tally.to_numpy() == np.asarray(finished.table.X.sum(1)).ravel()).all()


def test_ranger_folder_breaks_no_rule(source, tmp_path):
    finished = load(source)
    out, step = write(source, "xenium-ranger", tmp_path / "ranger")
    assert check(out / "transcript-assignment.csv", out / "cell-polygons.geojson") == []
    assert check(out / "transcript-assignment.csv", out / "cells.geojson") == []
    assert f"--transcript-assignment={out}/transcript-assignment.csv" in step
    names = pd.read_csv(out / "cells.csv", dtype={"cell_id": str})
    assert (finished.table.obs_names[names["number"]] == names["cell_id"]).all()
    rows = pd.read_csv(out / "transcript-assignment.csv")
    assert set(rows["cell"].dropna()) == set(names["cell"])


def test_qupath(source, tmp_path):
    finished = load(source)
    out, _ = write(source, "qupath", tmp_path / "cells.geojson", pixels=PIXELS)
    tree = json.loads(out.read_text())
    assert len(tree["features"]) == sum(shape is not None for shape in finished.polygon)
    number = dict(zip(finished.table.obs_names, range(finished.cells), strict=True))
    held = np.asarray(finished.table.X.sum(1)).ravel()
    for feature in tree["features"]:
        told = feature["properties"]
        cell = number[told["name"]]
        assert told["objectType"] == "cell"
        assert told["measurements"]["Transcripts"] == held[cell]
        assert len(told["classification"]["color"]) == 3
        drawn = shapely.geometry.shape(feature["geometry"])
        assert drawn.area * 0.25 == pytest.approx(finished.polygon[cell].area, rel=0.05)
        x, y = finished.polygon[cell].centroid.coords[0]
        assert drawn.centroid.distance(shapely.Point((x - 2) / 0.5, (y + 1) / 0.5)) < 0.5
    assert len({feature["id"] for feature in tree["features"]}) == len(tree["features"])


def test_qupath_shows_the_nuclei_of_a_run(run, tmp_path):
    finished = load(run)
    out, _ = write(run, "qupath", tmp_path / "cells.geojson", pixels=PIXELS)
    features = json.loads(out.read_text())["features"]
    nuclei = [feature["nucleusGeometry"] for feature in features if feature["nucleusGeometry"]]
    assert len(nuclei) == sum(
        n is not None and p is not None for n, p in zip(finished.nucleus, finished.polygon, strict=True)
    )
    assert nuclei


def test_spatialdata(source, tmp_path):
    finished = load(source)
    out, _ = write(source, "spatialdata", tmp_path / "store.zarr")
    data = spatialdata.read_zarr(out)
    element, table = spatialdata.join_spatialelement_table(
        sdata=data, spatial_element_names="cell_boundaries", table_name="table", how="inner"
    )
    drawn = sum(shape is not None for shape in finished.polygon)
    assert len(element["cell_boundaries"]) == table.n_obs == drawn
    points = data.points["transcripts"].compute()
    assert len(points) == sum(len(batch["cell"]) for batch in finished.transcripts("cell"))
    seen = np.concatenate([batch["x"].to_numpy() for batch in finished.transcripts("x")])
    np.testing.assert_allclose(points["x"], seen)


@pytest.mark.parametrize("name", ["cells.geojson", "cells.geojson.gz"])
def test_geojson(source, tmp_path, name):
    finished = load(source)
    out, _ = write(source, "geojson", tmp_path / name)
    text = gzip.decompress(out.read_bytes()).decode() if name.endswith("gz") else out.read_text()
    frame = geopandas.read_file(text)
    drawn = np.array([shape is not None for shape in finished.polygon])
    assert frame["cell_id"].astype(str).tolist() == finished.table.obs_names[drawn].tolist()
    assert shapely.equals_exact(frame.geometry.to_numpy(), finished.polygon[drawn], 1e-6).all()


def test_names_that_json_must_escape(store, tmp_path):
    odd = ['a"b', "c\\d", "e\tf"]
    copy = shutil.copytree(store, tmp_path / "odd.zarr")
    finished = load(copy)
    finished.table.obs_names = [*odd, *finished.table.obs_names[len(odd) :]]
    from cellcarve.convert.geojson import write_geojson

    write_geojson(finished, tmp_path / "odd.geojson")
    told = [
        item["properties"]["cell_id"]
        for item in json.loads((tmp_path / "odd.geojson").read_text())["features"]
    ]
    assert told[: len(odd)] == odd


def test_default_name_is_that_of_the_source(store, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cellcarve.convert(store, "geojson") == Path("proseg-output.geojson")
    assert Path("proseg-output.geojson").is_file()


def test_nothing_is_replaced_unasked(store, tmp_path):
    out = tmp_path / "a.h5ad"
    out.write_text("mine")
    with pytest.raises(OutputError, match="--overwrite"):
        write(store, "h5ad", out)
    assert out.read_text() == "mine"
    write(store, "h5ad", out, overwrite=True)
    assert anndata.read_h5ad(out).n_obs == 10


def test_source_is_never_replaced(store):
    with pytest.raises(OutputError, match="holds what is to be converted"):
        write(store, "spatialdata", store, overwrite=True)


def test_what_cannot_be_converted(tmp_path, store):
    with pytest.raises(InputError, match=r"neither a finished run.*nor a store"):
        write(tmp_path, "h5ad", tmp_path / "a.h5ad")
    with pytest.raises(SettingsError, match="did you mean 'geojson'"):
        write(store, "geojsn")
    with pytest.raises(SettingsError, match="--pixel-size"):
        write(store, "qupath", tmp_path / "a")
    with pytest.raises(SettingsError, match="for --to qupath"):
        write(store, "h5ad", tmp_path / "a", pixels=PIXELS)
    with pytest.raises(SettingsError, match="--origin needs --pixel-size"):
        cellcarve.convert(store, "qupath", tmp_path / "a", origin=(0, 0))


def test_store_without_transcripts(store, tmp_path):
    copy = shutil.copytree(store, tmp_path / "bare.zarr")
    shutil.rmtree(copy / "points" / "transcripts")
    write(copy, "h5ad", tmp_path / "a.h5ad")
    for form in ("seurat", "xenium-ranger"):
        with pytest.raises(InputError, match="holds no transcripts"):
            write(copy, form, tmp_path / form)
        assert not (tmp_path / form).exists()


def test_store_of_a_run_is_the_run(run, tmp_path):
    told = []
    for name, source in (("run", run), ("store", run / "segmentation.zarr")):
        out, _ = write(source, "xenium-ranger", tmp_path / name)
        # The store lacks cells without an outline, so that numbers differ.
        called = pd.read_csv(out / "cells.csv", index_col="cell").cell_id
        rows = pd.read_csv(out / "transcript-assignment.csv")
        told.append(rows.assign(cell=rows.cell.map(called)))
    pd.testing.assert_frame_equal(*told)
    assert told[0].cell.notna().mean() > 0.5


def test_store_of_another_program(store, tmp_path):
    copy = shutil.copytree(store, tmp_path / "other.zarr")
    (part,) = (copy / "points/transcripts/points.parquet").glob("part.*.parquet")
    pq.write_table(pq.read_table(part).drop_columns("assignment"), part)
    with pytest.raises(InputError, match=r"neither cellcarve nor proseg.*observed_x"):
        write(copy, "geojson", tmp_path / "a.geojson")


def test_damaged_store(store, tmp_path):
    copy = shutil.copytree(store, tmp_path / "torn.zarr")
    (copy / "shapes/cell_boundaries/shapes.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(InputError, match="damaged"):
        write(copy, "h5ad", tmp_path / "a.h5ad")


def test_ranger_folder_fits_a_real_bundle(data_folder, tmp_path):
    bundle = data_folder / "xenium_prime_tiny_bundle"
    cellcarve.segment(bundle, output=tmp_path / "result")
    out, _ = write(tmp_path / "result", "xenium-ranger", tmp_path / "ranger")
    assert check(out / "transcript-assignment.csv", out / "cell-polygons.geojson", bundle) == []
