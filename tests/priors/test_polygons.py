"""Outline files laid over transcripts."""

import gzip
import json

import numpy as np
import pandas as pd
import pytest
import shapely
import shapely.affinity

from cellcarve.errors import InputError
from cellcarve.priors import lay
from cellcarve.settings import PriorSettings


@pytest.fixture
def laid(table):
    def run(path, **settings):
        return lay(table, PriorSettings(prior=str(path), **settings))

    return run


@pytest.fixture
def right(discs):
    """Check that a prior is the two discs, with an outline each."""

    def check(prior, kind="nuclei", vertices=60):
        assert prior.names == ["left", "right"]
        assert prior.kind == kind
        assert (prior.cell == discs).mean() > 0.99
        assert np.diff(prior.outline_start).tolist() == [vertices, vertices]
        middle = [part.mean() for part in np.split(prior.outline_x, prior.outline_start[1:-1])]
        assert middle == pytest.approx([20, 60], abs=0.3)

    return check


@pytest.mark.parametrize(
    "name", ["nucleus_boundaries.parquet", "nucleus_boundaries.csv", "nucleus_boundaries.csv.gz"]
)
def test_vertices_as_xenium_writes_them(laid, right, vertices, tmp_path, name):
    path = tmp_path / name
    vertices.to_parquet(path) if name.endswith("parquet") else vertices.to_csv(path, index=False)
    right(laid(path))


def test_cell_of_two_nuclei_is_one(laid, vertices, tmp_path, discs):
    vertices["label_id"] = np.where(vertices.cell_id == "left", 1, 2)
    vertices["cell_id"] = 77
    path = tmp_path / "nucleus_boundaries.parquet"
    vertices.to_parquet(path)
    prior = laid(path)
    assert prior.names == ["77"]
    assert ((prior.cell > 0) == (discs > 0)).mean() > 0.99
    assert np.diff(prior.outline_start).tolist() == [60]


def features(shapes):
    return [
        {
            "type": "Feature",
            "properties": {"cell_id": name},
            "geometry": json.loads(shapely.to_geojson(shape)),
        }
        for name, shape in shapes.items()
    ]


def test_geojson_features(laid, right, shapes, write_json):
    right(laid(write_json({"type": "FeatureCollection", "features": features(shapes)})))


def test_geojson_geometries_that_name_their_cell(laid, right, shapes, write_json):
    geometries = [json.loads(shapely.to_geojson(shape)) | {"cell": name} for name, shape in shapes.items()]
    right(laid(write_json({"type": "GeometryCollection", "geometries": geometries})))


def test_zipped_geojson(laid, right, shapes, tmp_path):
    path = tmp_path / "nuclei.geojson.gz"
    path.write_bytes(gzip.compress(json.dumps({"features": features(shapes)}).encode()))
    right(laid(path))


def test_geojson_without_names_is_numbered(laid, shapes, write_json):
    nameless = [feature | {"properties": None} for feature in features(shapes)]
    assert laid(write_json({"features": nameless})).names == ["1", "2"]


def test_geoparquet(laid, right, shapes, tmp_path):
    import geopandas

    path = tmp_path / "nuclei.parquet"
    frame = geopandas.GeoDataFrame({"cell_id": list(shapes)}, geometry=list(shapes.values()))
    frame.to_parquet(path)
    right(laid(path))


def test_merscope_parquet_of_two_planes(laid, shapes, tmp_path, discs):
    """Planes overlap, a multipolygon each; a cell is what lies in any of them."""
    ids = [2**62 + 1, 2**62 + 2]
    multi = [shapely.MultiPolygon([shape]) for shape in shapes.values()]
    half = [shapely.affinity.scale(shape, 0.5, 0.5) for shape in multi]
    frame = pd.DataFrame(
        {
            "EntityID": ids * 2,
            "ZIndex": [0, 0, 1, 1],
            "Geometry": [bytes(wkb) for wkb in shapely.to_wkb(multi + half)],
        }
    )
    path = tmp_path / "cell_boundaries.parquet"
    frame.to_parquet(path)
    prior = laid(path)
    assert prior.names == [str(i) for i in ids]
    assert prior.kind == "cells"
    assert (prior.cell == discs).mean() > 0.99
    assert prior.core.sum() == pytest.approx(0.4 * (prior.cell > 0).sum(), abs=2)
    assert np.diff(prior.outline_start).tolist() == [60, 60]


def test_ids_of_39_digits_and_y_downwards(laid, vertices, tmp_path, discs):
    ids = {
        "left": "102528529761315501219328393375277039100",
        "right": "10252852976131550121932839337527703910",
    }
    frame = pd.DataFrame(
        {"x": vertices.vertex_x, "y": -vertices.vertex_y, "poly_ID": vertices.cell_id.map(ids)}
    )
    path = tmp_path / "z0_polygons.gz"
    path.write_bytes(gzip.compress(frame.to_csv(index=False).encode()))
    prior = laid(path)
    assert sorted(prior.names) == sorted(ids.values())
    assert ((prior.cell > 0) == (discs > 0)).mean() > 0.99
    assert any("negated" in note for note in prior.notes)
    assert prior.outline_y.min() > 0
    assert not any("negated" in note for note in laid(path, prior_flip_y=True).notes)


def test_scale_offset_and_affine(laid, right, vertices, tmp_path):
    moved = vertices.assign(vertex_x=(vertices.vertex_x - 100) * 4, vertex_y=(vertices.vertex_y + 50) * 4)
    path = tmp_path / "nuclei.csv"
    moved.to_csv(path, index=False)
    right(laid(path, prior_scale=0.25, prior_offset="100,-50"))
    right(laid(path, prior_affine="0.25,0,100,0,0.25,-50"))


def test_area_tells_what_is_held(laid, right, vertices, tmp_path):
    path = tmp_path / "outlines.csv"
    vertices.to_csv(path, index=False)
    right(laid(path), kind="cells")
    right(laid(path, prior_holds="nuclei"), kind="nuclei")


def test_rings_within_rings_belong_to_the_smaller(laid, vertices, tmp_path, table):
    small = vertices[vertices.cell_id == "left"].assign(cell_id="small")
    small["vertex_x"] = 20 + (small.vertex_x - 20) / 2
    small["vertex_y"] = 20 + (small.vertex_y - 20) / 2
    path = tmp_path / "nuclei.csv"
    pd.concat([small, vertices]).to_csv(path, index=False)
    prior = laid(path)
    far = np.hypot(table.x - 20, table.y - 20)[prior.cell == 1 + prior.names.index("small")]
    assert 3.5 < far.max() < 4.001


@pytest.mark.parametrize(
    ("column", "renamed"), [("cell_id", "cel_id"), ("vertex_x", "vertx_x"), ("vertex_y", "vertex-y")]
)
@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_missing_column_is_named_with_the_nearest(laid, vertices, tmp_path, column, renamed, ending):
    path = tmp_path / f"nuclei.{ending}"
    frame = vertices.rename(columns={column: renamed})
    frame.to_csv(path, index=False) if ending == "csv" else frame.to_parquet(path)
    with pytest.raises(InputError, match=rf"no column '{column}'; did you mean '{renamed}'"):
        laid(path)


@pytest.mark.parametrize("name", ["nuclei.parquet", "nuclei.csv.gz", "nuclei.geojson", "nuclei.csv"])
@pytest.mark.parametrize("share", [0.0, 0.5])
def test_truncated_file(laid, vertices, shapes, tmp_path, name, share):
    path = tmp_path / name
    if name.endswith("parquet"):
        vertices.to_parquet(path)
    elif name.endswith("json"):
        path.write_text(json.dumps({"features": features(shapes)}))
    else:
        vertices.to_csv(path, index=False)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    if name == "nuclei.csv" and share:
        # Cut in the middle of a line, a table of text may still be whole as far as it goes.
        assert laid(path).names == ["left"]
        return
    with pytest.raises(InputError, match=name):
        laid(path)


def test_vertex_that_is_no_number(laid, vertices, tmp_path):
    vertices.loc[70, "vertex_y"] = np.nan
    path = tmp_path / "nuclei.csv"
    vertices.to_csv(path, index=False)
    with pytest.raises(InputError, match="cell 'right'"):
        laid(path)


@pytest.mark.parametrize(
    "content",
    [
        {"type": "Polygon"},
        {"features": []},
        {"features": [{"geometry": {"type": "Point", "coordinates": [1, 2]}}]},
    ],
)
def test_json_without_polygons(laid, write_json, content):
    with pytest.raises(InputError, match=r"nuclei\.geojson"):
        laid(write_json(content))


def test_elsewhere_names_both_extents(laid, vertices, tmp_path):
    path = tmp_path / "nuclei.csv"
    vertices.assign(vertex_x=vertices.vertex_x + 9000).to_csv(path, index=False)
    with pytest.raises(InputError, match=r"nuclei\.csv.*x 9012\.0 to 9068\.0.*x 0\.\d to (79\.9|80\.0)"):
        laid(path)


def test_between_the_transcripts(laid, table, vertices, tmp_path):
    path = tmp_path / "nuclei.csv"
    vertices.to_csv(path, index=False)
    table.x = np.where(table.x < 40, 0, 80).astype(np.float32)
    with pytest.raises(InputError, match="any of its 2 polygons"):
        laid(path)
