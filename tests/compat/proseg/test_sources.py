"""Stores and slides as input: Visium HD, AnnData, SpatialData; the calls of pipelines as they make them."""

import json

import anndata
import geopandas
import h5py
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely
from scipy.sparse import csc_matrix, csr_matrix

from cellcarve import cli
from cellcarve.data.table import Status
from cellcarve.errors import InputError
from cellcarve.simulate import SimulateSettings, simulate


def named(run):
    return [run.prior.names[c - 1] if c else None for c in run.prior.cell]


@pytest.fixture
def slide(empty_folder):
    """A slide of 6 x 5 bins, slightly turned, with a molecule of each gene in every bin but the last."""
    folder = empty_folder / "binned_outputs" / "square_002um"
    (folder / "spatial").mkdir(parents=True)
    row, column = np.divmod(np.arange(30), 5)
    turn = np.array([[np.cos(0.03), -np.sin(0.03)], [np.sin(0.03), np.cos(0.03)]])
    x, y = turn @ np.array([2.0 * (column + 0.5), 2.0 * (row + 0.5)]) + np.array([[500.0], [70.0]])
    frame = pd.DataFrame(
        {
            "barcode": [f"s_002um_{r:05d}_{c:05d}-1" for r, c in zip(row, column, strict=True)],
            "array_row": row,
            "array_col": column,
            "pxl_row_in_fullres": y / 0.5,
            "pxl_col_in_fullres": x / 0.5,
        }
    )
    frame.to_parquet(folder / "spatial" / "tissue_positions.parquet")
    (folder / "spatial" / "scalefactors_json.json").write_text(json.dumps({"microns_per_pixel": 0.5}))
    with h5py.File(folder / "raw_feature_bc_matrix.h5", "w") as file:
        counts = np.ones((3, 30), int)
        counts[:, -1] = 0
        matrix = csc_matrix(counts)
        group = file.create_group("matrix")
        for name in ("data", "indices", "indptr"):
            group[name] = getattr(matrix, name)
        group["shape"] = matrix.shape
        group["barcodes"] = frame.barcode.to_numpy("S")
        group["features/name"] = np.array(["A", "B", "C"], "S")
    return frame.assign(x=x, y=y)


@pytest.fixture
def mappings(slide):
    """Two nuclei, and a cell around the first that says nothing."""
    cell = np.full(30, None, object)
    cell[[0, 1, 5, 6, 2]], cell[[23, 24]] = "n1", "n2"
    nucleus = np.isin(np.arange(30), [0, 1, 5, 6, 23, 24])
    frame = pd.DataFrame(
        {"square_002um": slide.barcode, "cell_id": cell, "in_nucleus": nucleus, "in_cell": True}
    )
    frame.sample(frac=1, random_state=0).to_parquet("barcode_mappings.parquet")
    return [c if n else None for c, n in zip(cell, nucleus, strict=True)]


VISIUM = "--visiumhd --spaceranger-barcode-mappings barcode_mappings.parquet binned_outputs"


def test_visium_hd_with_barcode_mappings(slide, mappings, follow):
    run = follow(VISIUM)
    bin_of = np.repeat(np.arange(29), 3)
    assert named(run) == [mappings[b] for b in bin_of]
    np.testing.assert_allclose(run.table.x, slide.x[bin_of], rtol=1e-5)
    assert run.table.z is None
    raster = run.prior.raster
    assert raster.nuclear
    assert raster.weight == pytest.approx(0.8)


def test_every_bin_is_the_pixel_at_its_own_place(slide, mappings, follow):
    """The raster is turned as the slide is: the centre of each pixel is that of its bin."""
    raster = follow(VISIUM).prior.raster
    a, b, c, d, e, f = raster.affine
    column, row = slide.array_col + 0.5, slide.array_row + 0.5
    np.testing.assert_allclose(a * column + b * row + c, slide.x, atol=2e-3)
    np.testing.assert_allclose(d * column + e * row + f, slide.y, atol=2e-3)
    assert [named is not None for named in mappings] == (raster.label.ravel() > 0).tolist()


def test_visium_hd_with_a_mask(slide, follow):
    mask = np.zeros((300, 1100), np.uint32)
    mask[:, 1000:1010], mask[:, 1010:] = 4, 9
    np.save("m.npy", mask)
    run = follow("--visiumhd --cellpose-masks m.npy --cellpose-scale 0.5 binned_outputs")
    expected = np.where(slide.x[:29] < 505, "4", "9")
    assert named(run) == np.repeat(expected, 3).tolist()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda f: f.drop(columns="cell_id"), "no column 'cell_id'"),
        (lambda f: f.assign(square_002um="other"), "none of the bins"),
        (lambda f: f.assign(in_nucleus=False), "no nuclei"),
    ],
)
def test_mappings_that_do_not_fit(slide, mappings, follow, change, sentence):
    change(pd.read_parquet("barcode_mappings.parquet")).to_parquet("barcode_mappings.parquet")
    with pytest.raises(InputError, match=sentence):
        follow(VISIUM)


def test_a_simulated_slide_is_read_whole(empty_folder, follow):
    simulate(SimulateSettings(platform="visium_hd", transcripts=5_000), empty_folder / "outs")
    run = follow(
        "--visiumhd --spaceranger-barcode-mappings outs/barcode_mappings.parquet outs/binned_outputs"
    )
    truth, bins = (pd.read_parquet(f"outs/{name}.parquet") for name in ("truth", "barcode_mappings"))
    assert [run.table.genes[g] for g in run.table.gene] == truth.gene.tolist()
    of = bins.set_index("square_002um").loc[truth.barcode]
    nucleus = of.cell_id.where(of.in_nucleus, None)
    assert nucleus.notna().any()
    assert named(run) == pa.array(nucleus).to_pylist()


def test_mappings_of_a_table(xenium, slide, mappings, follow):
    xenium.to_csv("t.csv", index=False)
    with pytest.raises(InputError, match="--visiumhd"):
        follow("--xenium --spaceranger-barcode-mappings barcode_mappings.parquet t.csv")


def test_not_a_slide(xenium, mappings, follow, empty_folder):
    with pytest.raises(InputError, match="square_002um"):
        follow(
            VISIUM.replace(
                "binned_outputs", str(empty_folder / "binned_outputs" / "square_002um" / "spatial")
            )
        )


@pytest.fixture
def bins():
    """A table of bins as sopa hands it over."""
    table = anndata.AnnData(csr_matrix(np.arange(12, dtype=np.float32).reshape(4, 3) % 3))
    table.var_names = ["A", "B", "C"]
    table.var.index.name = "symbols"
    table.obs["sopa_prior"] = [0, 7, 7, 2]
    table.obsm["spatial_microns"] = np.array([[0.0, 1], [2, 1], [4, 1], [6, 1]])
    return table


def test_the_call_of_sopa_on_bins(bins, follow):
    bins.write_zarr("bins_table.zarr")
    run = follow(
        "--anndata bins_table.zarr --anndata-coordinate-key spatial_microns --overwrite --cell-id-column sopa_prior "
        "--voxel-size 2"
    )
    number = bins.X.toarray().sum(1).astype(int)
    assert named(run) == np.repeat([None, "7", "7", "2"], number).tolist()
    assert run.table.x.tolist() == np.repeat([0.0, 2, 4, 6], number).tolist()
    assert run.table.genes == ["B", "C"], "genes without counts are dropped"
    assert run.options.model.burnin_voxel_size == 2.0


def test_anndata_without_cells(bins, follow):
    bins.write_zarr("t.zarr")
    with pytest.raises(InputError, match="no transcript has a cell"):
        follow("--anndata --anndata-coordinate-key spatial_microns t.zarr")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("--anndata-coordinate-key other", "no positions 'other'"),
        ("--cell-id-column nobody", "no column 'nobody'"),
    ],
)
def test_anndata_that_lacks_something(bins, follow, words, sentence):
    bins.write_zarr("t.zarr")
    with pytest.raises(InputError, match=sentence):
        follow(f"--anndata --anndata-coordinate-key spatial_microns {words} t.zarr")


@pytest.fixture
def store(bins, empty_folder):
    """A SpatialData store: points with cells of every sort, shapes, and a table."""
    import spatialdata
    from spatialdata.models import PointsModel, ShapesModel, TableModel

    frame = pd.DataFrame(
        {"x": [1.0, 2, 8, 9], "y": [1.0, 2, 8, 9], "z": [0.0, 1, 2, 3], "target": list("ABAB")}
    )
    frame["cell_id"] = [5, 5, 2**33, 0]
    frame["named"] = pd.Categorical(["u", "", "v", "v"])
    points = PointsModel.parse(frame, coordinates={"x": "x", "y": "y", "z": "z"}, feature_key="target")
    squares = geopandas.GeoDataFrame(
        {"number": ["n1", "n2"]}, geometry=[shapely.box(0, 0, 4, 4), shapely.box(7, 7, 8.5, 8.5)]
    )
    bins.obs["prior"] = bins.obs.sopa_prior
    sdata = spatialdata.SpatialData(
        points={"transcripts": points},
        shapes={"nuclei": ShapesModel.parse(squares)},
        tables={"table": TableModel.parse(bins)},
    )
    sdata.write(empty_folder / "s.zarr")


def test_points_of_a_store(store, follow):
    run = follow("--zarr --cell-id-unassigned 0 s.zarr")
    assert named(run) == ["5", "5", str(2**33), None]
    assert run.table.z.tolist() == [0, 1, 2, 3]
    assert [run.table.genes[g] for g in run.table.gene] == list("ABAB"), (
        "the store says which column holds genes"
    )
    assert run.prior.core.tolist() == [True, True, True, False]
    assert named(follow("--zarr --cell-id-column named s.zarr")) == ["u", None, "v", "v"]


def test_qualities_of_a_store_are_kept_and_sifted_by(store, empty_folder, follow):
    (part,) = (empty_folder / "s.zarr" / "points" / "transcripts" / "points.parquet").glob("*.parquet")
    rows = pq.read_table(part)
    for name in ("qv", "other"):
        part.unlink()
        pq.write_table(rows.append_column(name, pa.array([40.0, 15, 30, 20])), part)
        words = "" if name == "qv" else f"--qv-column {name}"
        table = follow(f"--zarr --min-qv 20 {words} s.zarr").table
        assert table.quality.tolist() == [40, 15, 30, 20]
        assert (table.status == Status.LOW_QUALITY).tolist() == [False, True, False, False]
    assert follow("--zarr s.zarr").table.quality is None


def test_the_table_of_a_store(store, bins, follow):
    line = "--zarr --spatialdata-table table --anndata-coordinate-key spatial_microns --cell-id-column prior s.zarr"
    number = bins.X.toarray().sum(1).astype(int)
    assert named(follow(line)) == np.repeat([None, "7", "7", "2"], number).tolist()


def test_shapes_of_a_store(store, follow):
    line = "--zarr --zarr-shape nuclei --zarr-shape-geometry-column geometry --zarr-shape-cell-id-column number s.zarr"
    assert named(follow(line)) == ["n1", "n1", "n2", None]


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("--zarr --spatialdata-table tables s.zarr", "no table 'tables'"),
        ("--zarr --gene-column genes s.zarr", "no column 'genes'"),
        ("--zarr --cell-id-column cells s.zarr", "no column 'cells'"),
        ("--anndata s.zarr", "no AnnData"),
        ("--zarr s.zarr/points", "no SpatialData store"),
        ("--zarr t.zarr.zip", "unpack it"),
    ],
)
def test_stores_that_cannot_be_used(store, follow, empty_folder, line, sentence):
    (empty_folder / "t.zarr.zip").touch()
    with pytest.raises(InputError, match=sentence):
        follow(line)


def test_merscope_cells_from_their_outlines(follow, empty_folder):
    """Earlier exports name no cells in the table but outline them beside it."""
    table = pd.DataFrame(
        {"global_x": [1.0, 5, 9], "global_y": [1.0, 5, 9], "global_z": 0.0, "gene": ["A", "Blank-1", "B"]}
    )
    table.to_csv("detected_transcripts.csv", index=False)
    with pytest.raises(InputError, match="cell_id"):
        follow("--merscope detected_transcripts.csv")
    shapes = geopandas.GeoDataFrame(
        {"EntityID": [11, 12]}, geometry=[shapely.box(0, 0, 2, 2), shapely.box(4, 4, 10, 10)]
    )
    shapes.to_parquet("cell_boundaries.parquet")
    for source in ("detected_transcripts.csv", str(empty_folder)):
        assert named(follow(f"--merscope {source}")) == ["11", None, "12"]


def test_merscope_of_a_real_slide(data_folder, follow):
    run = follow(f"--merscope {data_folder / 'merscope_brain' / 'small_with_images'}")
    assert len(run.prior.names) > 100
    assert (run.prior.cell > 0).mean() > 0.3


QUICK = "--burnin-samples 3 --samples 4 --recorded-samples 2 --hillclimb 2 --output-transcript-metadata t.csv --nthreads 1"
ANNDATA = "--anndata --anndata-coordinate-key spatial_microns --cell-id-column sopa_prior --voxel-size 2 bins_table.zarr"


@pytest.mark.parametrize("line", [VISIUM, ANNDATA, "--zarr --cell-id-column named s.zarr"])
def test_slides_and_stores_are_segmented(slide, mappings, store, bins, line):
    """To the end, every molecule told once where it was seen."""
    bins.write_zarr("bins_table.zarr")
    assert cli.status(["proseg", *QUICK.split(" "), *line.split(" ")]) == 0
    got = pd.read_csv("t.csv")
    if line == VISIUM:
        np.testing.assert_allclose(got.observed_x, np.repeat(slide.x[:29], 3), rtol=1e-5)
        np.testing.assert_allclose(got.observed_y, np.repeat(slide.y[:29], 3), rtol=1e-5)
        assert got.assignment.notna().any()
    elif line == ANNDATA:
        assert (
            got.observed_x.tolist() == np.repeat([0.0, 2, 4, 6], bins.X.toarray().sum(1).astype(int)).tolist()
        )
    else:
        assert got.observed_x.tolist() == [1, 2, 8, 9]


def test_every_voxel_is_a_bin(slide, mappings):
    """The slide lies turned: voxels lie with it, and what is told of them lies in the tissue."""
    files = "--output-voxel-counts v.csv.gz --output-union-cell-polygons u.geojson.gz"
    assert cli.status(["proseg", *QUICK.split(" "), *files.split(" "), *VISIUM.split(" ")]) == 0
    got = pd.read_csv("v.csv.gz")
    seen = np.column_stack([got.x - got.dx, got.y - got.dy])
    far = np.hypot(*(seen[:, None] - slide[["x", "y"]].to_numpy()[None]).transpose(2, 0, 1))
    np.testing.assert_allclose(far.min(1), 0, atol=0.01)
    number = np.bincount(far.argmin(1), got["count"], 30)
    assert number.tolist() == [3.0] * 29 + [0.0]
    outlines = geopandas.read_file("/vsigzip/u.geojson.gz")
    held = shapely.union_all(outlines.geometry.to_numpy())
    nuclear = [place is not None for place in mappings]
    centres = shapely.points(slide.x[nuclear], slide.y[nuclear])
    assert shapely.contains(held, centres).mean() > 0.5
    assert shapely.area(held) == pytest.approx(4 * round(shapely.area(held) / 4), rel=1e-3)
