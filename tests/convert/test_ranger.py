"""Xenium Ranger's rules: each is seen to be broken when it is."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cellcarve.cli import status
from cellcarve.convert.ranger import check
from cellcarve.errors import InputError

ROWS = [
    "transcript_id,cell,is_noise,x,y,z,qv",
    "1,cell-0,false,1,1,0,30",
    "2,cell-0,false,2,2,0,12",
    "3,cell-4,false,11,1,0,20",
    "4,,true,50,50,0,40",
]
SQUARE = [[0, 0], [3, 0], [3, 3], [0, 3], [0, 0]]
NEXT = [[10, 0], [13, 0], [13, 3], [10, 3], [10, 0]]


def ring(cell, corners, kind="Polygon"):
    return {"type": kind, "cell": cell, "coordinates": [corners]}


def files(folder, rows=ROWS, rings=None):
    rings = [ring(0, SQUARE), ring(4, NEXT)] if rings is None else rings
    table, outlines = folder / "a.csv", folder / "a.geojson"
    table.write_text("\n".join(rows) + "\n")
    outlines.write_text(json.dumps({"geometries": rings, "type": "GeometryCollection"}))
    return table, outlines


def broken(folder, **changed):
    found = {}
    for item in check(*files(folder, **changed)):
        found[item.rule] = f"{found.get(item.rule, '')}{item.sentence}\n"
    return found


def changed(line, text):
    return [text if place == line else row for place, row in enumerate(ROWS)]


def test_good_files_break_none(tmp_path):
    assert broken(tmp_path) == {}


@pytest.mark.parametrize(
    ("rule", "changes", "told"),
    [
        (
            "transcript ids",
            {"rows": changed(2, "1,cell-0,false,2,2,0,12")},
            "more than once; the first is '1'",
        ),
        ("transcript ids", {"rows": changed(4, ",,true,50,50,0,40")}, "no transcript_id; the first is '5'"),
        ("cell names", {"rows": changed(2, "2,cell-x,false,2,2,0,12")}, "the first is 'cell-x'"),
        ("is_noise", {"rows": changed(4, "4,,maybe,50,50,0,40")}, "the first is '5'"),
        ("is_noise", {"rows": changed(4, "4,cell-0,true,50,50,0,40")}, "although is_noise is true"),
        ("is_noise", {"rows": changed(4, "4,,false,50,50,0,40")}, "although is_noise is false"),
        ("empty cells", {"rows": changed(3, "3,,true,11,1,0,20")}, "the first is '4'"),
        ("cells without outline", {"rings": [ring(0, SQUARE)]}, "the first is '4'"),
        (
            "one outline a cell",
            {"rings": [ring(0, SQUARE), ring(4, NEXT), ring(4, NEXT)]},
            "the first is '4'",
        ),
        ("polygons", {"rings": [ring(0, SQUARE), ring(4, NEXT[:2] + NEXT[:1])]}, "at least 4 corners"),
        ("polygons", {"rings": [ring(0, SQUARE), ring(4, NEXT, "MultiPolygon")]}, "no polygon of one ring"),
        (
            "polygons",
            {"rings": [ring(0, SQUARE), ring(4, [NEXT[k] for k in (0, 2, 1, 3, 0)])]},
            "cross themselves",
        ),
        ("quality", {"rows": changed(3, "3,cell-4,false,11,1,0,19.9")}, "the first is '4'"),
        (
            "units",
            {
                "rings": [
                    ring(0, (100 * np.array(SQUARE) + 500).tolist()),
                    ring(4, (100 * np.array(NEXT)).tolist()),
                ]
            },
            "far from their cells' transcripts",
        ),
    ],
)
def test_each_rule(tmp_path, rule, changes, told):
    assert told in broken(tmp_path, **changes)[rule]


def test_bundle_tells_ids_and_qualities(tmp_path):
    known = pa.table(
        {"transcript_id": pa.array([1, 2, 3], pa.uint64()), "qv": pa.array([40, 40, 5], pa.float32())}
    )
    pq.write_table(known, tmp_path / "transcripts.parquet")
    found = {item.rule: item.sentence for item in check(*files(tmp_path), tmp_path)}
    assert found.keys() == {"ids of the bundle", "quality"}
    assert "the first is '4'" in found["ids of the bundle"]


def test_features_tell_their_cell_in_words_too(tmp_path):
    table, outlines = files(tmp_path)
    shapes = [
        {
            "type": "Feature",
            "id": f"cell-{n}",
            "geometry": {"type": "Polygon", "coordinates": [r]},
            "properties": {},
        }
        for n, r in ((0, SQUARE), (4, NEXT))
    ]
    outlines.write_text(json.dumps({"type": "FeatureCollection", "features": shapes}))
    assert check(table, outlines) == []


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("a.csv", "transcript_id,cell\n1,cell-0\n", "no column 'is_noise'"),
        ("a.geojson", "{", "cannot read"),
        ("a.geojson", '{"type":"Point"}', "is a 'Point'"),
    ],
)
def test_files_that_are_something_else(tmp_path, name, text, told):
    paths = files(tmp_path)
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=told):
        check(*paths)


def command(*words):
    return status(["proseg-to-baysor", *map(str, words)])


def test_command_checks_files(tmp_path, capsys):
    table, outlines = files(tmp_path)
    told = "--check", "--output-transcript-metadata", table, "--output-cell-polygons", outlines
    assert command(*told) == 0
    assert "no rule" in capsys.readouterr().out
    files(tmp_path, rings=[ring(0, SQUARE)])
    assert command(*told) == 2
    shown = capsys.readouterr().err
    assert "cells without outline: 1 cells of the table" in shown
    assert "rules broken: 1" in shown


def test_command_wants_a_store(tmp_path, capsys):
    assert command() == 2
    assert "name the store" in capsys.readouterr().err
    assert command(tmp_path) == 2
    assert "neither" in capsys.readouterr().err
    assert command("--nonsense") == 2
    assert "--nonsense" in capsys.readouterr().err
