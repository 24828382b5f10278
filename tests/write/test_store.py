"""The SpatialData store: all points, shapes, labels that lie where the shapes lie, and the table."""

import warnings
from types import SimpleNamespace

import geopandas
import numpy as np
import pytest
import shapely
import spatialdata
from spatialdata.transformations import get_transformation

from cellcarve.data.result import Outlines
from cellcarve.progress import Silent
from cellcarve.write import raster, transcripts_of, write_run
from cellcarve.write.raster import label_image


@pytest.fixture(scope="module")
def store(written):
    return spatialdata.read_zarr(written.folder / "segmentation.zarr")


def test_points_are_all_transcripts(store, written):
    points = store.points["transcripts"].compute()
    truth = transcripts_of(written.run).to_pandas()
    assert points.columns.tolist() == truth.columns.tolist()
    for name in truth:
        assert points[name].astype(object).equals(truth[name].astype(object)), name
    assert store.points["transcripts"].attrs["spatialdata_attrs"]["feature_key"] == "gene"


def test_points_are_counted_in_shapes(store, written):
    """Every transcript of a cell lies in its square, and squares do not touch."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        counted = spatialdata.aggregate(
            values=store.points["transcripts"],
            by=store.shapes["cell_boundaries"],
            value_key="gene",
            agg_func="count",
        )
    table = written.run.table
    inside = counted.tables["table"].X.sum()
    first = written.run.summary.cells.iloc[0]
    undrawn = np.maximum(abs(table.x - first.x), abs(table.y - first.y)) < 4
    assert inside == len(table) - undrawn.sum()


def test_table_annotates_the_shapes(store, written):
    table, shapes = store.tables["table"], store.shapes["cell_boundaries"]
    assert table.obs_names.tolist() == shapes.index.tolist() == written.run.segmentation.names[1:]
    assert table.uns["spatialdata_attrs"]["instance_key"] == "cell_id"
    np.testing.assert_array_equal(table.X.toarray(), written.run.summary.counts[1:].toarray())
    shapes, matched = spatialdata.match_element_to_table(store, "cell_boundaries", "table")
    assert len(matched) == len(shapes["cell_boundaries"]) == 29


def test_labels_lie_on_the_shapes(store, written):
    labels = store.labels["cell_labels"]
    matrix = get_transformation(labels).to_affine_matrix(("x", "y"), ("x", "y"))
    shapes = store.shapes["cell_boundaries"]
    image = labels.values
    for name, label in store.tables["table"].obs.label.items():
        row, column = np.nonzero(image == label)
        x, y, _ = matrix @ [column.mean() + 0.5, row.mean() + 0.5, 1]
        assert shapes.geometry[name].centroid.distance(shapely.Point(x, y)) < 0.75
        assert len(row) * abs(matrix[0, 0] * matrix[1, 1]) == pytest.approx(64, rel=0.2)


def test_store_moves_with_its_folder(made, tmp_path):
    write_run(made(), tmp_path / "here", False, False, Silent())
    (tmp_path / "here").rename(tmp_path / "there")
    moved = spatialdata.read_zarr(tmp_path / "there" / "segmentation.zarr")
    assert len(moved.points["transcripts"]) == 900


def test_store_can_be_cropped_and_written_again(made, tmp_path, monkeypatch):
    """With several row groups and more genes than a byte can number, as real panels have."""
    monkeypatch.setattr("cellcarve.write.transcripts.ROWS_AT_ONCE", 400)
    write_run(made(genes=300), tmp_path / "out", False, False, Silent())
    store = spatialdata.read_zarr(tmp_path / "out" / "segmentation.zarr")
    box = {"min_coordinate": [20, 20], "max_coordinate": [60, 60], "target_coordinate_system": "global"}
    cropped = spatialdata.bounding_box_query(store, axes=("x", "y"), **box)
    truth = store.points["transcripts"].compute()
    inside = truth[truth.x.between(20, 60) & truth.y.between(20, 60)]
    for name, written, points in (("whole", store, truth), ("part", cropped, inside)):
        written.write(tmp_path / name)
        again = spatialdata.read_zarr(tmp_path / name).points["transcripts"].compute()
        assert again.transcript_id.tolist() == points.transcript_id.tolist()
        assert again.gene.tolist() == points.gene.tolist()
        assert again.cell_id.isna().sum() == points.cell_id.isna().sum()


def test_file_system_without_links(made, tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr("cellcarve.write.spatialdata.os", SimpleNamespace(link=refuse))
    write_run(made(), tmp_path / "out", False, False, Silent())
    store = spatialdata.read_zarr(tmp_path / "out" / "segmentation.zarr")
    assert len(store.points["transcripts"]) == 900


def test_no_warning_reaches_the_user(made, tmp_path, recwarn):
    write_run(made(), tmp_path / "out", False, False, Silent())
    assert [str(w.message) for w in recwarn if not issubclass(w.category, DeprecationWarning)] == []


def random_outlines(rng, number):
    """Star-shaped rings of 3 to 40 corners, small and large, some of them overlapping."""
    rings = []
    for _ in range(number):
        corners = rng.integers(3, 40)
        angle = np.sort(rng.uniform(0, 2 * np.pi, corners))
        ring = rng.uniform(-50, 50, 2) + (rng.uniform(0.3, 15) * rng.uniform(0.4, 1, corners))[
            :, None
        ] * np.stack([np.cos(angle), np.sin(angle)], 1)
        rings.append(np.concatenate([ring, ring[:1]]).astype(np.float32))
    start = np.cumsum([0, *map(len, rings)])
    x, y = np.concatenate(rings).T.copy()
    return Outlines(np.arange(1, number + 1, dtype=np.int32) * 3, x, y, start), rings


@pytest.mark.parametrize("most", [4096, 70])
def test_image_holds_the_cell_at_every_pixels_middle(monkeypatch, most):
    monkeypatch.setattr(raster, "MOST_PIXELS", most)
    outlines, rings = random_outlines(np.random.default_rng(3), 60)
    image, side, (x0, y0) = label_image(outlines)
    assert max(image.shape) <= most
    x = x0 + (np.arange(image.shape[1]) + 0.5) * side
    y = y0 + (np.arange(image.shape[0]) + 0.5) * side
    truth = np.zeros(image.shape, np.int32)
    polygons = [shapely.make_valid(shapely.Polygon(ring.astype(np.float64))) for ring in rings]
    # Where rings overlap, the smallest has the pixel.
    for number, polygon in sorted(zip(outlines.cell, polygons, strict=True), key=lambda pair: -pair[1].area):
        truth[shapely.contains_xy(polygon, *np.meshgrid(x, y))] = number
    # Rings that cross themselves are filled by parity here, by either rule there.
    assert (image != truth).mean() < 2e-3


def test_image_of_one_speck():
    speck = Outlines(
        np.array([1], np.int32), np.float32([0, 1e-4, 0, 0]), np.float32([0, 0, 1e-4, 0]), np.array([0, 4])
    )
    image, side, _ = label_image(speck)
    assert image.shape == (1, 1)
    assert side == 1


def test_shapes_agree_with_the_file(store, written):
    file = geopandas.read_parquet(written.folder / "boundaries.parquet").set_index("cell_id")
    assert store.shapes["cell_boundaries"].geom_equals_exact(file, 0).all()


def test_text_is_stored_in_the_form_that_every_reader_knows(written):
    import h5py
    import zarr

    folder = written.folder
    with h5py.File(folder / "counts.h5ad") as file:
        found = [_forms(file[part]) for part in ("obs", "var")]
    table = zarr.open(written.folder / "segmentation.zarr" / "tables" / "table", mode="r")
    found += [_forms(table[part]) for part in ("obs", "var")]
    assert set().union(*found) <= {"array", "categorical", "string-array"}


def _forms(group) -> set[str]:
    """How the columns of a table, and the categories of those that have some, are encoded."""
    columns = [group[name] for name in group]
    parts = [c["categories"] for c in columns if c.attrs["encoding-type"] == "categorical"]
    return {column.attrs["encoding-type"] for column in [*columns, *parts]}
