"""SpatialData stores read as files, in every layout that its versions have written."""

import json

import numpy as np
import pandas as pd
import pytest

from cellcarve.errors import InputError
from cellcarve.priors import lay
from cellcarve.read import read
from cellcarve.read.parts import PartsStream
from cellcarve.read.spatialdata import facts_of, points_of, shapes_of, table_of
from cellcarve.settings import PriorSettings, ReadSettings


@pytest.fixture
def old(tmp_path):
    """A store of zarr format 2 whose points lie in eleven parts."""
    element = tmp_path / "old.zarr" / "points" / "transcripts"
    (element / "points.parquet").mkdir(parents=True)
    (element / ".zattrs").write_text(
        json.dumps({"spatialdata_attrs": {"feature_key": "target", "version": "0.1"}})
    )
    frame = pd.DataFrame({"x": np.arange(110.0), "y": 1.0, "gene": "no", "target": ["A", "B"] * 55})
    frame["cell_id"] = pd.Categorical.from_codes(np.arange(110) // 11 % 3, ["u", "v", "w"])
    for part in range(11):
        piece = frame.iloc[part * 10 : part * 10 + 10]
        piece = piece.assign(cell_id=piece.cell_id.cat.remove_unused_categories())
        piece.to_parquet(element / "points.parquet" / f"part.{part}.parquet")
    return frame, tmp_path / "old.zarr"


def test_parts_come_in_the_order_of_their_numbers(old):
    """Part 10 follows part 9, and every part has its own dictionary of cells."""
    frame, path = old
    table = read(path, ReadSettings())
    np.testing.assert_array_equal(table.x, frame.x)
    assert [table.genes[g] for g in table.gene] == frame.target.tolist()
    assert [table.cell_names[c - 1] for c in table.cell] == frame.cell_id.tolist()


def test_points_in_a_single_file(old, tmp_path):
    frame, path = old
    folder = path / "points" / "transcripts" / "points.parquet"
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()
    frame.to_parquet(folder)
    np.testing.assert_array_equal(read(path, ReadSettings()).x, frame.x)


def test_parts_that_differ(old):
    frame, path = old
    part = path / "points" / "transcripts" / "points.parquet" / "part.3.parquet"
    frame.drop(columns="x").to_parquet(part)
    with pytest.raises(InputError, match=r"part\.3\.parquet"):
        read(path, ReadSettings())
    part.write_bytes(b"PAR1")
    with pytest.raises(InputError, match=r"part\.3\.parquet cannot be read"):
        read(path, ReadSettings())


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_stores_of_the_current_library(tmp_path, zarr_format):
    import geopandas
    import shapely
    import spatialdata
    from anndata import AnnData
    from spatialdata._io.format import SpatialDataContainerFormatV01, SpatialDataContainerFormatV02
    from spatialdata.models import PointsModel, ShapesModel, TableModel

    frame = pd.DataFrame(
        {"x": [1.0, 2, 8], "y": [1.0, 2, 8], "target": ["A", "B", "A"], "cell_id": ["u", "", "v"]}
    )
    points = PointsModel.parse(
        frame, coordinates={"x": "x", "y": "y"}, feature_key="target", instance_key="cell_id"
    )
    squares = geopandas.GeoDataFrame(
        geometry=[shapely.box(0, 0, 4, 4), shapely.box(7, 7, 9, 9)], index=["n1", "n2"]
    )
    sdata = spatialdata.SpatialData(
        points={"spots": points},
        shapes={"nucleus_boundaries": ShapesModel.parse(squares)},
        tables={"counts": TableModel.parse(AnnData(np.ones((2, 2))))},
    )
    version = SpatialDataContainerFormatV01() if zarr_format == 2 else SpatialDataContainerFormatV02()
    sdata.write(tmp_path / "s.zarr", sdata_formats=version)
    table = read(tmp_path / "s.zarr", ReadSettings())
    assert [table.genes[g] for g in table.gene] == ["A", "B", "A"]
    assert table.cell_names == ["u", "v"]
    assert facts_of(points_of(tmp_path / "s.zarr")) == {
        "feature_key": "target",
        "instance_key": "cell_id",
    } | {"version": facts_of(points_of(tmp_path / "s.zarr"))["version"]}
    assert table_of(tmp_path / "s.zarr").name == "counts"
    prior = lay(table, PriorSettings(prior=str(shapes_of(tmp_path / "s.zarr", "nucleus_boundaries"))))
    assert [prior.names[c - 1] for c in prior.cell] == ["n1", "n1", "n2"]


@pytest.mark.parametrize("what", ["points", "shapes", "table"])
def test_elements_that_are_not_there(old, what):
    _, path = old
    find = {"points": lambda: points_of(path, "molecules"), "shapes": lambda: shapes_of(path, "cells")}
    with pytest.raises(InputError, match=r"old\.zarr has no"):
        find.get(what, lambda: table_of(path))()


def test_a_zipped_store(tmp_path):
    (tmp_path / "s.zarr.zip").write_bytes(b"PK")
    with pytest.raises(InputError, match="unpack it"):
        points_of(tmp_path / "s.zarr.zip")


def test_a_folder_without_parts(tmp_path):
    with pytest.raises(InputError, match="no parquet files"):
        PartsStream(tmp_path)
