"""A simulated Visium HD slide: read whole by us and by others, and true to the tissue that it shows."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely

from cellcarve.evaluate import evaluate
from cellcarve.read import read
from cellcarve.settings import ReadSettings
from cellcarve.simulate import SimulateSettings, simulate

SAME = {"transcripts": 20_000, "genes": 80, "seed": 5, "image": False}
SQUARE = "binned_outputs/square_002um"


@pytest.fixture(scope="module")
def slide(tmp_path_factory):
    folder = tmp_path_factory.mktemp("slide")
    simulate(SimulateSettings(platform="visium_hd", **SAME), folder)
    return folder


@pytest.fixture(scope="module")
def xenium(tmp_path_factory):
    """The same tissue as a Xenium shows it that decodes every molecule."""
    folder = tmp_path_factory.mktemp("xenium")
    simulate(SimulateSettings(low_quality=0.0, controls=0.0, **SAME), folder)
    return folder


@pytest.fixture(scope="module")
def table(slide):
    return read(slide, ReadSettings())


@pytest.fixture(scope="module")
def truth(slide):
    return pd.read_parquet(slide / "truth.parquet")


@pytest.fixture(scope="module")
def bins(slide):
    """Places and cells of all bins."""
    places = pd.read_parquet(slide / SQUARE / "spatial" / "tissue_positions.parquet")
    return places.merge(
        pd.read_parquet(slide / "barcode_mappings.parquet"), left_on="barcode", right_on="square_002um"
    ).set_index("barcode")


def test_every_molecule_is_read_at_its_row_of_the_truth(table, truth, bins):
    assert table.platform == "visium_hd"
    assert table.ids.to_pylist() == truth.transcript_id.tolist()
    assert [table.genes[g] for g in table.gene] == truth.gene.tolist()
    at = bins.loc[truth.barcode]
    np.testing.assert_allclose(table.x, 2 * at.array_col + 1)
    np.testing.assert_allclose(table.y, 2 * at.array_row + 1)
    assert [table.cell_names[c - 1] if c else None for c in table.cell] == pa.array(at.cell_id).to_pylist()
    assert table.nucleus.tolist() == at.in_nucleus.tolist()
    assert (table.status == 0).all()


def test_text_and_hdf5_hold_the_same(slide):
    from cellcarve.read.visium_hd import FILTERED, RAW, load

    raw, filtered = (load(slide / SQUARE, (name,)) for name in (RAW, FILTERED))
    assert raw.barcodes == filtered.barcodes
    assert raw.genes == filtered.genes
    assert (raw.counts != filtered.counts).nnz == 0


def test_molecules_are_those_of_the_tissue_each_in_the_bin_that_holds_it(truth, bins, xenium):
    rows = pd.read_parquet(xenium / "transcripts.parquet").merge(pd.read_parquet(xenium / "truth.parquet"))
    last = bins.array_col.max()
    column, row = ((rows[f"{axis}_location"] // 2).clip(upper=last).astype(int) for axis in "xy")
    barcode = [f"s_002um_{r:05d}_{c:05d}-1" for r, c in zip(row, column, strict=True)]
    expected = pd.DataFrame({"barcode": barcode, "gene": rows.feature_name, "true_cell": rows.true_cell})
    keys = list(expected)
    found = truth[keys].value_counts().sort_index()
    pd.testing.assert_series_equal(found, expected.astype(truth[keys].dtypes).value_counts().sort_index())
    assert truth.duplicated(["barcode", "gene"]).any()


def test_bins_belong_to_the_outlines_that_hold_them(bins, xenium):
    outlines = pd.read_parquet(xenium / "nucleus_boundaries.parquet").groupby("cell_id")
    rings = {name: shapely.Polygon(ring[["vertex_x", "vertex_y"]].to_numpy()) for name, ring in outlines}
    names = list(rings)
    middle = shapely.points(2.0 * bins.array_col + 1, 2.0 * bins.array_row + 1)
    held = shapely.STRtree(list(rings.values())).query(middle, predicate="within")
    inside = np.zeros(len(bins), bool)
    inside[held[0]] = True
    # Outlines whose middle lies beyond the tissue are not in the Xenium's table.
    place = 2 * bins[["array_col", "array_row"]]
    well = ((place > 30) & (place < place.max() - 30)).all(axis=1)
    assert (bins.in_nucleus == inside)[well].all()
    assert not (bins.in_nucleus & ~bins.in_cell).any()
    assert (bins.in_cell == bins.cell_id.notna()).all()
    number = bins.cell_id.str.extract(r"cellid_(\d{9})-[12]$")[0]
    of = pd.Series([names[i] for i in held[1]], bins.index[held[0]]).str.extract(r"cell-(\d+)")[0].astype(int)
    alone = of.index[~of.index.duplicated(keep=False) & well[of.index]]
    assert len(alone) > 300
    assert (number[alone].astype(int) == of[alone]).all()


def test_truth_measures_a_segmentation_of_the_slide(slide, table, tmp_path):
    cell = pa.array([None, *table.cell_names]).take(pa.array(table.cell))
    pq.write_table(pa.table({"transcript_id": table.ids, "cell_id": cell}), tmp_path / "drawn.parquet")
    found = evaluate(tmp_path / "drawn.parquet", truth=slide)
    assert found["truth"]["f1"] > 0.6


@pytest.mark.parametrize("family", ["packed", "volume"])
def test_fields_are_slides_too(family, tmp_path):
    simulate(SimulateSettings(platform="visium_hd", family=family, transcripts=3_000), tmp_path)
    table = read(tmp_path, ReadSettings())
    assert len(table.gene) == pq.read_metadata(tmp_path / "truth.parquet").num_rows
    assert (table.cell > 0).mean() > 0.8


def test_controls_that_are_asked_for_are_features(tmp_path):
    settings = SimulateSettings(platform="visium_hd", transcripts=3_000, controls=0.2, low_quality=0.1)
    simulate(settings, tmp_path)
    truth = pd.read_parquet(tmp_path / "truth.parquet")
    control = truth.gene.str.match("NegControlProbe|BLANK")
    assert 0.15 < control.mean() < 0.25
    assert (truth.true_cell[control] == -1).all()
    assert 0.25 < (truth.true_cell == -1).mean() < 0.35


def test_same_seed_gives_the_same_bytes(slide, tmp_path):
    simulate(SimulateSettings(platform="visium_hd", **SAME), tmp_path)
    files = [file.relative_to(slide) for file in slide.rglob("*") if file.is_file()]
    assert len(files) > 8
    for file in files:
        assert (slide / file).read_bytes() == (tmp_path / file).read_bytes(), file


def test_scanpy_reads_the_matrix(slide, truth):
    scanpy = pytest.importorskip("scanpy", reason="scanpy is not installed")
    matrix = scanpy.read_10x_h5(slide / SQUARE / "filtered_feature_bc_matrix.h5")
    counted = truth.groupby(["barcode", "gene"]).size()
    found = matrix.to_df().stack()
    found = found[found > 0]
    assert found.sort_index().to_dict() == counted.to_dict()


def test_spatialdata_io_reads_the_slide(tmp_path):
    io = pytest.importorskip("spatialdata_io", reason="spatialdata-io is not installed")
    simulate(SimulateSettings(platform="visium_hd", transcripts=5_000), tmp_path / "slide")
    whole = io.visium_hd(tmp_path / "slide", dataset_id="slide", load_segmentations_only=False)
    truth = pd.read_parquet(tmp_path / "slide" / "truth.parquet")
    bins = whole.tables["square_002um"]
    assert bins.X.sum() == len(truth)
    assert set(truth.barcode) <= set(bins.obs_names)
    area = whole.shapes["slide_square_002um"].area
    assert np.allclose(area, 16)  # 2 µm are four pixels.
    assert "slide_full_image" in whole.images
