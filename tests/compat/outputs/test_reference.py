"""Our files beside those that a real proseg 3.2.0 wrote: names, columns, types, nulls, structure."""

import gzip
import json
import shutil
from pathlib import Path

import geopandas
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import shapely

from cellcarve.compat.proseg.options import InputOptions, Options, OutputOptions
from cellcarve.compat.proseg.outputs import write
from cellcarve.compat.proseg.to_baysor import to_baysor
from cellcarve.convert import load
from cellcarve.convert.ranger import check

REFERENCE = Path(__file__).parents[1] / "reference"
TABLES = ("cell-metadata", "transcript-metadata", "gene-metadata", "metagene-rates", "metagene-loadings")
OUTLINES = ("cell-polygons", "cell-polygons-union", "cell-polygons-layers")
# What proseg leaves out or gets wrong in its store, and how it stands in ours.
ORDERED, NAMED = "false", (None, None, None)


def unpacked(path):
    with gzip.open(path, "rt") as file:
        return file.read()


@pytest.fixture(scope="module")
def theirs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("theirs")
    shutil.unpack_archive(REFERENCE / "proseg-output.zarr.zip", folder)
    return folder / "proseg-output.zarr"


@pytest.fixture
def ours(chain, tmp_path):
    names = {f"output_{name.replace('-', '_')}": Path(f"{name}.csv.gz") for name in TABLES}
    names |= {
        "output_counts": Path("counts.mtx.gz"),
        "output_expected_counts": Path("expected-counts.mtx.gz"),
    }
    names["output_cell_polygons"] = Path("cell-polygons.geojson.gz")
    names["output_union_cell_polygons"] = Path("cell-polygons-union.geojson.gz")
    names["output_cell_polygon_layers"] = Path("cell-polygons-layers.geojson.gz")
    inputs = InputOptions(transcript_id_column="id")
    write(*chain, Options(Path("in"), inputs, output=OutputOptions(output_path=tmp_path, **names)))
    return tmp_path


def numbered(columns):
    """Names without the number of factors, which differs from run to run."""
    return [name.rstrip("0123456789") if name.startswith(("phi", "theta")) else name for name in columns]


@pytest.mark.parametrize("name", TABLES)
def test_columns_of_tables(ours, name):
    left, right = (pd.read_csv(folder / f"{name}.csv.gz") for folder in (ours, REFERENCE))
    if name.startswith("metagene"):
        assert set(numbered(left.columns)) == set(numbered(right.columns))
        assert (
            left.columns[-1]
            == f"{numbered(left.columns)[-1]}{len(numbered(left.columns)) - ('gene' in left) - 1}"
        )
    else:
        assert left.columns.tolist() == right.columns.tolist()
    common = [column for column in right if column in left]
    assert left[common].dtypes.to_dict() == right[common].dtypes.to_dict()


def test_nulls_of_transcripts(ours):
    for folder in (ours, REFERENCE):
        text = unpacked(folder / "transcript-metadata.csv.gz").splitlines()[1:]
        cells = [line.split(",")[-2:] for line in text]
        assert {background for _, background in cells} == {"true", "false"}
        assert all((cell == "") == (background == "true") for cell, background in cells)


@pytest.mark.parametrize("name", ["counts", "expected-counts"])
def test_heads_of_matrices(ours, name):
    heads = [unpacked(folder / f"{name}.mtx.gz").splitlines()[0] for folder in (ours, REFERENCE)]
    assert heads[0] == heads[1]


def structure(value):
    """Members and types of JSON, numbers left out; of a list its first entry."""
    if isinstance(value, dict):
        return {key: structure(part) for key, part in value.items()}
    if isinstance(value, list):
        return [structure(value[0])] if value else []
    return value if isinstance(value, str) else "number"


@pytest.mark.parametrize("name", OUTLINES)
def test_structure_of_outlines(ours, name):
    trees = [json.loads(unpacked(folder / f"{name}.geojson.gz")) for folder in (ours, REFERENCE)]
    assert structure(trees[0]) == structure(trees[1])
    for tree in trees:
        rings = [
            ring
            for item in tree["features"]
            for polygon in item["geometry"]["coordinates"]
            for ring in polygon
        ]
        assert all(ring[0] == ring[-1] for ring in rings)
        assert all(
            len(polygon) == 1 for item in tree["features"] for polygon in item["geometry"]["coordinates"]
        )


def tree_of(store):
    """Groups and arrays of a store with what defines them."""
    tree = {}
    for path in sorted(store.rglob(".z[ga]r*")):
        told = json.loads(path.read_text())
        tree[str(path.parent.relative_to(store))] = (
            ("group",)
            if path.name == ".zgroup"
            else (told["dtype"], len(told["shape"]), told["compressor"], told["filters"])
        )
    return tree


def test_tree_of_the_store(ours, theirs):
    left, right = tree_of(ours / "proseg-output.zarr"), tree_of(theirs)
    rates = {name for name in right if "lambda_bg_" in name}
    assert {name: left.get(name) for name in right if name not in rates} == {
        name: kind for name, kind in right.items() if name not in rates
    }
    assert all(name.startswith("tables/table/var/lambda_bg_") for name in set(left) - set(right))


def attributes(store):
    found = {}
    for path in store.rglob(".zattrs"):
        told = json.loads(path.read_text())
        told.pop("_zarrs", None)
        found[str(path.parent.relative_to(store))] = told
    return found


def test_attributes_of_the_store(ours, theirs):
    left, right = attributes(ours / "proseg-output.zarr"), attributes(theirs)
    shapes = {name: {**told, "shape": None} for name, told in right.items() if "shape" in told}
    for name, told in right.items():
        if "lambda_bg_" in name:
            continue
        own = left[name]
        if name == "tables/table/obs/region":
            assert (told.pop("ordered"), own.pop("ordered")) == (ORDERED, False)
        elif name == "tables/table":
            keys = ("region", "region_key", "instance_key")
            assert tuple(told.pop(key) for key in keys) == NAMED
            assert tuple(own.pop(key) for key in keys) == ("cell_boundaries", "region", "cell")
        elif name == "points/transcripts":
            assert own.pop("spatialdata_attrs").items() >= told.pop("spatialdata_attrs").items()
        elif name == "tables/table/var":
            order = told.pop("column-order")
            assert own.pop("column-order")[: len(order)] == order
        own = {**own, "shape": None} if name in shapes else own
        told = shapes.get(name, told)
        assert {key: own.get(key) for key in told} == told, name


@pytest.mark.parametrize(
    "file", ["points/transcripts/points.parquet/part.0.parquet", "shapes/cell_boundaries/shapes.parquet"]
)
def test_types_in_the_store(ours, theirs, file):
    left, right = (pq.read_schema(store / file) for store in (ours / "proseg-output.zarr", theirs))
    assert left.remove_metadata() == right.remove_metadata()
    geo = [
        json.loads(schema.metadata.get(b"geo", b"{}")) if schema.metadata else {} for schema in (left, right)
    ]
    if geo[1]:
        assert geo[0]["primary_column"] == geo[1]["primary_column"]
        assert geo[0]["version"] == geo[1]["version"]
        assert geo[0]["columns"]["geometry"].items() >= geo[1]["columns"]["geometry"].items()


@pytest.mark.parametrize("files", [False, True], ids=["store", "files"])
def test_the_command_for_xenium_ranger_makes_of_their_store_what_theirs_made(theirs, tmp_path, files):
    assignment, outlines = tmp_path / "a.csv", tmp_path / "a.geojson"
    apart = REFERENCE / "transcript-metadata.csv.gz", REFERENCE / "cell-polygons.geojson.gz"
    to_baysor(apart if files else (theirs,), assignment, outlines)
    left, right = pd.read_csv(assignment), pd.read_csv(REFERENCE / "baysor.csv.gz")
    pd.testing.assert_frame_equal(left, right, rtol=1e-5)
    trees = [json.loads(outlines.read_text()), json.loads(unpacked(REFERENCE / "baysor.geojson.gz"))]
    assert structure(trees[0]) == structure(trees[1])
    polygons = [
        {item["cell"]: shapely.Polygon(item["coordinates"][0]) for item in tree["geometries"]}
        for tree in trees
    ]
    assert polygons[0].keys() == polygons[1].keys()
    for cell, polygon in polygons[0].items():
        assert polygon.symmetric_difference(polygons[1][cell]).area < 1e-3
    assert check(assignment, outlines) == []


def test_their_store_is_a_finished_segmentation(theirs):
    finished = load(theirs)
    counts = np.zeros(finished.cells, int)
    for batch in finished.transcripts("cell"):
        counts += np.bincount(batch["cell"][batch["cell"] >= 0], minlength=finished.cells)
    assert (counts == np.asarray(finished.table.X.sum(1)).ravel()).all()
    outlined = geopandas.read_file(unpacked(REFERENCE / "cell-polygons.geojson.gz"))
    areas = shapely.area(finished.polygon)
    np.testing.assert_allclose(areas, shapely.area(outlined.geometry.to_numpy()), rtol=1e-4)
