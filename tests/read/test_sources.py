"""Tables in memory and SpatialData read as files do; regions cut as shapely does."""

import geopandas
import numpy as np
import pyarrow as pa
import pytest
import shapely

from cellcarve.errors import InputError
from cellcarve.read import read
from cellcarve.settings import ReadSettings


def same(table, other):
    np.testing.assert_array_equal(table.x, other.x)
    np.testing.assert_array_equal(table.gene, other.gene)
    np.testing.assert_array_equal(table.cell, other.cell)
    np.testing.assert_array_equal(table.status, other.status)
    assert (table.genes, table.cell_names) == (other.genes, other.cell_names)
    assert table.ids.to_pylist() == other.ids.to_pylist()


@pytest.fixture
def store(spots, tmp_path):
    import spatialdata
    from spatialdata.models import PointsModel

    named = spots.rename(columns={"gene": "feature_name"}).assign(cell_id=spots.cell.astype(str))
    points = PointsModel.parse(named, coordinates={"x": "x", "y": "y"}, feature_key="feature_name")
    sdata = spatialdata.SpatialData(points={"my_transcripts": points})
    sdata.write(tmp_path / "sample.zarr")
    return sdata


def test_spatialdata_in_memory_and_on_disk(store, spots, tmp_path):
    expected = read(spots.assign(cell=spots.cell.astype(str)), ReadSettings(cell_column="cell"))
    for source in (store, tmp_path / "sample.zarr", str(tmp_path / "sample.zarr")):
        table = read(source, ReadSettings(cell_column="cell_id"))
        same(table, expected)
    assert table.platform == "spatialdata"
    assert table.files == (tmp_path / "sample.zarr",)


def test_store_that_is_none(tmp_path):
    (tmp_path / "sample.zarr").mkdir()
    with pytest.raises(InputError, match=r"sample\.zarr"):
        read(tmp_path / "sample.zarr", ReadSettings())


def test_arrow_and_pandas_agree(spots):
    same(read(pa.Table.from_pandas(spots), ReadSettings()), read(spots, ReadSettings()))


def test_pandas_categories_and_index(spots):
    changed = spots.assign(gene=spots.gene.astype("category")).set_index(spots.index[::-1] + 7)
    same(read(changed, ReadSettings()), read(spots, ReadSettings()))


@pytest.mark.parametrize("source", [[1, 2], 5, {"x": [1]}, None])
def test_source_that_is_no_table(source):
    with pytest.raises(InputError, match=type(source).__name__):
        read(source, ReadSettings())


def test_frame_with_mixed_types(spots):
    with pytest.raises(InputError, match="one type"):
        read(spots.assign(gene=[1, "A"] * 250), ReadSettings())


@pytest.mark.parametrize("ending", ["geojson", "parquet"])
def test_region_of_polygons(spots, tmp_path, ending):
    ring = shapely.Polygon([(2, 2), (28, 4), (15, 28)], holes=[[(12, 8), (18, 8), (15, 14)]])
    frame = geopandas.GeoDataFrame(geometry=[ring, shapely.box(0, 25, 5, 30)])
    path = tmp_path / f"roi.{ending}"
    (frame.to_parquet if ending == "parquet" else frame.to_file)(path)
    table = read(spots.assign(gene="A", qv=40), ReadSettings(roi=str(path)))
    places = shapely.points(table.x.astype(float), table.y.astype(float))
    expected = np.any([shapely.contains(shape, places) for shape in frame.geometry], axis=0)
    assert ((table.status == 0) == expected).all()


@pytest.mark.parametrize("what", ["absent", "points", "text"])
def test_region_file_that_is_none(spots, tmp_path, what):
    path = tmp_path / "roi.geojson"
    if what == "points":
        geopandas.GeoDataFrame(geometry=[shapely.Point(1, 1)]).to_file(path)
    if what == "text":
        path.write_text("here")
    with pytest.raises(InputError, match=r"roi\.geojson"):
        read(spots, ReadSettings(roi=str(path)))
