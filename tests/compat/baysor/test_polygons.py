"""Outlines of cells: every form, valid rings, and what is mended."""

import json

import numpy as np
import pytest
import shapely

from cellcarve.compat.baysor.outputs.mend import mend
from cellcarve.compat.baysor.outputs.polygons import collection, polygons_of
from cellcarve.mixture.result import Rings


@pytest.mark.parametrize("form", ["FeatureCollection", "GeometryCollection", "GeometryCollectionLegacy"])
def test_polygons_in_every_form(run, read, form):
    out = run("--polygon-format", form)
    content = json.loads((out / "segmentation_polygons_2d.json").read_text())
    found = read(out)
    if form == "FeatureCollection":
        assert content["type"] == form
        marks = [feature["id"] for feature in content["features"]]
        assert marks == [feature["properties"]["cell"] for feature in content["features"]]
        shapes = [feature["geometry"] for feature in content["features"]]
    else:
        assert content["type"] == "GeometryCollection"
        shapes = content["geometries"]
        marks = [shape["cell"] for shape in shapes]
    cells = set(found.cell) - {""}
    if form == "GeometryCollectionLegacy":
        assert all(isinstance(mark, int) for mark in marks)
        assert {str(mark) for mark in marks} == {cell.split("-")[1] for cell in cells}
    else:
        assert set(marks) == cells
    for shape in shapes:
        ring = shape["coordinates"][0]
        assert shape["type"] == "Polygon"
        assert len(shape["coordinates"]) == 1
        assert ring[0] == ring[-1]
        assert len(ring) >= 4
        assert shapely.geometry.shape(shape).is_valid
        assert shapely.geometry.shape(shape).area > 0


def test_polygons_can_be_left_out(run):
    assert not list(run("--polygon-format", "none").glob("*polygons*"))


def test_tiny_coordinates_keep_their_polygons():
    """In millimetres a cell is a hundredth wide: vertices are written finely enough."""
    ring = np.array([[0, 0], [0.01, 0], [0.01, 0.01], [0, 0.01], [0, 0]])
    rings = Rings(np.array([1], np.int32), ring[:, 0], ring[:, 1], np.array([0, 5]))
    text = collection(rings, np.array(["C-1"], object), "GeometryCollection", 0.005)
    shape = json.loads(text)["geometries"][0]
    assert shapely.geometry.shape(shape).area == pytest.approx(1e-4)


def test_rings_are_mended_so_that_every_cell_has_a_valid_one(finished, ask, log, table_file, molecules):
    from cellcarve.compat.baysor.loading import load

    run = finished(load(ask(table_file), log).table, molecules.truth.to_numpy())
    rings = run.rings
    assert mend(rings, run.cells, 4.0) is rings
    x, start = rings.x.copy(), rings.start
    second = slice(start[1], start[2])
    x[second] = 50 + np.array([0, 1, 0, 1, *[0] * (start[2] - start[1] - 5), 0])[: start[2] - start[1]]
    x[start[2] : start[3]] = 3.0
    # The first cell has no ring at all, the second crosses itself, the third is flat.
    broken = Rings(rings.cell[1:], x[start[1] :], rings.y[start[1] :], start[1:] - start[1])
    shapes = polygons_of(mend(broken, run.cells, 4.0))
    assert len(shapes) == len(run.cells.x)
    assert shapely.is_valid(shapes).all()
    assert (shapely.area(shapes) > 0).all()
    centre = shapely.Point(run.cells.x[0], run.cells.y[0])
    assert shapes[0].contains(centre)
    assert shapely.equals(shapes[3:], polygons_of(rings)[3:]).all()
